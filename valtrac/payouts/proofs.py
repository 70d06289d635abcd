"""Explaining a payment and proving it: from the stored batch back to the snapshots that it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from valtrac.core.errors import BadInput, Refused
from valtrac.core.home import write_for_its_owner
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.payments.model.states import BatchState, LineState
from valtrac.payments.store import batches as stored
from valtrac.payments.store import ledger
from valtrac.payouts import weighing
from valtrac.payouts.model import explain as domain
from valtrac.payouts.model import verify_proof
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.payouts.store import batches
from valtrac.people.store import people

LARGEST_PROOF_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class Explained:
    """A batch, one person's way to its amount, and its payment as stored; kept: what it is instead of one."""

    batch: PayoutBatch
    explanation: domain.Explanation
    line: dict[str, Any]
    kept: str


def explain(engine: sa.Engine, batch_id: int, user: str) -> Explained:
    """How the amount of one user (or address, in a payout by nominators) of a batch came about.

    Raises BadInput when it is not in the batch, Refused when what the batch was computed from has
    been changed since by other hands.
    """
    with reading(engine) as conn:
        batch = batches.get(conn, batch_id)
        rules = batch.rules
        if rules.by == "balances":
            raise BadInput(
                f"batch #{batch_id} pays out held balances",
                why="they come from the batches that held them",
                fix=f"see where from: run.py ledger show {plain(user)}",
            )
        terms = people.terms(conn)
        range_, before = weighing.moments(conn, batch.hotkey, rules)
        states = {stored_line.name: stored_line.state for stored_line in stored.lines_of(conn, batch_id)}
    names = {term.person: term.name for term in terms.users}
    line, kept = _line(batch, user, names)
    if states.get(line["user"]) == LineState.VOID:
        kept = "voided with the batch" if batch.state == BatchState.VOID else "set aside: it went back to the balance"
    user = names.get(line["person"], line["user"]) if rules.by == "users" else line["user"]
    explanation = domain.explain(user, rules, range_, before, terms, batch.payout.fee_from_pool)
    whole, rest, _ = explanation.exact
    withheld = kept.startswith("excluded")
    if not withheld and line["from_pool"] - whole not in ((0, 1) if rest else (0,)):
        raise Refused(
            f"batch #{batch_id} does not follow from what is stored now",
            why="its snapshots or terms differ",
            fix="compare with a backup",
        )
    return Explained(batch, explanation, line, kept)


def write_proof(
    engine: sa.Engine, batch_id: int, user: str, path: Path, *, with_script: bool = False
) -> dict[str, Any]:
    """Write the proof of one payment to a file, and beside it, where asked, the script that checks it.

    Raises BadInput when there is nothing to prove or the file cannot be written.
    """
    explained = explain(engine, batch_id, user)
    if explained.kept:
        raise BadInput(
            f"{plain(user)} is not paid by batch #{batch_id}", why=explained.kept, fix="a proof is of a payment"
        )
    batch = explained.batch
    about: dict[str, Any] = {
        "batch": batch.id,
        "genesis": batch.genesis,
        "hotkey": batch.hotkey,
        "netuid": batch.netuid,
    }
    about["receipt"] = _receipt_of(engine, batch_id, explained.line["user"])
    made = domain.proof(explained.explanation, batch.rules, explained.line, about)
    try:
        write_for_its_owner(path, f"{json.dumps(made, indent=1)}\n".encode())
        if with_script:
            write_for_its_owner(path.with_name("verify_proof.py"), Path(verify_proof.__file__).read_bytes())
    except OSError as error:
        raise BadInput(
            f"{path} cannot be written", why=plain(error.strerror), fix="choose a folder of yours"
        ) from error
    return made


def _receipt_of(engine: sa.Engine, batch_id: int, user: str) -> dict[str, Any] | None:
    """The receipt of a payment as it was sealed; None where there is none yet."""
    with reading(engine) as conn:
        for row in ledger.receipts(conn):
            if row["body"]["batch"] == batch_id and row["body"]["user"] == user:
                return {"body": row["text"], "previous_hash": row["previous_hash"], "hash": row["hash"]}
    return None


def verify(path: Path) -> tuple[dict[str, Any], list[str]]:
    """A proof from a file, and everything in it that does not follow. Raises BadInput where it is none."""
    try:
        if not path.is_file():
            raise BadInput(f"{plain(path)} is no file on a disk", fix="check the name")
        if path.stat().st_size > LARGEST_PROOF_BYTES:
            raise BadInput(f"{plain(path.name)} is too large for a proof", fix="check the name")
        loaded = json.loads(path.read_text(encoding="utf-8"))
        if loaded["format"] != domain.FORMAT:
            raise BadInput(
                f"{plain(path.name)} is a proof of another format", why=plain(loaded["format"]), fix="update ValTrac"
            )
        return loaded, verify_proof.problems(loaded)
    except OSError as error:
        raise BadInput(f"{plain(path)} cannot be read", why=plain(error.strerror), fix="check the name") from error
    except (ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError, RecursionError) as error:
        raise BadInput(
            f"{plain(path.name)} is not a proof",
            why=plain(error),
            fix="make it: run.py payout proof, or run.py pool proof",
        ) from error


def _line(batch: PayoutBatch, user: str, names: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    """The payment of a user, by the name of then or of now, or what is kept of it and why."""
    now = {name: person for person, name in names.items()}

    def is_meant(row: Mapping[str, Any]) -> bool:
        return row["user"] == user or (row["person"] == now.get(user) and row["user"] not in now)

    for line in batch.plan["lines"]:
        if is_meant(line):
            return line, ""
    for word, kept_back in (("held", batch.payout.held), ("excluded", batch.payout.excluded)):
        for kept in map(asdict, kept_back):
            if is_meant(kept):
                amounts = {"from_pool": kept["amount"], "released": 0, "fee_share": 0, "amount": kept["amount"]}
                return {**kept, "address": "", **amounts}, f"{word}: {kept['reason']}"
    raise BadInput(f"{plain(user)} is not in batch #{batch.id}", fix=f"run.py payout show {batch.id} lists who is")
