"""A payment is explained down to its snapshots, and proven to someone who has only the file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.payout_world import World, address
from valtrac.core.errors import BadInput
from valtrac.database.engine import writing
from valtrac.payments.audit import audit
from valtrac.payouts import proofs
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.people import referrals


@pytest.fixture
def paid(world: World) -> tuple[World, PayoutBatch]:
    """A settled batch with a tree of referrals three layers deep and a rate that changed in between."""
    world.people().day(2)
    referrals.add(world.engine, "u001", "u002", 2500)
    referrals.add(world.engine, "u002", "u003", 1000)
    referrals.add(world.engine, "u002", "u004", 1000)
    referrals.edit_rate(world.engine, "u001", 5000)
    world.day(2)
    batch = world.approved()
    world.send(batch)
    return world, batch


@pytest.mark.parametrize("user", ["u001", "u002", "u003", "u007"])
def test_every_payment_has_a_proof_that_holds(paid: tuple[World, PayoutBatch], tmp_path: Path, user: str) -> None:
    world, batch = paid
    made = proofs.write_proof(world.engine, batch.id, user, tmp_path / "proof.json")
    assert proofs.verify(tmp_path / "proof.json") == (made, [])
    assert made["amount_rao"] == str(next(line.amount for line in batch.payout.lines if line.user == user))
    assert made["receipt"] is not None


def test_the_script_beside_it_checks_a_proof_without_this_program(
    paid: tuple[World, PayoutBatch], tmp_path: Path
) -> None:
    world, batch = paid
    proofs.write_proof(world.engine, batch.id, "u002", tmp_path / "proof.json", with_script=True)
    command = [sys.executable, "-I", "-S", "verify_proof.py", "proof.json"]
    good = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (good.returncode, good.stdout[:15]) == (0, "good: u002 was ")
    text = (tmp_path / "proof.json").read_text()
    (tmp_path / "proof.json").write_text(text.replace('"amount_rao": "', '"amount_rao": "1'))
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize(
    "name",
    [
        "weight",
        "whole_weight",
        "from_pool_rao",
        "released_rao",
        "amount_rao",
        "pool_rao",
        "fee_from_pool_rao",
        "address",
        "user",
    ],
)
def test_a_changed_figure_is_noticed(paid: tuple[World, PayoutBatch], tmp_path: Path, name: str) -> None:
    world, batch = paid
    made = proofs.write_proof(world.engine, batch.id, "u002", tmp_path / "proof.json")
    changed = {**made, name: str(int(made[name]) * 2 + 1) if made[name].isdecimal() else "u003"}
    (tmp_path / "proof.json").write_text(json.dumps(changed))
    assert proofs.verify(tmp_path / "proof.json")[1]


def test_a_changed_stake_rate_or_total_is_noticed(paid: tuple[World, PayoutBatch], tmp_path: Path) -> None:
    world, batch = paid
    made = proofs.write_proof(world.engine, batch.id, "u002", tmp_path / "proof.json")

    def stake(proof: dict[str, Any]) -> None:
        first = next(iter(proof["stretches"][0]["stakes"].values()))
        first[0] = str(int(first[0]) + 10**9)

    def rate(proof: dict[str, Any]) -> None:
        proof["stretches"][-1]["tree"]["u003"][1] += 1

    def total(proof: dict[str, Any]) -> None:
        proof["stretches"][0]["moments"][0]["total"] = "1"

    def seal(proof: dict[str, Any]) -> None:
        proof["receipt"]["body"] = proof["receipt"]["body"].replace('"block":', '"block": ')

    for change in (stake, rate, total, seal):
        other = json.loads(json.dumps(made))
        change(other)
        (tmp_path / "proof.json").write_text(json.dumps(other))
        assert proofs.verify(tmp_path / "proof.json")[1], change.__name__


def test_an_explanation_names_base_taxes_and_weight(paid: tuple[World, PayoutBatch]) -> None:
    world, batch = paid
    explained = proofs.explain(world.engine, batch.id, "u002")
    assert len(explained.explanation.steps) == 2  # the rate changed once
    for step, given in zip(explained.explanation.steps, (2500, 5000), strict=True):
        received = [tax for tax in step.taxes if tax.referrer == "u002"]
        (paid_on,) = [tax for tax in step.taxes if tax.referee == "u002"]
        assert {tax.referee for tax in received} == {"u003", "u004"}
        assert paid_on.rate_bps == given
        assert step.weight == step.base + sum(tax.units for tax in received) - paid_on.units


def test_what_is_held_is_explained_and_has_no_proof(world: World, tmp_path: Path) -> None:
    batch = world.people().day().approved(minimum=2 * 10**9)
    explained = proofs.explain(world.engine, batch.id, "u001")
    assert explained.kept == "held: below the minimum"
    with pytest.raises(BadInput, match="not paid by batch"):
        proofs.write_proof(world.engine, batch.id, "u001", tmp_path / "proof.json")


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"format": "x"}', "\x00", '{"format": "valtrac-proof-1"}'])
def test_what_is_no_proof_is_refused_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(BadInput, match="proof"):
        proofs.verify(tmp_path / "p.json")


def test_somebody_else_is_not_in_the_batch(paid: tuple[World, PayoutBatch]) -> None:
    world, batch = paid
    with pytest.raises(BadInput, match="not in batch"):
        proofs.explain(world.engine, batch.id, "zoe")


def test_an_audit_walks_the_receipts_and_finds_the_first_broken_one(paid: tuple[World, PayoutBatch]) -> None:
    world, _ = paid
    assert audit(world.engine) == (7, None)
    with writing(world.engine) as conn:
        conn.exec_driver_sql("DROP TRIGGER receipts_no_update")
        conn.exec_driver_sql("UPDATE receipts SET body = replace(body, 'u003', 'u004')")
    count, broken = audit(world.engine)
    assert count == 7
    assert broken is not None


def test_a_payout_by_nominators_is_proven_too(world: World, tmp_path: Path) -> None:
    batch = world.day().approved(by="nominators", method="stake-time")
    world.send(batch)
    proofs.write_proof(world.engine, batch.id, address(3), tmp_path / "p.json")
    assert proofs.verify(tmp_path / "p.json")[1] == []
