"""What is unusual about a draft, compared with the payouts before it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from valtrac.core.money import bps_text, rao
from valtrac.core.text import plain
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.payouts.model.plans import Line

COMPARED = 3  # payouts that a draft is held against
HEADS_BPS = 2_000  # more payees or fewer, by this part of them
SHARE_BPS = 1_000  # a payee's part of the whole, up or down by this much
NEW_BPS = 2_500  # paid to those who were never paid before
MOVERS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at. asks: unusual enough that approving needs words."""

    words: str
    asks: bool


def findings(draft: PayoutBatch, before: Sequence[PayoutBatch], *, change_percent: int) -> list[Finding]:
    """What differs from the last payouts, the gravest first; nothing without any.

    before: approved batches of the same hotkey, subnet and kind, the newest first. change_percent: by how much the
    total, and the amount per block, may grow (the total also shrink likewise) without a question.
    """
    if not before:
        return []
    anomalies = [*_total(draft, before, change_percent), *_heads(draft, before[0])]
    anomalies += [*_addresses(draft, before), *_new(draft, before), *_movers(draft, before[0])]
    return sorted(anomalies, key=lambda anomaly: not anomaly.asks)


def _total(draft: PayoutBatch, before: Sequence[PayoutBatch], percent: int) -> Iterable[Finding]:
    """Much more at once or per block, as after a slip in the pool or the range; or much less at once."""
    usual = [(batch.total, batch.total / _blocks(batch)) for batch in before if batch.total]
    if not usual:
        return
    times = draft.total / median(total for total, _ in usual)
    pace = draft.total / _blocks(draft) / median(rate for _, rate in usual)
    most = 1 + percent / 100
    if times > most or pace > most or times < 1 / most:
        last = "payout" if len(usual) == 1 else f"{len(usual)} payouts"
        yield Finding(
            f"it pays {rao(draft.total)} for {_blocks(draft):,} blocks: {times:.2f} times as much as the last {last} "
            f"did at once, {pace:.2f} times as much per block",
            True,
        )


def _heads(draft: PayoutBatch, last: PayoutBatch) -> Iterable[Finding]:
    now, was = len(draft.payout.lines), len(last.payout.lines)
    if now != was:
        yield Finding(f"{now:,} are paid, {was:,} were last time", abs(now - was) * 10_000 > HEADS_BPS * max(was, 1))


def _addresses(draft: PayoutBatch, before: Sequence[PayoutBatch]) -> Iterable[Finding]:
    """People who were paid elsewhere before."""
    known: dict[str, str] = {}
    for batch in reversed(before):
        known |= {line.person: line.address for line in batch.payout.lines}
    for line in draft.payout.lines:
        was = known.get(line.person)
        if was not in (None, line.address) and line.user != line.address:
            yield Finding(f"{plain(line.user)} is paid at {line.address}, before it was {was}", True)


def _new(draft: PayoutBatch, before: Sequence[PayoutBatch]) -> Iterable[Finding]:
    known = {_who(line) for batch in before for line in batch.payout.lines}
    new = [line for line in draft.payout.lines if _who(line) not in known]
    if new:
        units = sum(line.amount for line in new)
        most = max(new, key=lambda line: line.amount)
        yield Finding(
            f"{len(new):,} are paid who were not before: {rao(units)} together, most of it "
            f"{rao(most.amount)} to {plain(most.user)}",
            units * 10_000 > NEW_BPS * draft.total,
        )


def _movers(draft: PayoutBatch, last: PayoutBatch) -> Iterable[Finding]:
    """Whose part of the whole changed most."""
    if not draft.total or not last.total:
        return
    names = {_who(line): line.user for line in draft.payout.lines}
    now = {_who(line): line.amount * 10_000 // draft.total for line in draft.payout.lines}
    was = {_who(line): line.amount * 10_000 // last.total for line in last.payout.lines}
    moved = sorted(
        ((now.get(name, 0) - was.get(name, 0), name) for name in set(now) & set(was)),
        key=lambda pair: (-abs(pair[0]), pair[1]),
    )
    for change, name in moved[:MOVERS]:
        if abs(change) >= 100:
            yield Finding(
                f"{plain(names[name])} gets {bps_text(now[name])} of the whole, {bps_text(was[name])} last time",
                abs(change) > SHARE_BPS,
            )


def _who(line: Line) -> str:
    """The same for a person whatever the name; for a nominator the address."""
    return line.user if line.user == line.address else line.person


def _blocks(batch: PayoutBatch) -> int:
    return max(1, batch.to_block - batch.from_block + 1)
