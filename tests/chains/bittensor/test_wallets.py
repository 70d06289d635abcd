"""Wallets: unlocked with the password that was given, and with nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.devnet.bittensor.conftest import who
from valtrac.chains.bittensor import connect
from valtrac.core.chain import Payment
from valtrac.core.errors import BadInput, Refused

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def wallets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from bittensor.keyfiles import Keypair
    from bittensor.wallet import Wallet

    folder = tmp_path_factory.mktemp("wallets")
    for name, locked in (("main", True), ("open", False)):
        Wallet(name=name, path=str(folder))._set_coldkey(
            Keypair.create_from_uri("//Hand"), locked, True, False, PASSWORD if locked else None
        )
        Wallet(name=name, path=str(folder))._set_coldkeypub(Keypair.create_from_uri("//Hand"), True)
    (folder / "public" / "hotkeys").mkdir(parents=True)
    (folder / "public" / "coldkeypub.txt").write_bytes((folder / "main" / "coldkeypub.txt").read_bytes())
    (folder / "broken").mkdir()
    (folder / "broken" / "coldkey").write_text("{not a key")
    return folder


@pytest.fixture
def chain(chain_file: Path) -> Iterator[connect.BittensorChain]:
    chain = connect.open_devnet(chain_file)
    yield chain
    chain.close()


def test_the_address_of_a_wallet_is_read_without_unlocking_it(wallets: Path) -> None:
    assert connect.wallet_address("main", wallets) == who("//Hand")
    assert connect.wallet_address("public", str(wallets)) == who("//Hand")


def test_a_wallet_pays_once_its_password_is_given(wallets: Path, chain: connect.BittensorChain) -> None:
    payer = connect.wallet_payer(chain, "main", wallets, PASSWORD)
    payer.broadcast(payer.sign((Payment(who("//x"), 10**6),), nonce=0, period=64).raw)

    assert payer.address == who("//Hand")
    assert chain.balance(who("//x"), chain.finalized()) == 10**6


@pytest.mark.parametrize(
    ("password", "what"), [("wrong", "does not open"), ("Correct horse", "does not open"), ("", "is locked")]
)
def test_a_wrong_password_opens_nothing_and_none_is_looked_for_elsewhere(
    wallets: Path, chain: connect.BittensorChain, password: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BT_WALLET_PASSWORD", PASSWORD)

    with pytest.raises(Refused, match=what) as refused:
        connect.wallet_payer(chain, "main", wallets, password)

    assert refused.value.fix
    assert PASSWORD not in f"{refused.value} {refused.value.why} {refused.value.fix}"
    assert password == "" or password not in f"{refused.value} {refused.value.why} {refused.value.fix}"


def test_an_unlocked_keyfile_needs_no_password(wallets: Path, chain: connect.BittensorChain) -> None:
    assert connect.wallet_payer(chain, "open", wallets, "").address == who("//Hand")


@pytest.mark.parametrize("name", ["none", "", "..", "main/default", "a/b"])
def test_a_wallet_that_is_not_there_is_named_by_its_folder(
    wallets: Path, chain: connect.BittensorChain, name: str
) -> None:
    with pytest.raises(BadInput) as bad:
        connect.wallet_payer(chain, name, wallets, PASSWORD)
    assert str(wallets) in bad.value.what
    with pytest.raises(BadInput):
        connect.wallet_address(name, wallets)


def test_a_wallet_without_its_secret_half_cannot_pay(wallets: Path, chain: connect.BittensorChain) -> None:
    with pytest.raises(BadInput, match="no coldkey"):
        connect.wallet_payer(chain, "public", wallets, PASSWORD)


def test_a_broken_keyfile_is_refused(wallets: Path, chain: connect.BittensorChain) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        connect.wallet_payer(chain, "broken", wallets, PASSWORD)
    with pytest.raises(BadInput, match="coldkeypub"):
        connect.wallet_address("broken", wallets)


def test_the_key_does_not_show_in_a_payer(wallets: Path, chain: connect.BittensorChain) -> None:
    payer = connect.wallet_payer(chain, "open", wallets, "")

    assert "Keypair" not in repr(payer)


@pytest.mark.parametrize("in_the_way", ["a folder", "a file of another shape"])
def test_a_coldkey_that_cannot_be_read_is_named(tmp_path: Path, in_the_way: str) -> None:
    folder = tmp_path / "main"
    folder.mkdir()
    if in_the_way == "a folder":
        (folder / "coldkey").mkdir()
    else:
        (folder / "coldkey").write_bytes(b"\x00\xff")
    with pytest.raises(Refused, match="cannot be read") as refused:
        connect.wallet_payer(None, "main", tmp_path, "x")  # type: ignore[arg-type]
    assert str(folder) in refused.value.what
