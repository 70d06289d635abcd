"""The payer and the door on a real node: paid once, whoever dies, and the wallet locked whenever nobody signs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chains.qtum.litecoin import PASSWORD, PROGRAM, Litecoind, Owing
from tests.once import Died, Meddling
from valtrac.chains.qtum.payer import QtumPayer
from valtrac.core.chain import Payment
from valtrac.core.errors import Refused
from valtrac.database.engine import reading
from valtrac.payments.store import attempts
from valtrac.pool import payday

pytestmark = pytest.mark.skipif(
    not PROGRAM.exists(),
    reason="litecoind could not be had here (make litecoind): the payer is not tried on a real node",
)
COIN = 100_000_000


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Litecoind]:
    made = Litecoind(tmp_path_factory.mktemp("litecoin") / "node")
    yield made
    made.stop()


@pytest.fixture
def owing(tmp_path: Path, node: Litecoind) -> Iterator[Callable[[int], Owing]]:
    """Makes a pool that owes so many people something, to addresses of this test alone."""
    made: list[Owing] = []

    def make(people: int) -> Owing:
        first = 1_000 * int(node.rpc("getblockcount"))
        owed = {node.person(first + number): COIN + number for number in range(people)}
        made.append(Owing(tmp_path / "home", node, owed))
        made[-1].owed = owed  # type: ignore[attr-defined]
        return made[-1]

    yield make
    for each in made:
        each.close()


def locked(node: Litecoind) -> bool:
    return bool(node.rpc("getwalletinfo")["unlocked_until"] == 0)


def assert_paid_once(pool: Owing) -> None:
    received, owed = pool.node.received(), pool.owed  # type: ignore[attr-defined]
    assert {who: received.get(who, 0) for who in owed} == owed
    with reading(pool.pool.engine) as conn:
        assert not attempts.unresolved(conn)
    assert locked(pool.node)


def test_a_payday_is_paid_in_chunks_and_the_wallet_is_locked_again(owing: Callable[[int], Owing]) -> None:
    pool = owing(7)
    made = payday.pay(pool.pool, pool.payer, pool.state)
    assert made.paid == 7 and not made.words
    assert_paid_once(pool)
    assert payday.pay(pool.pool, pool.payer, pool.state).kept is None
    assert_paid_once(pool)


@pytest.mark.parametrize("handed", [False, True], ids=["before it was handed over", "after"])
@pytest.mark.parametrize("killed", [False, True], ids=["node goes on", "node killed too"])
def test_whoever_dies_while_paying_pays_everybody_once(
    owing: Callable[[int], Owing], handed: bool, killed: bool
) -> None:
    pool = owing(5)
    turns = iter(range(9))

    def dies(payer: QtumPayer, raw: bytes) -> None:
        last = next(turns) == 1
        if handed or not last:
            payer.broadcast(raw)
        if last:
            raise Died

    with pytest.raises(Died):
        payday.pay(pool.pool, Meddling(pool.payer, dies), pool.state)  # type: ignore[arg-type]

    def restarted() -> None:
        if killed:
            pool.node.stop(hard=True)
            pool.node.start()

    pool.again(restarted)
    payday.pay(pool.pool, pool.payer, pool.state)
    assert_paid_once(pool)


def test_a_wrong_password_signs_nothing_and_leaves_it_locked(node: Litecoind, owing: Callable[[int], Owing]) -> None:
    pool = owing(1)
    wrong = QtumPayer(pool.pool.chain, "another", stakes=False)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="does not open"):
        wrong.sign((Payment(node.person(1), COIN),), nonce=0, period=1)
    assert locked(node) and node.rpc("listlockunspent") == []


def test_a_payment_whose_coin_was_spent_elsewhere_is_dead_and_made_once_more(
    node: Litecoind, owing: Callable[[int], Owing]
) -> None:
    pool = owing(2)

    def outrun(payer: QtumPayer, raw: bytes) -> None:
        """A rival of the same wallet is in a block before ours is handed over, and then everything dies."""
        (spent, *_) = node.rpc("decoderawtransaction", raw.hex())["vin"]
        value = node.rpc("gettxout", spent["txid"], spent["vout"])["value"]
        node.rpc("walletpassphrase", PASSWORD, 20)
        inputs = [{"txid": spent["txid"], "vout": spent["vout"]}]
        bare = node.rpc("createrawtransaction", inputs, [{node.others[0]: str(value - 1)}])
        signed = node.rpc("signrawtransactionwithwallet", bare)
        node.rpc("walletlock")
        node.rpc("sendrawtransaction", signed["hex"], 0)
        node.blocks(4)
        raise Died

    with pytest.raises(Died):
        payday.pay(pool.pool, Meddling(pool.payer, outrun), pool.state)  # type: ignore[arg-type]
    pool.again()
    payday.pay(pool.pool, pool.payer, pool.state)
    assert_paid_once(pool)
    with reading(pool.pool.engine) as conn:
        states = [str(attempt.state) for attempt in attempts.of_batch(conn, 1)]
    assert states == ["dead", "landed"]
