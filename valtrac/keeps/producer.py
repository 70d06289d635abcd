"""Redemptions, and the calls around them, as the payment door sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import sqlalchemy as sa

from valtrac.core.chain import Head, Mark
from valtrac.keeps.model import lines
from valtrac.keeps.model.lines import NotAsDecided
from valtrac.keeps.model.progress import RedemptionState
from valtrac.keeps.settings import KeepsSettings
from valtrac.keeps.store import redemptions
from valtrac.payments.model.batches import Batch, BatchLine
from valtrac.payments.model.states import AttemptState
from valtrac.payments.producer import Cap, Caps, Difference, Fate, LogColumns, Words

NAME = "keeps"
WORDS = Words(
    send="run.py keeps watch --once",
    resume="run.py keeps watch --once",
    show="run.py keeps log",
    approve="run.py keeps watch --once",
    reconcile="run.py keeps watch --once",
    adopt="run.py keeps foreign",
    rule_foreign="run.py keeps foreign",
    rule_gone="run.py keeps watch --once",
    verify="run.py keeps verify",
    take_over_log="",
    wallet_setting="VALTRAC_KEEPS_WALLET",
    high_fee="wait for a lower one",
    accept_history="run.py keeps watch --once",
    pays_users="run.py keeps foreign",
    compare_restored="run.py backup compare",
)


@dataclass(frozen=True, slots=True)
class KeepsProducer:
    """The producer of what is done about keeps. token, machine: addresses of TBTC and of the VendingMachine; script: of
    the Bitcoin address that redemptions pay to, in hex."""

    settings: KeepsSettings
    token: str
    machine: str
    script: str
    deposit_token: str = ""
    name: str = NAME
    standing: bool = True
    words: Words = WORDS

    def caps(self, batch: Batch) -> Caps:
        """The owner's standing caps, in TBTC."""
        each = Cap(self.settings.keeps_cap_payment, "VALTRAC_KEEPS_CAP_PAYMENT")
        day = Cap(self.settings.keeps_cap_day, "VALTRAC_KEEPS_CAP_DAY")
        return Caps(each, day, day)

    def recheck(self, conn: sa.Connection, batch: Batch, lines_: Sequence[BatchLine]) -> Difference | None:
        """Make the calls anew from what was decided, and compare them line by line: with each other, with the
        redemptions that are stored beside them, and with the address that Bitcoin is paid to, as it is set now."""
        wrong = [
            f"{line.name if line else 'a line that is missing'}: another call than the one that was decided"
            for line, written in zip_longest(lines_, batch.plan["calls"])
            if line is None or written != [line.address, line.memo]
        ]
        try:
            lines.check(
                [(line.address, line.amount, line.memo) for line in lines_],
                batch.plan["redemptions"],
                token=self.token,
                machine=self.machine,
                script=self.script,
                handed_in=[(self.deposit_token, int(number)) for number in batch.plan.get("handed_in", ())],
            )
        except NotAsDecided as error:
            wrong += error.problems
        known = redemptions.of_lines(conn, [line.id for line in lines_])
        decided = {str(each["deposit"]) for each in batch.plan["redemptions"]}
        wrong += [
            f"{line.name}: the redemption beside it may cost {known[line.id].cost}, the line {line.amount}"
            for line in lines_
            if line.id in known and known[line.id].cost != line.amount
        ]
        if {each.deposit for each in known.values()} != decided:
            wrong.append("the redemptions beside the batch are of other deposits")
        if not wrong:
            return None
        return Difference(
            f"batch #{batch.id} is not what was decided",
            "the database was changed by other hands",
            "bring a backup back, and do not redeem from this database",
            tuple(wrong),
        )

    def look(self, lines_: Sequence[BatchLine], wallet: str) -> None:
        """Nothing: deposits were looked at when it was decided."""

    def waits(self, conn: sa.Connection, lines_: Sequence[BatchLine], head: Head | None) -> dict[int, str]:
        """Nothing waits: what is not sent at once is decided anew."""
        return {}

    def marks(self, conn: sa.Connection, lines_: Sequence[BatchLine]) -> dict[int, Mark]:
        """None: a number can be used once, and a deposit be redeemed once, which is all that two copies need."""
        return {}

    def moved(self, conn: sa.Connection, lines_: Sequence[BatchLine], fate: Fate) -> None:
        """Book what became of redemptions in the same transaction."""
        for redemption in redemptions.of_lines(conn, [line.id for line in lines_]).values():
            if redemption.state != RedemptionState.ASKED:
                continue
            values: dict[str, Any] = {"tx_id": fate.tx_id}
            if fate.state == AttemptState.LANDED and fate.head is not None:
                since = int(fate.head.at.timestamp())
                values |= {
                    "state": RedemptionState.REQUESTED,
                    "requested_block": fate.head.number,
                    "since": since,
                    "words": "asked for; the signers are to sign",
                }
            elif fate.state in (AttemptState.FAILED, AttemptState.DEAD):
                values |= {"state": RedemptionState.FAILED, "words": f"its transaction {fate.state}"}
            redemptions.change(conn, redemption.id, **values)

    def ruled(self, conn: sa.Connection, tx_ids: Iterable[str]) -> set[str]:
        """None: a wallet that redeems does nothing else."""
        return set()

    def owners(self, conn: sa.Connection, addresses: Iterable[str]) -> dict[str, str]:
        """Nobody is owed anything."""
        return {}

    def fee_set_aside(self, batch: Batch) -> int:
        """Nothing: the fee is ether."""
        return 0

    @property
    def log_tells_what_for(self) -> bool:
        """No: its batch says it."""
        return False

    def log_columns(self, conn: sa.Connection, batches: Sequence[Batch]) -> Mapping[int, LogColumns]:
        """The block at which it was decided."""
        return {batch.id: LogColumns(batch.spec["block"], batch.spec["block"], batch.total) for batch in batches}
