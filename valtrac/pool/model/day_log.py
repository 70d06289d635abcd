"""The rows of the daily log, in the form that the pool payout manager wrote them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LABELS = (
    "000",
    " unix time",
    " date time",
    " block",
    " balance",
    " stake",
    " weight",
    " net weight",
    " del weight",
    " num del",
    " connections",
    " staking",
    " expected Hours",
    " staker",
    " staker reward",
    " delegate",
    " delegate reward",
    " percent",
    " mypool",
    " pool balance",
    " debug extra",
)
Row = Sequence[str]


def file_name(day: date, form: str) -> str:
    """The name of the log of a day. form: DD_MMM_YYYY, YYYY_MMM_DD or YYYY_MM_DD, months in English."""
    month = MONTHS[day.month - 1]
    parts = {"DD": f"{day.day:02d}", "MMM": month, "MM": f"{day.month:02d}", "YYYY": str(day.year)}
    return f"PPM_Log_{'_'.join(parts[part] for part in form.split('_'))}.csv"


def date_in(name: str) -> date | None:
    """The day of a log by its name, in any of the three forms; None for another file."""
    parts = name.removeprefix("PPM_Log_").removesuffix(".csv").split("_")
    if not name.startswith("PPM_Log_") or len(parts) != 3:
        return None
    year = next((part for part in parts if len(part) == 4), "")
    month, day = (parts[1], parts[0]) if parts[2] == year else (parts[1], parts[2])
    number = MONTHS.index(month.title()) + 1 if month.title() in MONTHS else int(month) if month.isdigit() else 0
    try:
        return date(int(year), number, int(day))
    except ValueError:
        return None


def coins(satoshi: int, places: int) -> str:
    """Satoshi as coins with so many decimals, rounded."""
    return f"{Decimal(satoshi).scaleb(-8):.{places}f}"


def started(at: datetime, version: str, *, midnight: bool = False) -> list[Row]:
    """The rows with which a log begins; midnight: it goes on with a new day, and nothing was started."""
    day = f"{at.year}_{at.month:02d}_{at.day:02d}"
    first = [] if midnight else [("000", "Program", "start", "or", "restart", "version", version)]
    return [*first, ("000", "Logging", "start", f"{at:%H:%M:%S}", "GMT", day), LABELS]


def looked_at(
    *,
    at: datetime,
    local: datetime,
    height: int,
    node: Mapping[str, Any],
    staker: str,
    delegate: str,
    rewards: tuple[int, int],
    percent: int | None,
    mine: bool,
    extra: str,
) -> Row:
    """The row of one block. at: its time; local: the same where the owner lives; rewards: (staker's, delegate's)."""
    return (
        "100",
        str(int(at.timestamp())),
        f"{local:%H:%M:%S}",
        str(height),
        coins(node["balance"], 1),
        coins(node["stake"], 1),
        f"{Decimal(node['weight']).scaleb(-8): 08.1f}",
        str(node["net_weight"] // 10**8),
        str(node["delegated_weight"] // 10**8),
        str(node["delegations"]),
        str(node["connections"]),
        " yes" if node["staking"] else " NOT",
        f"{Decimal(node['expected_s']) / 3600:.1f}",
        staker,
        coins(rewards[0], 3),
        delegate or "none",
        coins(rewards[1], 3),
        "nan" if percent is None else str(percent),
        "yes" if mine else "no",
        coins(node["pool_balance"], 3),
        extra,
    )


def credited(height: int, delegate: str, reward: int, remainder: int, delegates: int, *, undone: bool) -> Row:
    """A reward that was shared, or taken back with its block."""
    word = "reversed" if undone else "credited"
    return (
        *("400", "reward", word, "height", str(height), "delegate", delegate),
        *("reward", coins(reward, 8), "remainder", str(remainder), "delegates", str(delegates)),
    )


def made_up(height: int, late_s: int) -> Row:
    """A block that was looked at later than its turn."""
    return ("800", "block", "made up", "height", str(height), "secondsLate", str(late_s))


def sent(tx_id: str, recipients: int, paid: int, fee: int | None) -> Row:
    """One transaction of a payday."""
    fee_text = "" if fee is None else coins(fee, 8)
    return ("300", "transaction", tx_id, "recipients", str(recipients), "amount", coins(paid, 8), "fee", fee_text)


def paid(*, carried: int, last_amount: int, transactions: int, delegates: int, total: int, revenue: int) -> list[Row]:
    """What a payday came to. last_amount: of its last transaction; revenue: less the network's fees."""
    totals = (
        *("300", "total", "sendmanys", str(transactions), "numDelegatesPaid", str(delegates)),
        *("totalPaid", coins(total, 8), "intsatspoolRevenue", str(revenue)),
    )
    over = ("300", "payout", "carryovers", str(carried), "sendmanyAmount", coins(last_amount, 8))
    return [over, totals] if carried else [totals]


def ended(blocks: int) -> Row:
    """The last row of a day: how many blocks were looked at."""
    return ("200", " blocks", str(blocks))


def state(words: str, *, over: bool) -> Row:
    """A state that has begun, or is over."""
    return ("900", f" {words}", *(("over",) if over else ()))
