"""What cannot be an amount, a rate, an address or the right chain: refused by field, with the fix; nothing stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

import run as program
from tests.homes import move_in
from tests.payout_world import HOTKEY, TAO, World, address
from valtrac.core.addresses import address_of
from valtrac.core.chain import Payment
from valtrac.core.errors import BadInput, Refused, ValtracError
from valtrac.core.money import decimal_text
from valtrac.database.engine import reading
from valtrac.devnet import bittensor as devnet
from valtrac.payments import foreign, wallets
from valtrac.payments.store import batches
from valtrac.payouts import approvals
from valtrac.people import user_import, users
from valtrac.snapshots import snapshots

NO_AMOUNTS = {
    "negative": "-5",
    "with a plus": "+5",
    "nan": "NaN",
    "infinite": "inf",
    "minus infinite": "-Infinity",
    "exponent": "1e9",
    "decimal comma": "5,5",
    "thousands": "1,000.50",
    "underscores": "1_000",
    "Arabic digits": "٥",
    "full-width digits": "５",
    "a fraction": "½",
    "another asset": "5 BTS",
    "a symbol": "τ5",
    "hexadecimal": "0x10",
    "finer than a rao": "5.0000000001",
    "two points": "5.5.5",
    "nothing before the point": ".5",
    "nothing": "",
    "blanks": "  ",
    "absurdly long": "9" * 101,
    "absurdly large": "9" * 80,
}
NO_ADDRESSES = {
    "of Polkadot": "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5",
    "of Kusama": "HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F",
    "of Ethereum": "0x52908400098527886E0F7030069857D2E4169EE7",
    "of Bitcoin": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "of Bitcoin, newer": "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    "of Qtum": "QjWnDZxwLhrJDcp4Hisse8RfBo2jRDZY5Z",
    "of BitShares": "committee-account",
    "a public key": "0x" + "77" * 32,
    "mistyped": address(1)[:-1] + ("a" if address(1)[-1] != "a" else "b"),
    "cut short": address(1)[:-1],
    "two at once": f"{address(50)},{address(51)}",
    "a number": "5",
    "nothing": "",
}


def each(values: dict[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("text", values.values(), ids=values.keys())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Users with snapshots and a draft; every test leaves all of it as it was."""
    made = World(tmp_path_factory.mktemp("home"))
    made.people().day().draft()
    yield made
    made.app.close()


def stored(world: World) -> bytes:
    """The whole database, byte for byte."""
    with closing(sqlite3.connect(world.home / "data" / "valtrac-devnet.sqlite")) as conn:
        return conn.serialize()


@contextmanager
def refused(world: World, *named: str) -> Iterator[None]:
    """It is refused in words that hold one of these and a fix, and nothing was stored."""
    before = stored(world)
    with pytest.raises((BadInput, Refused)) as caught:
        yield
    assert any(name in f"{caught.value.what} {caught.value.why}" for name in named), caught.value.as_dict()
    assert caught.value.fix
    assert caught.value.moved == "no"
    assert stored(world) == before


@pytest.fixture
def command(shared: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """A command that is refused, stores nothing and prints no record; its words in one line."""
    move_in(monkeypatch, shared.home, hotkeys=HOTKEY, chunk_size="3")

    def call(*arguments: str) -> str:
        before = stored(shared)
        capsys.readouterr()
        code = program.main(list(arguments))
        said = capsys.readouterr()
        assert (code in (2, 3), said.out) == (True, ""), said
        assert "fix" in said.err
        assert stored(shared) == before
        return " ".join(said.err.split())

    return call


# -- amounts ---------------------------------------------------------------------------------


@each(NO_AMOUNTS)
@pytest.mark.parametrize("option", ["--pool", "--fee", "--minimum"])
def test_what_is_no_amount_plans_nothing(command: Callable[..., str], option: str, text: str) -> None:
    pool = () if option == "--pool" else ("--pool", "7")
    assert option.strip("-") in command("payout", "plan", *pool, f"{option}={text}")


@each({**NO_AMOUNTS, "zero": "0", "all of it and more": "21000000"})
def test_a_pool_of_nothing_or_of_everything_plans_nothing(command: Callable[..., str], text: str) -> None:
    assert "pool" in command("payout", "plan", f"--pool={text}")


@each({**NO_AMOUNTS, "zero": "0", "a yes": "yes", "without places": "7", "twice": "7 7"})
def test_only_the_total_of_the_batch_approves_it(shared: World, command: Callable[..., str], text: str) -> None:
    with refused(shared, "total"):
        approvals.approve(shared.engine, shared.app.settings, shared.app.caps, 1, text)
    assert "total" in command("payout", "approve", "1", f"--total={text}")


@pytest.mark.parametrize("change", [1, -1, TAO])
def test_a_total_that_is_off_by_a_unit_approves_nothing(shared: World, change: int) -> None:
    with reading(shared.engine) as conn:
        total = batches.get(conn, 1).total
    with refused(shared, "total"):
        approvals.approve(shared.engine, shared.app.settings, shared.app.caps, 1, decimal_text(total + change))


@each(
    {
        "zero": "0",
        "negative": "-1",
        "no number": "one",
        "of Arabic digits": "١x",
        "absurd": "9" * 30,
        "a fraction": "1.5",
    }
)
@pytest.mark.parametrize("name", ["approve", "send", "show", "void"])
def test_what_is_no_batch_is_refused(command: Callable[..., str], name: str, text: str) -> None:
    more = {"approve": ["--total", "7"], "void": ["--reason", "a typo"]}.get(name, [])
    assert "batch" in command("payout", name, *more, "--", text).lower()


@each({"negative": -1, "zero": 0, "more than there is": 21_000_000 * TAO, "absurd": 2**300, "infinite": float("inf")})
def test_a_pool_that_cannot_be_is_refused_by_the_service(shared: World, text: Any) -> None:
    with refused(shared, "pool"):
        shared.draft(pool=text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pool", float("nan")),
        ("pool", 1.5),
        ("pool", "5"),
        ("pool", True),
        ("fee", -5),
        ("fee", float("nan")),
        ("minimum", float("nan")),
        ("chunk_size", 0),
        ("wallet", NO_ADDRESSES["of Ethereum"]),
        ("wallet", ""),
        ("by", "friends"),
        ("method", "guess"),
        ("fee_policy", "nobody"),
    ],
    ids=str,
)
def test_a_request_that_cannot_be_is_refused_by_the_service(shared: World, name: str, value: Any) -> None:
    with refused(shared, name, name.replace("_", "-")):
        shared.draft(**{name: value})


@each({**NO_AMOUNTS, "more than everything": "1.01", "in percent": "101%", "too fine": "0.12345"})
def test_what_is_no_rate_makes_no_referral(command: Callable[..., str], text: str) -> None:
    assert "rate" in command("referrals", "add", "u001", "u002", f"--rate={text}")


@each({name: text for name, text in NO_AMOUNTS.items() if text})  # an empty setting is none
@pytest.mark.parametrize("name", ["MINIMUM", "FEE_PER_PAYEE", "CAP_PAYMENT", "CAP_BATCH", "CAP_DAY"])
def test_a_setting_that_is_no_amount_lets_nothing_be_planned(
    command: Callable[..., str], monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(f"VALTRAC_{name}", text)
    assert f"VALTRAC_{name}" in command("payout", "plan", "--pool", "7")


# -- addresses -------------------------------------------------------------------------------


@each(NO_ADDRESSES)
def test_what_is_no_address_of_this_network_is_nobodys(shared: World, tmp_path: Path, text: str) -> None:
    engine = shared.engine
    sheet = tmp_path / "users.csv"
    sheet.write_text(f'Name,Address1,Address2\nnew,{address(60)},"{text or "-"}"\n', encoding="utf-8")
    with refused(shared, "address"):
        users.add(engine, "new", [text])
    with refused(shared, "address"):
        users.add(engine, "new", [address(60), text])
    with refused(shared, "address"):
        users.add_address(engine, "u001", text)
    with refused(shared, "address"):
        users.set_payout(engine, "u001", text)
    with refused(shared, "address"):
        users.end_address(engine, "u001", text)
    with refused(shared, "address"):
        users.reorder(engine, "u001", [address(1), text])
    with refused(shared, "Address2"):
        user_import.preview_import(engine, sheet)


@each({name: text for name, text in NO_ADDRESSES.items() if text})
def test_what_is_no_address_of_this_network_is_refused_by_every_command(
    command: Callable[..., str], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    assert "address" in command("users", "add", "new", text)
    for option in ("--add-address", "--payout", "--end-address"):
        assert "address" in command("users", "edit", "u001", option, text)
    assert "hotkey" in command("payout", "plan", "--pool", "7", "--hotkey", text)
    assert "hotkey" in command("snapshot", "take", "--hotkey", text)
    monkeypatch.setenv("VALTRAC_HOTKEYS", text)
    assert "VALTRAC_HOTKEYS" in command("payout", "plan", "--pool", "7")


@pytest.mark.parametrize("text", [address(2), address_of(b"\x63" * 32)], ids=["somebody else's", "nobody's"])
def test_a_good_address_of_another_is_no_payout_address(shared: World, text: str) -> None:
    with refused(shared, "is no address of 'u001'"):
        users.set_payout(shared.engine, "u001", text)


# -- another chain ---------------------------------------------------------------------------


@pytest.fixture
def elsewhere(shared: World) -> Iterator[World]:
    """The node serves a chain with another first block."""
    devnet.misbehave(shared.node, wrong_genesis=True)
    yield shared
    devnet.misbehave(shared.node, clear=True)


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda world: world.draft(), id="a draft"),
        pytest.param(lambda world: snapshots.take(world.engine, world.app.chain, HOTKEY), id="a snapshot"),
        pytest.param(lambda world: wallets.adopt(world.door(), world.app.wallet_address), id="a wallet"),
        pytest.param(
            lambda world: wallets.adopt(world.door(), world.app.wallet_address, accept_history=True),
            id="a wallet with its past",
        ),
    ],
)
def test_nothing_is_taken_from_another_chain(elsewhere: World, act: Callable[[World], object]) -> None:
    with refused(elsewhere, "another chain"):
        act(elsewhere)


@pytest.mark.parametrize(
    "arguments", [("payout", "plan", "--pool", "7"), ("snapshot", "take"), ("payout", "reconcile")]
)
def test_no_command_takes_anything_from_another_chain(
    elsewhere: World, command: Callable[..., str], arguments: tuple[str, ...]
) -> None:
    assert "another chain" in command(*arguments)


def _paid_by_hand(world: World, payments: tuple[Payment, ...]) -> str:
    """A transaction that the journal does not know; the wallet that made it."""
    payer, chain = world.app.unlock(), world.app.chain
    wallets.adopt(world.door(), payer.address)
    nonce = chain.nonce(payer.address, chain.finalized())
    payer.broadcast(payer.sign(payments, nonce=nonce, period=64).raw)
    devnet.advance(world.node, 3)
    return payer.address


@pytest.mark.parametrize("verb", ["adopt", "rule"])
def test_a_transaction_of_another_chain_is_neither_adopted_nor_ruled_on(world: World, verb: str) -> None:
    batch = world.people().day().approved()
    line = batch.payout.lines[0]
    payment = Payment(line.address, line.amount) if verb == "adopt" else Payment(address(99), TAO)
    wallet = _paid_by_hand(world, (payment,))
    devnet.misbehave(world.node, wrong_genesis=True)
    with refused(world, "another chain"):
        if verb == "adopt":
            foreign.adopt(world.door(), wallet)
        else:
            foreign.rule(world.door(), wallet, "rent, paid by hand")


@each({name: text for name, text in NO_ADDRESSES.items() if text})
def test_the_chain_is_not_asked_about_what_is_no_address_of_it(shared: World, text: str) -> None:
    chain = shared.app.chain
    head = chain.finalized()
    for ask in (lambda: chain.balance(text, head), lambda: chain.next_index(text), lambda: chain.delegate(text, head)):
        with pytest.raises((ValtracError, ValueError)):
            ask()
    payer = shared.app.unlock()
    with pytest.raises((ValtracError, ValueError)):
        payer.sign((Payment(text, TAO),), nonce=0, period=64)


@each({"zero": 0, "negative": -1, "beyond the chain": 2**64, "a fraction": 1.5, "nan": float("nan"), "text": "5"})
def test_no_wallet_signs_what_is_no_amount(shared: World, text: Any) -> None:
    with pytest.raises((ValtracError, ValueError, TypeError)):
        shared.app.unlock().sign((Payment(address(1), text),), nonce=0, period=64)
