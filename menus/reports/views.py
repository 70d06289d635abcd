"""Statistics on the screen: one form for menus and commands. What each figure means is under `?`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from menus.frame import pick
from menus.frame.layout import count
from menus.frame.plainly import short
from menus.frame.ui import Ui
from menus.frame.values import plain_values
from valtrac.core.money import bps_text
from valtrac.reports import statistics
from valtrac.reports.model import history as hist
from valtrac.reports.model import measures, referral_figures
from valtrac.reports.model import rates as rate_figures
from valtrac.reports.model.glossary import GLOSSARY
from valtrac.reports.model.prices import UNKNOWN
from valtrac.reports.model.record import Record
from valtrac.reports.model.statistics import RatePoint
from valtrac.wiring.payouts import App

MOST_ROWS = 40
JUST_NOTHING = 1e-6
MOST_DAYS = 14


def overview(ui: Ui, app: App, record: Record, user: str | None) -> None:
    """The range at a glance."""
    figures = measures.overview(record)
    if ui.as_json:
        ui.records({"hotkey": record.hotkey, "unit": record.unit, **plain_values(figures)})
        return
    ui.title("Overview", _range(record))
    ui.facts(
        [
            ("nominators", f"{figures.heads:,} ({figures.joined:,} came, {figures.left:,} went)"),
            ("their stake", f"{figures.stake:,.3f} {record.unit}"),
            ("owner's stake", f"{figures.owner_stake:,.3f} {record.unit}"),
            ("take", _percent(figures.take)),
            ("APR before take", _both(figures.apr_before, figures.apy_before)),
            ("APR after take", _both(figures.apr_after, figures.apy_after)),
            ("APR with rebate", _rebate(figures.apr_rebate, figures.apy_rebate)),
            ("APR projected", _ahead(figures.apr_projected, figures.unpaid)),
            ("not paid yet", f"{figures.unpaid:.1f}% of the time"),
            ("take income", _tao(figures.take_income)),
            ("shared out", _tao(figures.shared)),
            ("effective rebate", _percent(figures.effective_rebate)),
            ("paid", _tao(figures.paid)),
            ("fees", _tao(figures.fees)),
            ("held", _tao(figures.held)),
            ("top ten", _percent(figures.top_ten)),
            ("Gini", UNKNOWN if figures.gini is None else f"{figures.gini:.3f}"),
            ("snapshots", f"{figures.snapshots:,}, {figures.coverage:.1f}% of what the interval asks for"),
            ("checked sums", f"{figures.verified:.1f}%"),
        ]
    )


def user(ui: Ui, app: App, record: Record, name: str | None) -> None:
    """One user's figures."""
    figures = measures.person(record, name or "", statistics.shares(record))
    if ui.as_json:
        ui.records({"unit": record.unit, "currency": record.currency, **plain_values(figures)})
        return
    ui.title(figures.name, _range(record))
    above = ", then ".join(f"{bps_text(rate)} to {referrer}" for referrer, rate in figures.chain)
    ui.facts(
        [
            ("stake", f"{figures.stake:,.9f} {record.unit}"),
            ("worth", UNKNOWN if figures.money is None else f"{figures.money:,.2f} {record.currency}"),
            ("base", f"{figures.base:.6f}%"),
            ("adjusted", f"{figures.adjusted:.6f}%"),
            ("referral taxes", above or "none"),
            ("APR after take", _percent(figures.apr_chain)),
            ("APR with rebate", _rebate(figures.apr)),
            ("APR projected", _ahead(figures.apr_projected, 100 * rate_figures.unpaid(record))),
            ("earned of pools", _tao(figures.earned)),
            ("paid", _tao(figures.paid)),
            ("held", _tao(figures.held)),
        ]
    )


def users(ui: Ui, app: App, record: Record, name: str | None) -> None:
    """Everyone's base and adjusted percent."""
    rows = referral_figures.share_rows(record, statistics.shares(record))
    if ui.as_json:
        ui.records([plain_values(row) for row in rows])
        return
    _table(
        ui,
        "Shares",
        ["who", "base (%)", "adjusted (%)", "why"],
        [
            [
                row.name,
                f"{row.base:.6f}",
                f"{row.adjusted:.6f}",
                ", then ".join(f"{bps_text(rate)} to {referrer}" for referrer, rate in row.chain),
            ]
            for row in rows
        ],
    )


def rates(ui: Ui, app: App, record: Record, name: str | None) -> None:
    """The rates over time: the validator's, or one user's."""
    points = rate_figures.rates_of(record, name) if name else rate_figures.rates(record)
    if ui.as_json:
        ui.records([plain_values(point) for point in points])
        return
    _table(
        ui,
        "Rates",
        [
            *("until UTC", "before take (% a year)", "after take (% a year)"),
            *("with rebate (% a year)", "projected (% a year)"),
        ],
        [
            [
                f"{point.at:%Y-%m-%d %H:%M}",
                UNKNOWN if point.before is None else f"{point.before:.3f}",
                f"{point.after:.3f}",
                "not paid yet" if point.rebate is None else f"{point.rebate:.3f}",
                _projected(point),
            ]
            for point in points
        ],
        last=True,
    )


def pool(ui: Ui, app: App, record: Record, name: str | None) -> None:
    """The take income and what was paid of it."""
    points = measures.pool(record)
    if ui.as_json:
        ui.records([plain_values(point) for point in points])
        return
    _table(
        ui,
        "Pool",
        ["until UTC", "accrued (TAO)", "paid (TAO)"],
        [[f"{point.at:%Y-%m-%d %H:%M}", f"{point.accrued:.9f}", f"{point.paid:.9f}"] for point in points],
        last=True,
    )


def nominators(ui: Ui, app: App, record: Record, name: str | None) -> None:
    """Who came and went, day by day."""
    days = hist.movements(record.history)
    if ui.as_json:
        ui.records([plain_values(day) for day in days])
        return
    _table(
        ui,
        "Nominators",
        ["day", "came (heads)", "went (heads)", "at its end (heads)"],
        [[day.day, day.joined, day.left, day.heads] for day in days],
        last=True,
    )


def referrers(ui: Ui, app: App, record: Record, name: str | None) -> None:
    """What each referrer got of the payouts of the range."""
    income = sorted(referral_figures.referrer_income(record).items(), key=lambda pair: (-pair[1], pair[0]))
    if ui.as_json:
        ui.records([{"referrer": who, "tao": units} for who, units in income])
        return
    _table(
        ui,
        "Income of referrers",
        ["referrer", "referral taxes (TAO)"],
        [[who, f"{units:.9f}"] for who, units in income],
    )


def held(ui: Ui, app: App, record: Record, name: str | None) -> None:
    """Held balances and their age."""
    rows = statistics.held_balances(app.engine)
    if ui.as_json:
        ui.records([plain_values(row) for row in rows])
        return
    _table(
        ui,
        "Held balances",
        ["who", "amount (TAO)", "age (days)"],
        [[_short(row.name), f"{row.amount:.9f}", f"{row.days:.1f}"] for row in rows],
    )


def payouts(ui: Ui, app: App, record: Record, name: str | None) -> None:
    """The payouts of the range, of everyone or of one user."""
    rows = [
        {
            "batch": payout.batch,
            "at": f"{payout.at:%Y-%m-%dT%H:%M:%SZ}",
            "pool": payout.pool,
            "paid": payout.paid.get(name, 0.0) if name else sum(payout.paid.values()),
            "payees": len(payout.paid),
            "fee": payout.fee,
            "settled": payout.settled,
        }
        for payout in record.payouts
        if not name or name in payout.paid or name in payout.earned
    ]
    if ui.as_json:
        ui.records(rows)
        return
    _table(
        ui,
        f"Payouts of {name}" if name else "Payouts",
        ["batch", "at UTC", "pool (TAO)", "paid (TAO)", "payees", "fee (TAO)"],
        [
            [
                f"#{row['batch']}",
                str(row["at"])[:16].replace("T", " "),
                f"{row['pool']:.9f}",
                f"{row['paid']:.9f}",
                row["payees"],
                f"{row['fee']:.9f}",
            ]
            for row in rows
        ],
        last=True,
    )


def coverage(ui: Ui, app: App, record: Record, name: str | None) -> None:
    """Logger uptime: snapshots by day, and how many there should be."""
    days = hist.coverage(record.history.at, record.interval_s)
    if ui.as_json:
        ui.records([plain_values(day) for day in days])
        return
    taken, due = sum(day.taken for day in days), sum(day.expected for day in days)
    _table(
        ui,
        "Snapshots by day",
        ["day", "taken", "asked for", "part (%)"],
        [
            [
                day.day,
                day.taken,
                f"{day.expected:.1f}",
                f"{min(100.0, 100 * day.taken / day.expected):.0f}" if day.expected else "",
            ]
            for day in days
        ],
        last=True,
    )
    ui.hint(f"{taken:,} of {due:,.0f} snapshots, {100 * float(record.history.verified.mean()):.1f}% with checked sums.")


def runway(ui: Ui, app: App, record: Record, name: str | None) -> None:
    """What the payout wallet holds, and for how many payouts it lasts."""
    from menus.payouts import ledger_views

    with ui.working("Asking the node"):
        figures = app.liquidity()
    ledger_views.liquidity(ui, figures, app.settings.network)


def glossary(ui: Ui) -> None:
    """What each figure means: its unit and its formula."""
    if ui.as_json:
        ui.records([{"figure": name, "unit": unit, "meaning": words} for name, (unit, words) in GLOSSARY.items()])
        return
    ui.table(
        "What the figures mean",
        ["figure", "unit", "what"],
        [[name, unit, words] for name, (unit, words) in GLOSSARY.items()],
    )


VIEWS: Mapping[str, Callable[[Ui, App, Record, str | None], None]] = {
    "overview": overview,
    "user": user,
    "users": users,
    "rates": rates,
    "pool": pool,
    "nominators": nominators,
    "referrers": referrers,
    "held": held,
    "payouts": payouts,
    "coverage": coverage,
    "runway": runway,
}


def _table(ui: Ui, title: str, columns: list[str], rows: list[list[object]], *, last: bool = False) -> None:
    """A table of which a terminal shows the first rows, or the last ones, and says that there are more."""
    most = MOST_DAYS * 2 if last else MOST_ROWS
    shown = (rows[-most:] if last else rows[:most]) if ui.out.is_terminal else rows
    ui.table(title, columns, shown, empty="Nothing in this range.")
    if len(shown) < len(rows):
        ui.hint(f"and {len(rows) - len(shown):,} {'before' if last else 'more'}; all of them with --json, or | less")


def _range(record: Record) -> str:
    history = record.history
    subnet = pick.subnet_words(pick.ALL_SUBNETS if record.netuid is None else str(record.netuid))
    return (
        f"{subnet[0].upper()}{subnet[1:]}, {history.at[0]:%Y-%m-%d %H:%M} to {history.at[-1]:%Y-%m-%d %H:%M} UTC, "
        f"blocks {history.blocks[0]} to {history.blocks[-1]}, {count(len(history), 'snapshot')}."
    )


def _projected(point: RatePoint) -> str:
    """What a stretch would bring: nothing is said of one that is paid whole."""
    if point.projected is None:
        return UNKNOWN if point.rebate is None else ""
    return f"{point.projected:.3f}"


def _rebate(apr: float | None, apy: float | None = None) -> str:
    """The rate of what is paid, which is not the rate after take where nothing is."""
    return "nothing of this range is paid yet" if apr is None else _both(apr, apy)


def _ahead(projected: float | None, unpaid: float) -> str:
    """The rate of what is not paid yet, as the take income and the referrals have it."""
    return "all of this range is paid" if unpaid < JUST_NOTHING else _percent(projected)


def _both(apr: float | None, apy: float | None) -> str:
    return _percent(apr) + ("" if apy is None else f" (APY {apy:.3f}%)")


def _percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3f}%"


def _tao(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.9f} TAO"


def _short(name: str) -> str:
    return short(name) if len(name) > 40 else name
