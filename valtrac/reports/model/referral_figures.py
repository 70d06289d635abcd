"""Who earns what part of a range, and what referrers take of it."""

from __future__ import annotations

from valtrac.payouts.model.plans import UNASSIGNED
from valtrac.people.model.terms import Terms
from valtrac.reports.model import replay
from valtrac.reports.model.record import Record, in_range
from valtrac.reports.model.statistics import Flow, ReferralTree, Share


def share_rows(record: Record, shares: replay.Shares) -> list[Share]:
    """Everyone's base and adjusted percent, the largest first."""
    block = int(record.history.blocks[-1])
    names = sorted(
        {*shares.base, *shares.adjusted} - {UNASSIGNED}, key=lambda name: (-shares.adjusted.get(name, 0.0), name)
    )
    return [
        Share(
            name,
            100 * shares.base.get(name, 0.0),
            100 * shares.adjusted.get(name, 0.0),
            chain_of(record.terms, name, block),
        )
        for name in names
    ]


def tree(record: Record, shares: replay.Shares) -> ReferralTree:
    """Everyone who refers or was referred at the end of the range, and what flowed over the range."""
    block = int(record.history.blocks[-1])
    referrals = record.terms.referrals_at(block)
    flows = tuple(
        Flow(referee, referrer, rate, 100 * shares.taxes.get((referee, referrer), 0.0))
        for referee, (referrer, rate) in sorted(referrals.items())
    )
    names = {flow.referee for flow in flows} | {flow.referrer for flow in flows}
    return ReferralTree({row.name: row for row in _shares_of(record, shares, names)}, flows)


def referrer_income(record: Record) -> dict[str, float]:
    """referrer -> TAO of referral taxes in the payouts of the range; by the shares of each batch's own blocks."""
    sums: dict[str, float] = {}
    for payout, part in in_range(record):
        inside = [
            row for row, block in enumerate(record.history.blocks) if payout.from_block <= block <= payout.to_block
        ]
        if not inside or not payout.earned:
            continue
        shares = replay.shares(record.history.rows(inside), record.terms)
        for (_, referrer), flow in shares.taxes.items():
            sums[referrer] = sums.get(referrer, 0.0) + flow * payout.pool * part
    return sums


def chain_of(terms: Terms, name: str, block: int) -> tuple[tuple[str, int], ...]:
    """The referrers above somebody at a block, the nearest first, each with the rate that it takes."""
    edges = terms.referrals_at(block)
    entries: list[tuple[str, int]] = []
    while name in edges and len(entries) <= len(edges):
        name, rate = edges[name]
        entries.append((name, rate))
    return tuple(entries)


def _shares_of(record: Record, shares: replay.Shares, names: set[str]) -> list[Share]:
    known = {row.name: row for row in share_rows(record, shares)}
    return [known.get(name, Share(name, 0.0, 0.0)) for name in sorted(names)]
