"""Every check of the doctor: well as it is, and broken on purpose."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from valtrac.core.checks import Check, Health, good
from valtrac.core.events import Event, EventKind, Severity
from valtrac.core.setting_types import LARGEST_SQL_INTEGER
from valtrac.database.condition import WANTED, Condition
from valtrac.doctor import holding, nodes
from valtrac.doctor.examinations import (
    alerts,
    backups,
    contracts,
    databases,
    jobs,
    lasting,
    machine,
    payouts,
    prices,
    record,
    weaknesses,
)
from valtrac.loggers.pm2 import Job

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
TAO = 10**9
MACHINE = machine.Facts(
    (3, 12, 1), "v20.1.0", "7.0.4", "7.0.4", Path("/srv"), 10**11, True, (), "utf-8", {"rich": "1.0"}, {"rich": "1.0"}
)
NODE = nodes.Node("0xaa", 461, 100, NOW - timedelta(seconds=30))
NODES = nodes.Facts(NODE, NODE, ("0x1", "0x1"), NOW, False, 180.0)
MEANS = payouts.Means({"5Hot": True}, 50 * TAO, 500, 90, "", TAO, 2, "5Wallet")
ALERTS = alerts.Facts(("mail",), (), 0, False)
PRICES = prices.Facts(("kraken", "gate"), 2, (), False)
WHOLE = Condition("/srv/data/valtrac.sqlite", True, WANTED)
RUNS = Job("valtrac-stakes", "running", 7, 0, NOW, None, "")
LATE = EventKind("shop.late", "Late", Severity.CRITICAL, "In time again")
SOON = EventKind("shop.soon", "Soon", Severity.WARNING, "Not any more")
SOLD = EventKind("shop.sold", "Sold")
OLD = nodes.Node("0xaa", 461, 100, NOW - timedelta(hours=1))


def of_machine(**changes: object) -> list[Check]:
    return machine.judged(replace(MACHINE, **changes))  # type: ignore[arg-type]


def of_nodes(**changes: object) -> list[Check]:
    return nodes.judged("payouts", replace(NODES, **changes), "ONE", "TWO")  # type: ignore[arg-type]


def of_means(**changes: object) -> list[Check]:
    return payouts.judged(replace(MEANS, **changes))  # type: ignore[arg-type]


def of_job(**changes: object) -> list[Check]:
    return jobs.judged(jobs.Facts([replace(RUNS, **changes)], ()))  # type: ignore[arg-type]


def told(kind: EventKind, fix: str = "run.py shop open") -> Event:
    return Event(f"{kind.name}:1", kind.name, NOW, "The shop is late.", "", fix)


WELL: list[list[Check]] = [
    of_machine(),
    of_nodes(),
    of_nodes(own_time=True, second=None, hashes=None),
    of_means(),
    of_means(held=0, people=0),
    of_job(),
    of_job(words="starting"),
    jobs.judged(jobs.Facts([], ())),
    databases.judged({"database": WHOLE, "alerts_database": Condition("none", False)}),
    alerts.judged(ALERTS),
    alerts.judged(replace(ALERTS, targets=(), rehearsing=True)),
    prices.judged(PRICES),
    prices.judged(prices.Facts((), 0, (), True)),
    lasting.judged((LATE, SOON, SOLD), []),
    [record.judged([])],
    [weaknesses.judged(())],
    [backups.judged(timedelta(hours=3))],
    [contracts.account("")],
    [holding.caps("payouts", {"CAP": 5}, rehearsing=False), holding.unreconciled("payouts", [], "look")],
    [holding.caps("payouts", {"CAP": LARGEST_SQL_INTEGER}, rehearsing=True)],
    holding.wallet("payouts", None, "make it"),
    holding.wallet("payouts", holding.WalletFile(Path("/w"), True, False), "make it"),
]
BAD, WARNING = Health.BAD, Health.WARNING
# what is broken -> the check that says so, and how grave it is
BROKEN: list[tuple[list[Check], str, Health]] = [
    (of_machine(python=(3, 10, 4)), "machine.python", BAD),
    (of_machine(node=""), "machine.node", BAD),
    (of_machine(node="v16.2.0"), "machine.node", BAD),
    (of_machine(pm2=""), "machine.pm2", BAD),
    (of_machine(pm2="6.0.0"), "machine.pm2", WARNING),
    (of_machine(free_bytes=10**9), "machine.disk", WARNING),
    (of_machine(free_bytes=10**6), "machine.disk", BAD),
    (of_machine(writable=False), "machine.home", BAD),
    (of_machine(open_folders=("/srv/data",)), "machine.private", WARNING),
    (of_machine(encoding="latin-1"), "machine.letters", WARNING),
    (of_machine(installed={"rich": ""}), "machine.packages", BAD),
    (of_machine(installed={"rich": "0.9"}), "machine.packages", WARNING),
    ([weaknesses.judged(("VALTRAC_NETWORK: ws://x is not encrypted",))], "settings.encrypted", WARNING),
    (databases.judged({}), "databases", WARNING),
    (databases.judged({"database": replace(WHOLE, words="malformed")}), "database.whole", BAD),
    (databases.judged({"database": replace(WHOLE, revision="0001")}), "database.version", WARNING),
    (databases.judged({"database": replace(WHOLE, revision="9999")}), "database.version", BAD),
    (databases.judged({"alerts_database": replace(WHOLE, open_to_others=True)}), "database-alerts.private", WARNING),
    (of_nodes(first=nodes.Node(error="no route")), "payouts.node", BAD),
    (of_nodes(second=nodes.Node(error="no route")), "payouts.second-node", BAD),
    (of_nodes(second=None, hashes=None), "payouts.second-node", WARNING),
    (of_nodes(first=OLD), "payouts.synced", BAD),
    (of_nodes(first=OLD, second=None), "payouts.clock", WARNING),
    (of_nodes(now=NOW - timedelta(minutes=2)), "payouts.clock", BAD),
    (of_nodes(second=replace(NODE, genesis="0xbb")), "payouts.same-chain", BAD),
    (of_nodes(hashes=("0x1", "0x2")), "payouts.same-blocks", BAD),
    (of_nodes(second=replace(NODE, spec_version=460)), "payouts.spec-version", WARNING),
    (of_means(hotkeys={}), "payouts.hotkeys", BAD),
    (of_means(hotkeys={"5Hot": False}), "payouts.hotkeys", BAD),
    (of_means(too_deep="state was discarded"), "payouts.archive", WARNING),
    (of_means(holds=400, held=0), "payouts.balance", BAD),
    (of_means(held=60 * TAO), "payouts.held", WARNING),
    (holding.wallet("payouts", holding.WalletFile(Path("/w"), False, False), "make it"), "payouts.wallet", BAD),
    (holding.wallet("keeps", holding.WalletFile(Path("/w"), True, True), "make it"), "keeps.wallet-private", BAD),
    ([holding.caps("pool", {"CAP": LARGEST_SQL_INTEGER}, rehearsing=False)], "pool.caps", WARNING),
    ([holding.unreconciled("pool", [("0xab", 3)], "run.py pool pay")], "pool.unknown", BAD),
    ([holding.unreconciled("pool", None, "run.py pool pay")], "pool.unknown", BAD),
    ([contracts.account("no such account")], "contracts.account", BAD),
    (of_job(state="stopped"), "jobs.valtrac-stakes", WARNING),
    (of_job(state="failed", words="no hotkey"), "jobs.valtrac-stakes", BAD),
    (of_job(words="silent for 900 s"), "jobs.valtrac-stakes", BAD),
    (jobs.judged(jobs.Facts([], ("5Hot" * 12,))), "jobs.stakes", BAD),
    ([record.judged([told(LATE)])], "record.gaps", WARNING),
    (alerts.judged(replace(ALERTS, targets=())), "alerts.targets", WARNING),
    (alerts.judged(replace(ALERTS, without_address=("mail",))), "alerts.addresses", BAD),
    (alerts.judged(replace(ALERTS, failed=2)), "alerts.outbox", WARNING),
    (prices.judged(prices.Facts((), 0, (), False)), "prices.sources", WARNING),
    (prices.judged(replace(PRICES, answers=0, reasons=("kraken: away",))), "prices.sources", WARNING),
    (prices.judged(replace(PRICES, answers=1, reasons=("gate: away",))), "prices.sources", WARNING),
    (lasting.judged((LATE,), [told(LATE), told(LATE)]), "shop.late", BAD),
    (lasting.judged((SOON,), [told(SOON, "")]), "shop.soon", WARNING),
    ([backups.judged(timedelta(days=2))], "backups.age", WARNING),
    ([backups.judged(timedelta(days=9))], "backups.age", BAD),
]


@pytest.mark.parametrize("checks", WELL)
def test_what_is_well_is_good_and_asks_for_nothing(checks: list[Check]) -> None:
    assert checks
    assert [check for check in checks if check.health is not Health.GOOD] == []


@pytest.mark.parametrize(("checks", "name", "health"), BROKEN)
def test_what_is_broken_is_said_with_its_fix_and_nothing_else_is_blamed(
    checks: list[Check], name: str, health: Health
) -> None:
    blamed = [check for check in checks if check.health is not Health.GOOD]
    (found,) = [check for check in blamed if check.name == name]
    assert (found.health, bool(found.fix)) == (health, True)
    assert {check.name.partition(".")[0] for check in blamed} == {name.partition(".")[0]}


def test_more_than_twenty_things_are_looked_at_and_each_was_tried_broken() -> None:
    looked_at = {check.name for checks in WELL for check in checks} - {"jobs"}
    tried = {name for _, name, _ in BROKEN}
    assert {name.partition(".")[2] for name in looked_at} <= {name.partition(".")[2] for name in tried}
    assert len(tried) >= 30


def test_a_fix_is_one_sentence_that_a_person_can_follow() -> None:
    fixes = [check.fix for checks, _, _ in BROKEN for check in checks if check.fix]
    assert [fix for fix in fixes if "\n" in fix or (fix.endswith(".") and not fix.endswith("..."))] == []


def test_what_is_well_needs_no_fix_and_everything_else_needs_one() -> None:
    with pytest.raises(ValueError, match="needs no fix"):
        Check("a.b", Health.GOOD, "Well.", "run: nothing")
    with pytest.raises(ValueError, match="needs no fix"):
        Check("a.b", Health.BAD, "Broken.")
    assert good("a.b", "Well.").fix == ""
