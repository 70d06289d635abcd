"""Whatever a menu does, it shows the command that does the same; run in a copy of the home, it does."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import menus
import run as program
from menus import actions, same
from menus import program as program_menus
from menus.frame.palette import Action
from menus.frame.ui import Ui
from menus.program import commands
from menus.reports.screens import charts_and_statistics
from tests.homes import move_in, small_world
from tests.menus.conftest import ENTER, line, pick
from tests.menus.same_world import Twins
from tests.payout_world import World, address
from valtrac.core.money import decimal_text
from valtrac.database.engine import reading
from valtrac.devnet import bittensor as devnet
from valtrac.loggers import pm2
from valtrac.payouts import balances
from valtrac.payouts.store import batches
from valtrac.people import policies, referrals, users
from valtrac.reports.model.ranges import PRESETS

CTRL_U = "\x15"
PROOF = "data/proofs/batch-1-payment-1.json"


@dataclass(frozen=True)
class Case:
    """Something that is done in a menu. ready: what there is before; keys: what is answered; shown: the commands that
    are shown, in order."""

    menu: str
    path: tuple[str, ...]
    keys: str
    shown: tuple[str, ...]
    ready: Callable[[World], object] = lambda world: None
    code: int = 0  # that the command ends with


def with_people(world: World) -> World:
    return world.people()


def with_stakes(world: World) -> World:
    return world.people().day()


def with_policy(world: World) -> None:
    world.people()
    policies.put(world.engine, "u001", "cut", "5%", words="agreed")


def with_referral(world: World) -> None:
    world.people()
    referrals.add(world.engine, "u001", "u002", 2_500)


def with_draft(world: World) -> None:
    world.people().day()
    world.draft()


def with_approved(world: World) -> None:
    world.people().day()
    world.approved()


def with_paid(world: World) -> None:
    world.people().day()
    world.send(world.approved())


def with_held(world: World) -> None:
    with_paid(world)
    balances.correct(world.engine, "u001", 10**9, "too little")


def changed(world: World) -> None:
    """A batch with a payment to an address that is new."""
    world.people()
    users.add_address(world.engine, "u001", address(50), from_block=0)
    users.set_payout(world.engine, "u001", address(50), from_block=0)
    world.day()
    world.approved()


def half_way(world: World) -> None:
    """A batch of which one payment waits."""
    changed(world)
    with reading(world.engine) as conn:
        batch = batches.get(conn, 1)
    assert world.send(batch).state == "sending"


def with_sheet(world: World) -> None:
    rows = [f"n{number},{address(number)}" for number in (1, 2)]
    (world.home / "people.csv").write_text("Name,Address1\n" + "\n".join(rows) + "\n", encoding="utf-8")


HISTORY, EDIT, BALANCES = "Payout history and batches", "Edit users", "Balances and corrections"
RATES, RULES, CHARTS = "Edit referrals", "Policies and waiting addresses", "Charts and statistics"
ALL_OF_IT = pick(len(PRESETS))  # the whole record
DRAFTED = ENTER + line("7") + ENTER  # the method, the pool, everything since the last payout
CASES = [
    Case("Send payout by referral structure", (), DRAFTED, ("payout plan --pool 7",), with_stakes),
    Case("Full payout by nominator", (), DRAFTED, ("payout plan --pool 7 --by nominators",), with_stakes),
    Case(
        "Add users",
        ("1. Load users from CSV",),
        line("{home}/people.csv") + "y" + ENTER,
        ("users import {home}/people.csv --yes",),
        with_sheet,
    ),
    Case(
        "Add users",
        ("2. Manual entry",),
        line("zoe [x] $HOME 'q'") + line(address(1)) + ENTER,
        (f"users add 'zoe [x] $HOME '\"'\"'q'\"'\"'' {address(1)}",),
    ),
    Case(
        EDIT,
        ("Add an address",),
        pick(1) + line(address(9)),
        (f"users edit u001 --add-address {address(9)}",),
        with_people,
    ),
    Case(
        EDIT,
        ("End an address",),
        pick(1) + pick(1) + "y" + ENTER,
        (f"users edit u001 --end-address {address(1)}",),
        with_people,
    ),
    Case(
        EDIT,
        ("Choose the address that is paid",),
        pick(1) + pick(1),
        (f"users edit u001 --payout {address(1)}",),
        with_people,
    ),
    Case(EDIT, ("Rename",), pick(1) + CTRL_U + line("-ann"), ("users edit u001 --rename=-ann",), with_people),
    Case(EDIT, ("End this user",), pick(1) + "y" + ENTER, ("users end u001 --yes",), with_people),
    Case(
        "Add referral",
        (),
        pick(1) + pick(1) + line("0.25") + "y" + ENTER,
        ("referrals add u001 u002 --rate 25% --yes",),
        with_people,
    ),
    Case(
        RATES,
        ("Change what a referrer takes",),
        pick(1) + line("10%"),
        ("referrals edit u001 --rate 10% --yes",),
        with_referral,
    ),
    Case(
        RATES,
        ("Give one referee a rate of its own",),
        pick(1) + line("5.5%"),
        ("referrals edit u001 --rate 5.5% --referee u002 --yes",),
        with_referral,
    ),
    Case(RATES, ("Remove a referee",), pick(1) + "y" + ENTER, ("referrals remove u002",), with_referral),
    Case(
        RULES,
        ("Decide something about a user",),
        pick(1) + pick(2) + line("5%") + line("agreed by mail"),
        ("policy set u001 cut 5% --reason 'agreed by mail' --yes",),
        with_people,
    ),
    Case(
        RULES,
        ("Decide something about everyone",),
        pick(1) + line("25%") + ENTER,
        ("policy set everyone cut 25% --yes",),
        with_people,
    ),
    Case(
        RULES,
        ("Decide something about a nominator's address",),
        line(address(2)) + pick(1) + line("yes") + ENTER,
        (f"policy set {address(2)} exclude yes --yes",),
        lambda world: None,
    ),
    Case(RULES, ("End a policy",), pick(1), ("policy end u001 cut",), with_policy),
    Case(
        HISTORY, ("Take it back",), pick(1) + line("wrong pool"), ("payout void 1 --reason 'wrong pool'",), with_draft
    ),
    Case(HISTORY, ("Send it",), pick(1) + "y" + ENTER, ("payout send 1",), with_approved),
    Case(
        HISTORY,
        ("Set a payment aside, to be paid later",),
        pick(1) + pick(1) + line("on holiday"),
        ("payout set-aside 1 u001 --reason 'on holiday'",),
        with_approved,
    ),
    Case(HISTORY, ("Go on with it",), pick(1) + ENTER + "y" + ENTER, ("payout resume 1",), half_way, 3),
    Case(HISTORY, ("Look for its transactions",), pick(1), ("payout reconcile",), half_way),
    Case(
        RULES,
        ("Confirm an address that waits",),
        pick(1) + line(address(50)[-6:]),
        (f"users confirm u001 --last-six {address(50)[-6:]}",),
        changed,
    ),
    Case(HISTORY, ("Explain a payment",), pick(1) + pick(2), ("payout explain 1 u002",), with_draft),
    Case(
        HISTORY,
        ("Write a proof of a payment",),
        pick(1) + pick(1),
        (f"payout proof 1 u001 --out {{home}}/{PROOF} --with-script",),
        with_paid,
    ),
    Case(BALANCES, ("Look at one account",), pick(3), ("ledger show u003",), with_paid),
    Case(BALANCES, ("Pay out all held balances",), "", ("payout release",), with_held),
    Case(BALANCES, ("Pay out one held balance",), pick(1), ("payout release u001",), with_held),
    Case(
        BALANCES,
        ("Somebody got too little",),
        pick(1) + line("1.5") + line("slip"),
        ("ledger correct u001 --reason slip --underpaid 1.5",),
        with_paid,
    ),
    Case(
        BALANCES,
        ("Somebody got too much",),
        pick(1) + line("0.5") + line("slip"),
        ("ledger correct u001 --reason slip --overpaid 0.5",),
        with_paid,
    ),
    Case(BALANCES, ("Is there enough in the payout wallet?",), "", ("payout liquidity",), with_paid),
    Case("Network and wallet", ("Let an hour pass on it (300 blocks)",), "", ("devnet advance 300",)),
    Case("Network and wallet", ("Take a snapshot now",), "", ("snapshot take",), with_stakes),
    Case(CHARTS, ("Figures", "overview"), ALL_OF_IT, ("stats",), with_paid),
    Case(CHARTS, ("Figures", "one user"), ALL_OF_IT + pick(2), ("stats user --user u002",), with_paid),
    Case(CHARTS, ("? What the figures mean",), "", ("stats glossary",), with_paid),
    Case(CHARTS, ("Charts", "Pool and payouts"), ALL_OF_IT, ("chart pool-and-payouts",), with_paid),
    Case(
        CHARTS,
        ("A statement for one user",),
        pick(1) + ENTER + pick(2),
        ("statement u001 --period {month} --format csv",),
        with_paid,
    ),
    Case(
        CHARTS,
        ("Statements for everyone",),
        ENTER + pick(2),
        ("statement --all --period {month} --format csv",),
        with_paid,
    ),
    Case(
        CHARTS,
        ("What if the rules were others?", "Another take"),
        ALL_OF_IT + line("10%"),
        ("what-if --take 10%",),
        with_paid,
    ),
    Case(
        CHARTS,
        ("What if the rules were others?", "Another rate of a referrer"),
        ALL_OF_IT + pick(1) + line("5%"),
        ("what-if --rate u001=5%",),
        with_paid,
    ),
    Case(
        CHARTS,
        ("What if the rules were others?", "A user without a referrer"),
        ALL_OF_IT + pick(1),
        ("what-if --referral u001=",),
        with_paid,
    ),
    Case(
        CHARTS,
        ("What if the rules were others?", "Another method"),
        ALL_OF_IT + pick(2),
        ("what-if --method stake-time",),
        with_paid,
    ),
    Case(
        CHARTS,
        ("What if the rules were others?", "Another minimum"),
        ALL_OF_IT + line("0.5"),
        ("what-if --minimum 0.5",),
        with_paid,
    ),
]
# On the rehearsal chain of BitShares, with one client's contract.
CONTRACTS = "Stake contracts (BitShares)"
OF_CONTRACTS = [
    Case(CONTRACTS, ("Contracts",), pick(1), ("contracts show 1",)),
    Case(CONTRACTS, ("Clients",), "", ("contracts clients",)),
    Case(CONTRACTS, ("Payments due within 48 hours",), "", ("contracts due",)),
    Case(CONTRACTS, ("Past due",), "", ("contracts past-due",)),
    Case(CONTRACTS, ("Liabilities",), "", ("contracts liabilities",)),
    Case(CONTRACTS, ("Audit the ledger",), "", ("contracts verify",)),
    Case(CONTRACTS, ("What waits for your word",), "", ("contracts waiting",)),
    Case(CONTRACTS, ("Delinquent payments: pay by hand",), "", ("contracts delinquent",)),
    Case(CONTRACTS, ("Search the audit events",), line("stake start"), ("contracts events 'stake start'",)),
    Case(CONTRACTS, ("Terms and caps",), "", ("contracts settings",)),
    Case(CONTRACTS, ("Money asked of exchanges",), "", ("contracts withdrawals",)),
    Case(
        CONTRACTS,
        ("Rehearse: send as a client, let days go by",),
        pick(1) + pick(2) + line("25000") + line("six_months"),
        ("contracts rehearse --client bob --send 25000 --memo six_months",),
    ),
]
STATES = (
    "payout list",
    "payout show 1",
    "ledger show",
    "users list",
    "policy list",
    "referrals tree",
)  # of a menu itself


def same_as_done(case: Case, twins: Twins) -> None:
    """Do it in the menu, run what it has shown in the twin, and compare the two."""
    done = twins.do(Action(case.menu, case.path), case.keys.format(home=twins.home))
    told = [line for line in done.lines if line.removeprefix("run.py ") in case.shown or not of_a_state(line)]
    month = f"{datetime.now(UTC):%Y-%m}"
    assert told == [f"run.py {line.format(home=twins.home, month=month)}" for line in case.shown], done.err
    (twins.twin / PROOF).parent.mkdir(parents=True, exist_ok=True)  # as the menu has made it in the home
    for words in told:
        code, out, err = twins.again(words)
        assert code == case.code, err
        if not out.startswith("{"):  # else a record: nobody sits at a terminal here
            missing = [line for line in out.splitlines() if line.strip() and line not in done.out and "0x" not in line]
            assert [line for line in missing if str(twins.twin) not in line] == []
    one, other = twins.rows()
    assert one == other


def of_a_state(line: str) -> bool:
    return line.removeprefix("run.py ") in STATES


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join((case.path or (case.menu,))[-1:]))
def test_the_command_that_is_shown_does_the_same(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    world = small_world(monkeypatch, home)
    case.ready(world)
    world.app.close()
    same_as_done(case, Twins(home, monkeypatch, capsys))


@pytest.fixture(scope="module")
def custody(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a contract of ann's, to be copied."""
    home = tmp_path_factory.mktemp("custody") / "home"
    with pytest.MonkeyPatch.context() as patch:
        move_in(patch, home)
        for words in ("rehearse --client ann --send 25000 --memo three_months", "listen"):
            assert program.main(["contracts", *shlex.split(words)]) == 0
    return home


@pytest.mark.parametrize("case", OF_CONTRACTS, ids=lambda case: case.path[-1])
def test_so_does_the_one_of_a_contract(
    case: Case, custody: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    shutil.copytree(custody, home)
    move_in(monkeypatch, home)
    same_as_done(case, Twins(home, monkeypatch, capsys))


def test_what_is_due_is_paid_the_same_way(
    custody: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In which block it lands may differ: the chain goes on while the menu asks."""
    home = tmp_path / "home"
    shutil.copytree(custody, home)
    move_in(monkeypatch, home)
    twins = Twins(home, monkeypatch, capsys)
    done = twins.do(Action(CONTRACTS, ("Read the chain and pay what is due now",)), line("y"))
    assert "run.py contracts pay" in done.lines
    code, out, _ = twins.again("run.py contracts pay")
    assert code == 0 and "ann" in out
    states = []
    for place in (twins.home, twins.twin):
        with closing(sqlite3.connect(place / "data" / "valtrac-bitshares-devnet.sqlite")) as conn:
            states.append(conn.execute("SELECT id, type, units, state FROM dues ORDER BY id").fetchall())
    assert states[0] == states[1]
    assert any(state == "confirmed" for *_, state in states[0])


def test_a_batch_is_approved_the_same_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    world = small_world(monkeypatch, home)
    world.people().day()
    total = decimal_text(world.draft().total)
    world.app.close()
    shown = (f"payout approve 1 --total {total}",)
    same_as_done(Case(HISTORY, ("Approve it",), pick(1) + line(total) + ENTER, shown), Twins(home, monkeypatch, capsys))


def test_a_rehearsal_is_begun_the_same_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = move_in(monkeypatch, tmp_path / "home")
    home.mkdir()
    twins = Twins(home, monkeypatch, capsys)
    done = twins.do(Action("Network and wallet", ("Begin the rehearsal chain",)), "")
    assert done.lines == ["run.py devnet seed"]
    assert twins.again(done.lines[0])[0] == 0
    one, other = (devnet.status(place / "data" / "devnet.sqlite") for place in (twins.home, twins.twin))
    assert (one["number"], one["hotkeys"]) == (other["number"], other["hotkeys"])


@pytest.mark.parametrize(
    ("title", "state", "asked", "shown"),
    [
        ("Stop", "running", ENTER, ["logger stop valtrac-stakes-a"]),
        ("Restart", "running", ENTER, ["logger restart valtrac-stakes-a"]),
        ("Start", "stopped", ENTER, ["logger restart valtrac-stakes-a"]),
        ("Remove", "stopped", ENTER + "y" + ENTER, ["logger remove valtrac-stakes-a"]),
        ("See what it wrote", "running", ENTER, ["logger tail valtrac-stakes-a"]),
    ],
)
def test_what_is_done_to_a_job_is_done_by_the_command(
    title: str,
    state: str,
    asked: str,
    shown: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home = move_in(monkeypatch, tmp_path / "home")
    (home / "data").mkdir(parents=True)
    called: list[tuple[str, str]] = []
    monkeypatch.setattr(pm2, "jobs", lambda settings: [pm2.Job("valtrac-stakes-a", state, 1, 0, None, None, "")])
    for verb in ("stop", "restart", "remove"):
        monkeypatch.setattr(pm2, verb, lambda settings, name, verb=verb: called.append((verb, name)))

    def tail(settings: object, name: str, lines: int = 20) -> list[str]:
        called.append(("tail", name))
        return ["it runs"]

    monkeypatch.setattr(pm2, "tail", tail)
    twins = Twins(home, monkeypatch, capsys)
    done = twins.do(Action("Background loggers", (title,)), asked)
    by_menu = list(called)
    assert [line.removeprefix("run.py ") for line in done.lines] == ["logger status", *shown]
    called.clear()
    assert twins.again(done.lines[1])[0] == 0
    assert called == by_menu != []


def test_a_job_is_started_by_the_command_that_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    small_world(monkeypatch, home).app.close()
    called: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(pm2, "jobs", lambda settings: [])
    monkeypatch.setattr(pm2, "start", lambda settings, name, words: called.append((name, words)))
    twins = Twins(home, monkeypatch, capsys)
    done = twins.do(Action("Begin logging delegate info"), "y" + ENTER)
    assert done.lines == ["run.py logger start"]
    assert twins.again(done.lines[0])[0] == 0
    assert called[0] == called[1]


def told_in(menu: ModuleType) -> set[str]:
    """The titles of a screen whose function tells a command, or calls one that does; by its own text."""
    tree = ast.parse(Path(menu.__file__ or "").read_text(encoding="utf-8"))
    texts = {node.name: ast.unparse(node) for node in tree.body if isinstance(node, ast.FunctionDef)}
    tells = {
        name for name, text in texts.items() if re.search(r"same\.(tell|once)\(", text) or "changing.asked" in text
    }
    tells |= {name for name, text in texts.items() if "decide(own" in text or "happenings.ALL" in text}
    found = set(getattr(menu, "SAME", {}))
    pairs: list[tuple[ast.expr | None, ast.expr]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            pairs += zip(node.keys, node.values, strict=True)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            pairs.append((node.targets[0].slice, node.value))
    for key, value in pairs:
        called = {name.id for name in ast.walk(value) if isinstance(name, ast.Name)}
        if isinstance(key, ast.Name) and called & tells:
            found.add(getattr(menu, key.id, ""))
    under: dict[str, str] = getattr(menu, "UNDER", {})
    return found | {title for title, parent in under.items() if parent in found}


def test_every_action_shows_its_command() -> None:
    """What the tests above do not do by hand is seen to tell its command in the text of its screen."""
    done = {(case.menu, case.path[-1:]) for case in [*CASES, *OF_CONTRACTS]}
    silent = []
    for menu in menus.found():
        told = told_in(menu)
        for action in actions.known([menu]):
            if action.path and (action.menu, action.path[-1:]) not in done and action.title not in told:
                silent.append((action.menu, action.title))
    charts_and_figures = {title for _, title in charts_and_statistics.further()}
    by_hand_above = {"Begin the rehearsal chain", "Approve it", *LISTS_OF_OTHERS}
    assert [each for each in silent if each[1] not in charts_and_figures | by_hand_above] == []


# They lead to a list of further actions.
LISTS_OF_OTHERS = {
    "Figures",
    "Charts",
    "What if the rules were others?",
}


def commands_told() -> Iterator[tuple[str, str, set[str]]]:
    """(file, command, its parameters) of every command that a menu tells, by the text of the menus."""
    for path in sorted(Path(menus.__file__ or "").parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not ast.unparse(node.func).startswith(("same.tell", "same.once")):
                continue
            for command in [each.value for each in ast.walk(node.args[1]) if isinstance(each, ast.Constant)]:
                yield path.name, str(command), {word.arg for word in node.keywords if word.arg}


def test_every_command_that_is_told_exists_and_takes_what_it_is_told_with() -> None:
    told = list(commands_told())
    assert len(told) > 80
    wrong = []
    for file, command, given in told:
        found: Any = commands(command.split()[0])
        for word in command.split():
            found = found.commands.get(word) if found is not None else None
        known = {parameter.name for parameter in found.params} if found is not None else set()
        if found is None or given - known:
            wrong.append((file, command, given - known))
    assert wrong == []
    for menu in menus.found():
        for command in getattr(menu, "SAME", {}).values():
            assert same.line_of(command) if command.split()[0] != "logger" else True


def test_no_command_takes_a_secret_as_an_argument() -> None:
    """What is told can hold none: passwords and addresses of alerts are read from standard input."""
    names: set[str] = set()
    for group in program_menus.found():
        tree: Any = commands(group)
        names |= {parameter.name for command in leaves(tree) for parameter in command.params}
    secret = re.compile("password|secret|private|token|seed_phrase|mnemonic")
    assert {name for name in names if secret.search(name)} == {"password_stdin", "secret_stdin"}


def leaves(command: Any) -> Iterator[Any]:
    if hasattr(command, "commands"):
        for each in command.commands.values():
            yield from leaves(each)
    else:
        yield command


@pytest.mark.parametrize(
    ("command", "given", "line"),
    [
        ("payout plan", {"pool": "12.5", "by": "users", "netuid": "0"}, "run.py payout plan --pool 12.5"),
        ("payout send", {"batch_id": 3, "password_stdin": True}, "run.py payout send 3 --password-stdin"),
        ("users end", {"name": "o'neil; rm -rf ~", "yes": True}, "run.py users end 'o'\"'\"'neil; rm -rf ~' --yes"),
        ("users end", {"name": "-x", "yes": True}, "run.py users end --yes -- -x"),
        ("payout void", {"batch_id": 1, "reason": "--why"}, "run.py payout void 1 --reason=--why"),
        ("payout begin-after", {"block": 0}, "run.py payout begin-after 0"),
        ("payout release", {"whom": ["ann b", "bob"]}, "run.py payout release 'ann b' bob"),
    ],
)
def test_a_line_is_quoted_for_a_shell_and_leaves_out_what_goes_without_saying(
    command: str, given: dict[str, Any], line: str
) -> None:
    assert same.line_of(command, **given) == line
    words = shlex.split(line)[1:]
    tree: Any = commands(words[0])
    leaf = tree.commands[words[0]].commands[words[1]]
    read = leaf.make_context(words[1], words[2:]).params
    assert {name: read[name] for name in given} == {
        name: tuple(value) if isinstance(read[name], tuple) else value for name, value in given.items()
    }


def test_a_parameter_that_a_command_lacks_is_a_fault() -> None:
    with pytest.raises(ValueError, match="has no size"):
        same.line_of("payout plan", pool="1", size="3")
    with pytest.raises(ValueError, match="needs pool"):
        same.line_of("payout plan")


def test_what_a_terminal_would_obey_is_not_shown_as_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    same.tell(Ui(), "users end", name="ann\x1b[2J")
    assert capsys.readouterr().err == ""
