"""What the package promises about the SDK."""

from __future__ import annotations

import lzma
import re
import subprocess
import sys
from hashlib import sha256
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_sdk_is_version_11_3() -> None:
    assert metadata.version("bittensor").startswith("11.3.")


def test_only_the_adapter_and_the_rehearsal_chain_import_the_sdk() -> None:
    pattern = re.compile(r"^\s*(from|import) bittensor(_core)?\b", re.M)
    importers = {
        path.relative_to(ROOT).as_posix()
        for folder in ("valtrac", "menus", "charts")
        for path in (ROOT / folder).rglob("*.py")
        if pattern.search(path.read_text())
    }

    assert {name for name in importers if not name.startswith("valtrac/devnet/")} == {
        "valtrac/chains/bittensor/connect.py"
    }


def test_the_sdks_private_modules_are_imported_in_one_file() -> None:
    importers = [path.name for path in (ROOT / "valtrac").rglob("*.py") if re.search(r"bittensor\._", path.read_text())]

    assert importers == ["codec.py"]


def test_importing_the_packages_loads_no_sdk() -> None:
    code = (
        "import sys, valtrac.devnet.bittensor, valtrac.chains.bittensor.connect; assert 'bittensor' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_the_metadata_is_that_of_spec_461_in_v15() -> None:
    raw = lzma.decompress((ROOT / "valtrac" / "devnet" / "metadata-461.xz").read_bytes())

    assert raw[:5] == b"meta\x0f"
    assert sha256(raw).hexdigest() == "0d812a161c40efbe58ac13785cb579ab79b0bc7c4b57f5bcd27981501a8c8ca8"
