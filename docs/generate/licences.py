"""The licences of everything that is installed or shipped, by what each package says of itself."""

from __future__ import annotations

import json
import re
from importlib import metadata
from pathlib import Path
from typing import Any

from docs.generate.markdown import escaped, table
from valtrac.devnet.tbtc.vendor import PACKAGES

ROOT = Path(__file__).parent.parent.parent
LONGEST = 60  # what is longer is the whole text of a licence, and no name of one
# packages for other systems than the one that this is made on, and what says nothing of itself that can be read
KNOWN = {
    "backports-tarfile": "MIT",
    "colorama": "BSD-3-Clause",
    "cli-tableau": "MIT",
    "pywin32": "PSF-2.0",
    "pywin32-ctypes": "BSD-3-Clause",
    "winloop": "MIT",
}
# what lies in this repository and was made by others: file -> (what it is, where it is from, licence)
SHIPPED = {
    "valtrac/devnet/tbtc/contracts.json.xz": (
        "the contracts of tBTC v1, as compiled by their makers",
        ", ".join(f"{each.name} {each.version}" for each in PACKAGES) + " on npm",
        "MIT",
    ),
    "valtrac/devnet/metadata-461.xz": (
        "the metadata of Bittensor's runtime 461",
        "the source distribution of bittensor 11.3.0 on PyPI",
        "Apache-2.0",
    ),
}
BESIDE_IT = {
    "docs/iframe-worker.js": ("search in pages that are opened as files", "iframe-worker 1.0.4 on npm", "MIT"),
    "tests/keeps/data/multicall3.hex": ("bytecode of the contract Multicall3", "its address on Ethereum", "MIT"),
    "tests/data/grandpa-vectors.json": ("votes of public chains", "each entry names its source", "facts of a chain"),
    "tests/data/graphene-blocks.json": ("blocks of public chains", "each entry names its source", "facts of a chain"),
    "tests/data/substrate-vectors.json": (
        "headers, bodies and proofs",
        "each entry names its source",
        "facts of a chain",
    ),
}
INTRODUCTION = """# Licences

ValTrac is under the [MIT licence](#valtrac), as the file `LICENSE` says. It is shipped without the packages that it
uses: they are fetched when it is installed, each under its own licence, and none is changed. pm2 (AGPL-3.0) is a
program of its own that runs beside this one.

## ValTrac

MIT. Copyright 2026 the ValTrac developers. No font is shipped: pictures and pages use those of the reader's system.

"""


def page() -> str:
    """The page of all licences."""
    parts = [INTRODUCTION.rstrip() + "\n"]
    parts.append("## Shipped with it\n\n" + _files(SHIPPED))
    parts.append("## Only in the repository, for pages and tests\n\n" + _files(BESIDE_IT))
    rows = [(name, version, escaped(licence_of(name))) for name, version in required()]
    parts.append(f"## Python packages\n\nThe {len(rows)} packages of `requirements.txt`.\n")
    parts.append(table(("package", "version", "licence"), rows))
    rows = [(escaped(name), version, escaped(licence)) for name, version, licence in of_node()]
    parts.append(
        f"## Node.js packages\n\nThe {len(rows)} packages of `package-lock.json`: pm2 and anvil, and what they use.\n"
    )
    parts.append(table(("package", "version", "licence"), rows))
    return "\n".join(parts)


def required() -> list[tuple[str, str]]:
    """(name, version) of every package of the lock, also those for other systems."""
    lock = ROOT.joinpath("requirements.txt").read_text(encoding="utf-8")
    return re.findall(r"^([a-z0-9-]+)==([^ ;]+)", lock, re.M)


def licence_of(name: str) -> str:
    """The licence of an installed package, by its own words. Raises LookupError where it gives none."""
    try:
        told: Any = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return KNOWN[name]
    classified = [each.split("::")[-1].strip() for each in told.get_all("Classifier") or [] if "License ::" in each]
    named = str(told.get("License-Expression") or told.get("License") or "").strip()
    if named and named != "UNKNOWN" and "\n" not in named and len(named) <= LONGEST:
        return named
    if classified:
        return " or ".join(each for each in classified if each != "OSI Approved")
    raise LookupError(f"{name} does not say what licence it has: look it up and add it to KNOWN")


def of_node() -> list[tuple[str, str, str]]:
    """(name, version, licence) of every package of the lock of Node.js, each version once."""
    lock = json.loads(ROOT.joinpath("package-lock.json").read_text(encoding="utf-8"))
    found = set()
    for place, package in lock["packages"].items():
        name = place.rpartition("node_modules/")[2]
        if name:
            found.add((name, package["version"], _named(package.get("license"), name)))
    return sorted(found)


def _named(licence: Any, name: str) -> str:
    if isinstance(licence, list):
        return " or ".join(_named(each, name) for each in licence)
    if isinstance(licence, dict):
        return str(licence["type"])
    return str(licence or KNOWN[name])


def _files(files: dict[str, tuple[str, str, str]]) -> str:
    rows = [(f"`{path}`", *map(escaped, told)) for path, told in sorted(files.items())]
    return table(("file", "what it is", "from", "licence"), rows)
