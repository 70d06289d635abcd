"""Payouts as the payment door sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from valtrac.core.chain import Head, Mark
from valtrac.core.errors import Refused
from valtrac.payments import checks
from valtrac.payments.model.batches import Batch, BatchLine
from valtrac.payments.model.states import BatchState
from valtrac.payments.producer import Cap, Caps, Difference, Fate, LogColumns, Words
from valtrac.payments.store import histories
from valtrac.payouts import approvals
from valtrac.payouts.model.plans import rules_of
from valtrac.payouts.settings import PayoutSettings
from valtrac.payouts.store import batches
from valtrac.people import destinations
from valtrac.people.settings import PeopleSettings
from valtrac.people.store import people
from valtrac.ports import StakeSource

WORDS = Words(
    send="run.py payout send {batch}",
    resume="run.py payout resume {batch}",
    show="run.py payout show {batch}",
    approve="run.py payout approve {batch} --total ...",
    reconcile="run.py payout reconcile",
    adopt="run.py payout adopt",
    rule_foreign='run.py payout rule-foreign --words "..."',
    rule_gone='run.py payout rule-gone TRANSACTION --words "..."',
    verify="run.py payout verify",
    take_over_log="run.py payout adopt, or payout lost where this database has no batch of it",
    wallet_setting="VALTRAC_WALLET_NAME",
    high_fee="wait for a lower one, mend VALTRAC_CHUNK_SIZE if you changed it, or pay it: "
    "run.py payout send {batch} --accept-fee",
    accept_history="run.py payout send BATCH --accept-history",
    pays_users='run.py payout rule-foreign --words "..." --it-pays-users',
    compare_restored="run.py backup compare",
)


def caps_of(settings: PayoutSettings) -> Caps:
    """What a payout may pay without another word."""
    return Caps(
        Cap(settings.cap_payment, "VALTRAC_CAP_PAYMENT"),
        Cap(settings.cap_batch, "VALTRAC_CAP_BATCH"),
        Cap(settings.cap_day, "VALTRAC_CAP_DAY"),
    )


@dataclass(frozen=True, slots=True)
class PayoutProducer:
    """The producer of payouts on one database and chain, which is opened when something is asked of it. others: further
    nodes of the chain."""

    engine: sa.Engine
    chain: Callable[[], StakeSource]
    settings: PayoutSettings
    people: PeopleSettings
    name: str = batches.NAME
    standing: bool = False
    words: Words = WORDS
    others: Callable[[], Sequence[StakeSource]] = tuple

    def caps(self, batch: Batch) -> Caps:
        """The owner's caps; the same for every payout."""
        return caps_of(self.settings)

    def recheck(self, conn: sa.Connection, batch: Batch, lines: Sequence[BatchLine]) -> Difference | None:
        """What was shown is what is signed: an approval whose inputs changed is void."""
        (payout,) = batches.typed(conn, [batch])
        approvals.check_pool(payout, lines)
        if batch.state != BatchState.APPROVED:
            return None
        try:
            approvals.check_unchanged(conn, payout)
            return None
        except checks.Tampered:
            raise
        except Refused as changed:
            approvals.void_in(conn, payout, "what it was computed from changed before it was signed")
            return Difference(
                f"batch #{batch.id} is void: what it was computed from changed after the approval",
                why=changed.why,
                fix="make a new draft and approve it",
                problems=changed.problems,
            )

    def look(self, lines: Sequence[BatchLine], wallet: str) -> None:
        """Look for coldkey swaps that were announced: of those who are to be paid, and of the wallet itself."""
        chain = self.chain()
        others = self.others()
        if any(node.swaps_announced([wallet], node.finalized()) for node in (chain, *others)):
            raise Refused(
                "a coldkey swap of the payout wallet itself is announced on chain",
                why="until it is carried out or taken back, the chain takes no payments from it",
                fix="see who announced it; if it was not you, dispute it at once",
            )
        destinations.look_for_swaps(self.engine, chain, {line.address for line in lines}, others)

    def waits(self, conn: sa.Connection, lines: Sequence[BatchLine], head: Head | None) -> dict[int, str]:
        """Payments to addresses that were replaced, are in quarantine or may change hands."""
        meant = [destinations.Destination(line.id, line.name, line.person, line.address) for line in lines]
        moment = None if head is None or self.settings.rehearsing else head.at  # a rehearsal has a time of its own
        block = 0 if head is None else head.number
        return destinations.waits(conn, meant, self.people.quarantine, block=block, chain_at=moment)

    def marks(self, conn: sa.Connection, lines: Sequence[BatchLine]) -> dict[int, Mark]:
        """None: the nonce of the wallet lets one transaction in only."""
        return {}

    def moved(self, conn: sa.Connection, lines: Sequence[BatchLine], fate: Fate) -> None:
        """Nothing but the ledger follows from a payout."""

    def ruled(self, conn: sa.Connection, tx_ids: Iterable[str]) -> set[str]:
        """Those that count as payouts whose batch this database has lost; what was ruled foreign paid nobody."""
        return histories.adopted(conn, tx_ids)

    def owners(self, conn: sa.Connection, addresses: Iterable[str]) -> dict[str, str]:
        """The users who have or had the addresses."""
        known = {term.address: term.user for term in people.terms(conn).addresses}
        return {address: known[address] for address in addresses if address in known}

    def fee_set_aside(self, batch: Batch) -> int:
        """What the pool bears of the network's fee."""
        return int(batch.plan["fee_from_pool"])

    @property
    def log_tells_what_for(self) -> bool:
        """No: its batch says it."""
        return False

    def log_columns(self, conn: sa.Connection, batches_: Sequence[Batch]) -> Mapping[int, LogColumns]:
        """The blocks that each payout is for, and its pool."""
        asked = {batch.id: rules_of(batch.spec) for batch in batches_}  # nothing of the plan, which may be large
        return {number: LogColumns(rules.from_block, rules.to_block, rules.pool) for number, rules in asked.items()}
