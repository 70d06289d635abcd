"""Paid once: what arrived on the chain, what the ledger says, and wallets that meddle with the handing over."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable

from tests.payout_world import World
from valtrac.core.chain import Payment, SignedTx
from valtrac.core.money import decimal_text
from valtrac.database.engine import reading
from valtrac.payments.model.batches import Attempt, Batch
from valtrac.payments.store import attempts, batches, ledger
from valtrac.ports import Payer

Hand = Callable[[Payer, bytes], None]


class Died(BaseException):
    """The process is gone: no error that anyone may catch."""


class Meddling:
    """A real wallet. hand(payer, raw) stands in for handing over; `signed` and `handed` note what went through it."""

    def __init__(self, payer: Payer, hand: Hand, *, signing: Callable[[], None] = lambda: None) -> None:
        self._payer, self._hand, self._signing = payer, hand, signing
        self.signed, self.handed = list[SignedTx](), list[bytes]()

    @property
    def address(self) -> str:
        return self._payer.address

    def sign(self, payments: tuple[Payment, ...], *, nonce: int, period: int) -> SignedTx:
        self.signed.append(self._payer.sign(payments, nonce=nonce, period=period))
        self._signing()
        return self.signed[-1]

    def broadcast(self, raw: bytes) -> None:
        self.handed.append(raw)
        self._hand(self._payer, raw)


def tried(world: World, batch: Batch) -> list[Attempt]:
    """Every attempt of a batch, in order."""
    with reading(world.engine) as conn:
        return attempts.of_batch(conn, batch.id)


def line_states(world: World, batch: Batch) -> Counter[str]:
    """How many lines of a batch are in which state."""
    with reading(world.engine) as conn:
        return Counter(line.state for line in batches.lines_of(conn, batch.id))


# hash of a block -> (hash of the one before, what it paid). Worlds are copies that begin with the same blocks, and the
# hash of a block is made of all that it holds.
_READ = dict[str, tuple[str, tuple[Payment, ...]]]()


def on_chain(world: World) -> Counter[Payment]:
    """Every payment that a finalized block carried out, with how often."""
    chain, found = world.app.chain, Counter[Payment]()
    final = chain.finalized()
    hash_ = final.hash
    for number in range(final.number, 0, -1):
        parent, paid = _READ.get(hash_) or _read(world, number, hash_)
        found.update(paid)
        hash_ = parent
    return found


def _read(world: World, number: int, hash_: str) -> tuple[str, tuple[Payment, ...]]:
    chain, paid, known = world.app.chain, list[Payment](), True
    view = chain.block(number)
    assert view.head.hash == hash_
    for tx_id, raw in list(zip(view.tx_ids, view.raw, strict=True))[1:]:  # the first one sets the time
        outcome = chain.outcome(tx_id, view.head)
        known = known and outcome is not None
        if outcome is not None and outcome.ok:
            paid += chain.decode(raw).payments
    if known:
        _READ[hash_] = view.head.parent_hash, tuple(paid)
    return view.head.parent_hash, tuple(paid)


def assert_nothing_paid(world: World, batch: Batch) -> None:
    """Nobody was paid, and nothing says that anyone was."""
    assert world.received() == {}
    with reading(world.engine) as conn:
        assert ledger.receipts(conn) == []
        assert "paid" not in {row["kind"] for row in ledger.entries_of(conn, batch.id)}
        assert {line.state for line in batches.lines_of(conn, batch.id)} <= {"planned", "owed", "chunked", "void"}
    assert logged(world) == []


def assert_paid_once(world: World, *paid: Batch) -> None:
    """Chain, ledger, receipts and log agree with what these settled batches owed, payment by payment, to the unit."""
    lines = []
    with reading(world.engine) as conn:
        for batch in paid:
            assert batches.get(conn, batch.id).state == "settled"
            mine = batches.lines_of(conn, batch.id)
            assert {line.state for line in mine} <= {"paid"}
            entries = Counter[str]()
            for row in ledger.entries_of(conn, batch.id):
                entries[row["person"]] += row["units"] if row["kind"] == "paid" else 0
            assert +entries == Counter({line.person: line.amount for line in mine})
            lines += mine
        receipts = Counter((row["body"]["line"], row["body"]["amount_rao"]) for row in ledger.receipts(conn))
        assert ledger.broken_receipt(conn) is None
        assert attempts.unresolved(conn) == []
    assert on_chain(world) == Counter(Payment(line.address, line.amount) for line in lines)
    assert receipts == Counter((line.id, line.amount) for line in lines)
    assert sorted(logged(world)) == sorted((line.address, decimal_text(line.amount)) for line in lines)


def logged(world: World) -> list[tuple[str, str]]:
    """Address and amount of every row of the payout log."""
    path = world.home / "logs" / "payout_log.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["Address"], row["Amount Paid"]) for row in csv.DictReader(file)]
