"""A delegate's payment proven: from its coins to the receipt; whatever is changed in the proof is found."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.pool.ledger_world import COIN, NOON, credited, looked, opened
from valtrac.core.chain import Head, SignedTx
from valtrac.core.errors import BadInput
from valtrac.database.engine import writing
from valtrac.payments.model.states import AttemptState, BatchState, LineState
from valtrac.payments.store import attempts, batches, ledger
from valtrac.pool import proofs
from valtrac.pool.model import verify_proof
from valtrac.pool.model.states import Booking
from valtrac.pool.store import book, paydays
from valtrac.pool.store.book import Entry

ANN = "QannA"


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Two rewards, one of them with dust left over, and a payday at a fee of 12 %."""
    engine = opened(tmp_path_factory.mktemp("proof"))
    for number in (1, 2):
        credited(engine, looked(number, reward=40_000_001), {ANN: 100 * COIN, "QbobB": 200 * COIN})
    gross = 2 * (40_000_001 * 100 // 300)
    net = gross * 88 // 100
    line = {"name": ANN, "person": f"delegate:{ANN}", "address": ANN, "from_pool": net, "released": 0}
    with writing(engine) as conn:
        batch_id = batches.insert_draft(
            conn,
            producer="pool",
            wallet="Q",
            total=net,
            fee=0,
            spec={},
            plan={},
            inputs_hash="",
            lines=[{**line, "fee_share": 0, "amount": net}],
        )
        batches.set_state(conn, batch_id, BatchState.DRAFT, BatchState.APPROVED, approved_at=NOON, note="")
        (stored,) = batches.lines_of(conn, batch_id)
        batches.move_lines(conn, [stored.id], LineState.PLANNED, LineState.OWED)
        tx = SignedTx("ab" * 32, b"raw", "Q", 0, 1, "h", 2**62, 0)
        attempt_id = attempts.open_attempt(conn, batch_id, [stored], tx, Head(1, "h", "p", NOON))
        attempt = attempts.unresolved(conn)[0]
        attempts.resolve(conn, attempt, AttemptState.LANDED, head=Head(2, "h2", "h", NOON))
        body = {"batch": batch_id, "line": stored.id, "address": ANN, "amount_satoshi": net, "tx_id": tx.tx_id}
        ledger.add_receipts(conn, attempt_id, [(stored.id, body)])
        values = {"height": 1, "batch_id": batch_id, "fee_bps": 1_200, "minimum": 1, "revenue": 0, "paid": net}
        payday_id = paydays.add(
            conn,
            {
                **values,
                "due_at": NOON + timedelta(hours=12),
                "carried": 0,
                "delegates_paid": 1,
                "delegates_carried": 0,
                "at": NOON,
            },
        )
        book.add(conn, [Entry(ANN, Booking.PAYDAY, -gross)], payday_id=payday_id)
    with pytest.raises(BadInput, match="was not paid yet"):
        proofs.proof(engine, "QbobB")
    return json.loads(json.dumps(proofs.proof(engine, ANN)))  # type: ignore[no-any-return]


def test_it_follows(proof: dict[str, Any]) -> None:
    assert verify_proof.problems(proof) == []
    assert len(proof["rewards"]) == 2
    assert proof["carried_in_satoshi"] == 0


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("net_satoshi",), 1, "were due"),
        (("fee_bps",), 0, "were due"),
        (("gross_satoshi",), 5, "the shares come to"),
        (("delegate",), "Qelse", "another's"),
        (("rewards", 0, "share_satoshi"), 1, "the share is"),
        (("rewards", 0, "whole_weight_satoshi"), 1, "the coins weigh"),
        (("rewards", 0, "coins", 0, "satoshi"), 24 * COIN, "smaller than what counts"),
        (("rewards", 0, "coins", 0, "height"), 6_300_000, "not old enough"),
        (("receipt", "previous_hash"), "x", "seal is broken"),
        (("receipt", "body", "tx_id"), "other", "seal is broken"),
    ],
)
def test_what_is_changed_is_found(proof: dict[str, Any], path: tuple[Any, ...], value: object, words: str) -> None:
    changed = copy.deepcopy(proof)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert any(words in problem for problem in verify_proof.problems(changed))


def test_a_coin_does_not_count_twice(proof: dict[str, Any]) -> None:
    changed = copy.deepcopy(proof)
    changed["rewards"][0]["coins"] *= 2
    assert any("twice" in problem for problem in verify_proof.problems(changed))


def test_the_script_needs_nothing_but_python(proof: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof), encoding="utf-8")
    script = Path(verify_proof.__file__)
    said = subprocess.run([sys.executable, "-I", str(script), str(file)], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("Good")
