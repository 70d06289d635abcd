"""Secrets of the custodian at real prompts: they open what they are for, a slip is told at once, and none is shown."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import keyring
import pytest
import scrypt
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import PasswordDeleteError
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

import run as program
from tests.exchanges.poloniex import Account, Poloniex
from tests.menus.conftest import ENTER, line, menu, pick
from valtrac.contracts.model.contracts import WHOLE
from valtrac.devnet import bitshares
from valtrac.exchanges import account
from valtrac.secrets import keyring as vault

Press = Callable[..., str]
Type = Callable[..., tuple[int, str]]
CONTRACTS, UNLOCK, PAY = menu("Stake contracts (BitShares)"), pick(14), pick(15)
PASSWORD, WRONG = "correct-horse", "battery-staple"
ACTIVE, MEMO = bitshares.dev_wif("custodian", "active"), bitshares.dev_wif("custodian", "memo")
SECRETS = (PASSWORD, WRONG, ACTIVE, MEMO, "key-one", "secret-one")


class MemoryKeyring(KeyringBackend):  # type: ignore[misc]
    """A keyring of the operating system that holds what it is given."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.held.pop((service, username), None) is None:
            raise PasswordDeleteError(username)


@pytest.fixture(autouse=True)
def cheap_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second for each key is meant for thieves; tests/chains/bitshares/test_keys.py takes that time."""
    dear = scrypt.hash
    monkeypatch.setattr(scrypt, "hash", lambda password, salt, N, r, p: dear(password, salt, 2, r, 1))


@pytest.fixture
def node(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A chain behind an address, whose custodian has keys that nobody here knows until they are typed."""
    path = tmp_path / "somewhere.sqlite"
    bitshares.seed(
        path,
        accounts=[bitshares.dev_account(name, satoshi=50_000 * WHOLE) for name in ("custodian", "ann")],
        lib_lag=2,
    )
    bitshares.produce(path, 10)
    with bitshares.serve(path) as server:
        monkeypatch.setenv("VALTRAC_BITSHARES_NETWORK", "somewhere")
        monkeypatch.setenv("VALTRAC_BITSHARES_NODES", server.url)
        monkeypatch.setenv("VALTRAC_BITSHARES_SECOND_NODE", "none")
        yield path


@pytest.fixture
def at_an_exchange(node: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Poloniex]:
    accounts = {"key-one": Account("secret-one", Decimal(1_000), "deposit-one")}
    with Poloniex(accounts) as stub:
        real = account.open_account
        monkeypatch.setattr(account, "open_account", lambda *args, **named: real(*args, **named, urls=stub.urls))
        monkeypatch.setenv("VALTRAC_CONTRACTS_EXCHANGE", "poloniex")
        monkeypatch.setenv("VALTRAC_CONTRACTS_EXCHANGE_ACCOUNTS", "one")
        before = keyring.get_keyring()
        keyring.set_keyring(NoKeyring())
        yield stub
        keyring.set_keyring(before)


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Type:
    """Run a command and type at its prompts; (exit code, what was on the screen)."""

    def run(words: str, *keys: str) -> tuple[int, str]:
        capsys.readouterr()
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            pipe.send_text("".join(keys))
            code = program.main(words.split())
        said = capsys.readouterr()
        return code, " ".join((said.out + said.err).split())

    return run


def make_wallet(typed: Type) -> None:
    code, said = typed("contracts wallet", line(PASSWORD), line(PASSWORD), line(ACTIVE), line(MEMO))
    assert code == 0 and "The wallet is in" in said


def assert_nothing_shows(folder: Path, said: str) -> None:
    for secret in SECRETS:
        assert secret not in said
        for path in folder.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_a_wallet_is_made_of_typed_keys_and_only_its_owner_may_read_it(node: Path, typed: Type, home: Path) -> None:
    make_wallet(typed)
    (wallet,) = home.rglob("bitshares-wallet")
    assert stat.S_IMODE(wallet.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in wallet.iterdir()] == [0o600]
    assert_nothing_shows(home, "")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ([""], "a wallet needs a password"),
        ([PASSWORD, WRONG], "the two passwords differ"),
        ([PASSWORD, PASSWORD, ACTIVE[:-1], MEMO], "is not a private key"),
        ([PASSWORD, PASSWORD, "", ""], "a wallet needs keys"),
    ],
)
def test_a_slip_makes_no_wallet(node: Path, typed: Type, home: Path, keys: list[str], words: str) -> None:
    code, said = typed("contracts wallet", *map(line, keys))
    assert code != 0 and words in said
    assert list(home.rglob("bitshares.sqlite")) == []
    assert_nothing_shows(home, said)


def test_a_wallet_that_is_there_is_told_of_before_anything_is_typed(node: Path, typed: Type) -> None:
    make_wallet(typed)
    code, said = typed("contracts wallet")
    assert code != 0 and "there is a wallet in" in said


def test_the_menu_offers_to_make_the_wallet_and_pays_with_its_password(node: Path, press: Press, home: Path) -> None:
    bitshares.transfer(node, "ann", "custodian", 1_000 * WHOLE, "nonsense")
    bitshares.produce(node, 5)
    keys = "y" + ENTER + "".join(map(line, (PASSWORD, PASSWORD, ACTIVE, MEMO)))
    said = press(CONTRACTS, PAY, keys, line(PASSWORD))
    assert "The wallet is in" in said, said
    assert "Read up to block" in said  # its memo is of before the first block that is read
    bitshares.transfer(node, "ann", "custodian", 1_000 * WHOLE, "nonsense")
    bitshares.produce(node, 5)
    assert "1 payment is irreversible" in press(CONTRACTS, PAY, line(PASSWORD), line("y"))
    assert_nothing_shows(home, said)


def test_a_wrong_password_is_told_before_the_keys_of_exchanges_are_asked_for(
    at_an_exchange: Poloniex, typed: Type, home: Path
) -> None:
    make_wallet(typed)
    code, said = typed("contracts unlock", line(WRONG))
    assert code != 0 and "the password does not open the wallet" in said
    assert_nothing_shows(home, said)


def test_keys_of_an_exchange_are_tried_and_then_kept_in_the_keyring(
    at_an_exchange: Poloniex, typed: Type, home: Path
) -> None:
    held = MemoryKeyring()
    keyring.set_keyring(held)
    code, said = typed("contracts keep-keys one", line("key-one"), line("secret-two"), ENTER)
    assert code != 0 and "does not accept its keys" in said
    assert held.held == {}
    code, said = typed("contracts keep-keys one", line("key-one"), line("secret-one"), ENTER)
    assert code == 0 and "are in the keyring" in said
    assert vault.kept("one") == {"key": "key-one", "secret": "secret-one"}
    make_wallet(typed)
    code, said = typed("contracts pay", line(PASSWORD))  # the keyring has the rest
    assert code == 0, said
    assert ("GET", "/accounts/balances") in at_an_exchange.seen
    assert_nothing_shows(home, said)


@pytest.mark.parametrize(
    ("words", "keys", "told"),
    [
        ("two", (), "is no exchange account of the settings"),
        ("one", (ENTER,), "no key was typed"),
        ("one", (line("key-one"), line("secret-one"), ENTER), "this system has no keyring"),
    ],
)
def test_what_cannot_be_kept_says_why(
    at_an_exchange: Poloniex, typed: Type, words: str, keys: tuple[str, ...], told: str
) -> None:
    code, said = typed(f"contracts keep-keys {words}", *keys)
    assert code != 0 and told in said


def test_an_exchange_that_is_away_says_how_to_unlock_without_it(at_an_exchange: Poloniex, typed: Type) -> None:
    make_wallet(typed)
    at_an_exchange.down = True
    code, said = typed("contracts pay", line(PASSWORD), line("key-one"), line("secret-one"), ENTER)
    assert code != 0 and "with its key left empty" in said
    code, said = typed("contracts pay", line(PASSWORD), ENTER)
    assert code == 0, said


def test_a_payer_that_is_locked_says_so_over_the_menu(home: Path, press: Press, monkeypatch: Any) -> None:
    from datetime import UTC, datetime

    from valtrac.loggers import pm2
    from valtrac.loggers.jobs import agreements, payments
    from valtrac.loggers.loop import Beat

    program.main(["contracts", "rehearse"])
    now = datetime.now(UTC)

    def jobs(words: str) -> list[pm2.Job]:
        beat = Beat(payments.NAME, now, 5, words, 0, 1)
        return [pm2.Job(name, "running", 1, 0, now, beat, "") for name in (agreements.NAME, payments.NAME)]

    monkeypatch.setattr(pm2, "jobs", lambda settings: jobs("locked: 2 payments due, 4000.00000 BTS"))
    said = press(CONTRACTS)
    assert "The payer: locked: 2 payments due, 4000.00000 BTS." in said
    assert "Next: unlock the payer." in said
    monkeypatch.setattr(pm2, "jobs", lambda settings: jobs(""))
    assert "Next: nothing; listener and payer run." in press(CONTRACTS)
