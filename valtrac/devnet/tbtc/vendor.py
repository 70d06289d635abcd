"""Builds contracts.json.xz out of what keep-network published on npm: `python -m valtrac.devnet.tbtc.vendor`.

The packages cannot be installed any more, since some of their dependencies are git addresses that are gone; `npm pack`
fetches the archives alone. Each is held against its pinned hash before anything in it is read.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import lzma
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from valtrac.core.errors import BadInput, Exit, ValtracError

TARGET = Path(__file__).with_name("contracts.json.xz")
ARTIFACTS = "package/artifacts/"
MAINNET = "1"  # the network of whose addresses an artifact tells


@dataclass(frozen=True, slots=True)
class Package:
    """One archive on npm, and the contracts that are taken out of it.

    integrity: as npm writes it, `sha512-` and the hash in base64.
    """

    name: str
    version: str
    integrity: str
    contracts: tuple[str, ...]


PACKAGES = (
    Package(
        "@keep-network/keep-core",
        "1.3.0",
        "sha512-c8efKWPx5da6OSdcm9/uvdDqrfwDcYAExNqPvomhLFC0dATEEFHsr/QOAqiBm4wCZZtWMKt0dYTm5QpGtx5TXQ==",
        (
            *("KeepToken", "KeepRegistry", "TokenGrant", "GrantStaking", "Locks", "TopUps"),
            *("TokenStakingEscrow", "TokenStaking"),
        ),
    ),
    Package(
        "@keep-network/keep-ecdsa",
        "1.2.1",
        "sha512-Oz0thgLoemt/nK6dl+MONU7TEoNR3lfbnMY/Aa0oWGcwR5PlNMiBVzYY7OT4oLZIK/MxEHDOWRQAijZEQffI7g==",
        ("StackLib", "BondedSortitionPoolFactory", "KeepBonding", "BondedECDSAKeep", "BondedECDSAKeepFactory"),
    ),
    Package(
        "@keep-network/tbtc",
        "1.1.0",
        "sha512-V4sGR/t61PgkEF11GDZL5QNijVSdDhL7A7larcOSSCmKJOugxd5s+d+NdhYcHZhX9IS58ebtepvZan8TydHUHw==",
        (
            *("TBTCConstants", "OutsourceDepositLogging", "KeepFactorySelection", "OnDemandSPV", "SatWeiPriceFeed"),
            *("TBTCSystem", "DepositFactory", "VendingMachine", "DepositStates", "DepositUtils", "DepositLiquidation"),
            *("DepositRedemption", "DepositFunding", "Deposit", "TBTCToken", "TBTCDepositToken", "FeeRebateToken"),
            *("FundingScript", "RedemptionScript"),
        ),
    ),
    Package(  # the one release that carries the price feed keep-network itself tested with
        "@keep-network/tbtc",
        "1.1.2-dev.1",
        "sha512-IRa0j1D7JBG8UpduaFxkaq2Ii6F61HhNMUBmxr7kAIZwj/yx8sYXWi921mn0L2Z+hAYNcwEUVhCM91VKQH29pQ==",
        ("ETHBTCPriceFeedMock",),
    ),
)


def fetched(package: Package, folder: Path) -> bytes:
    """The archive of a package, once its hash is the pinned one.

    Raises BadInput where npm cannot be run or gives something else.
    """
    named = f"{package.name}@{package.version}"
    command = ["npm", "pack", "--silent", "--ignore-scripts", "--json", named]
    try:
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True)  # noqa: S603 - pinned above
    except (OSError, subprocess.CalledProcessError) as error:
        raise BadInput(f"npm does not fetch {named}", why=str(error), fix="try again where npm works") from error
    file: str = json.loads(done.stdout)[0]["filename"]
    archive = (folder / file).read_bytes()
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if found != package.integrity:
        raise BadInput(f"{named} is not the archive that was pinned", why=f"its hash is {found}")
    return archive


def artifacts(archive: bytes) -> dict[str, dict[str, Any]]:
    """contract name -> its artifact, of every contract in the archive."""
    found: dict[str, dict[str, Any]] = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for member in tar:
            if member.name.startswith(ARTIFACTS) and member.name.endswith(".json"):
                file = tar.extractfile(member)
                assert file is not None, member.name
                found[Path(member.name).stem] = json.load(file)
    return found


def libraries(artifact: dict[str, Any], others: dict[str, dict[str, Any]]) -> dict[str, str]:
    """placeholder in the bytecode -> name of the library it stands for.

    Source: the migration wrote `$hash$` -> mainnet address of the library into networks["1"].links, and the artifact
    of the library names the same address as its own. No compiler is needed to tell what the hash is of.
    """
    owners = {
        other["networks"][MAINNET]["address"].lower(): name
        for name, other in others.items()
        if MAINNET in other.get("networks", {})
    }
    links = artifact.get("networks", {}).get(MAINNET, {}).get("links") or {}
    return {f"__{key.replace(chr(92), '')}__": owners[address.lower()] for key, address in links.items()}


def readable(artifact: dict[str, Any], others: dict[str, dict[str, Any]]) -> str:
    """The bytecode with each hash of a library replaced by its name, as long as an address: `__DepositUtils____...`."""
    code: str = artifact["bytecode"]
    for placeholder, library in libraries(artifact, others).items():
        code = code.replace(placeholder, f"__{library}".ljust(len(placeholder), "_"))
    assert "$" not in code, artifact["contractName"]
    return code


def packed(contracts: dict[str, dict[str, Any]]) -> bytes:
    """The file: the same contracts give the same bytes."""
    text = json.dumps(contracts, sort_keys=True, separators=(",", ":"))
    return lzma.compress(text.encode(), format=lzma.FORMAT_XZ, check=lzma.CHECK_SHA256, preset=9 | lzma.PRESET_EXTREME)


def build() -> bytes:
    """Fetch the four packages and pack the 33 contracts."""
    taken: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for package in PACKAGES:
            found = artifacts(fetched(package, Path(folder)))
            for name in package.contracts:
                taken[name] = {"abi": found[name]["abi"], "bytecode": readable(found[name], found)}
    return packed(taken)


def main() -> int:
    """Write the file anew."""
    try:
        file = build()
    except ValtracError as error:
        sys.stderr.write(f"error  {error}\n")
        return int(error.exit_code)
    TARGET.write_bytes(file)
    sys.stdout.write(f"{TARGET.name}: {len(file)} bytes, sha256 {hashlib.sha256(file).hexdigest()}\n")
    return int(Exit.DONE)


if __name__ == "__main__":
    sys.exit(main())
