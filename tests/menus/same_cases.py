"""What is done in the menus, with what there is before, the keys, and the commands that are shown for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.menus.conftest import ENTER, line, pick
from tests.payout_world import World, address
from valtrac.database.engine import reading
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
