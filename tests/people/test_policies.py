"""Policies as the owner sets them: who is meant, from which block, and what becomes of a batch, a proof, the books."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.payout_world import TAO, World, address, owed
from valtrac.core.errors import BadInput, Refused
from valtrac.core.money import decimal_text
from valtrac.payments.accounts import unbalanced
from valtrac.payouts import approvals, balances, proofs
from valtrac.payouts.model import verify_proof
from valtrac.people import policies, referrals, users


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, heads=3).people()


def test_a_policy_about_earning_holds_from_the_next_snapshot_and_one_about_paying_at_once(world: World) -> None:
    world.day()
    last = policies.put(world.engine, "u001", "cut", "5%", words="as agreed")
    assert (last.whom, last.shown, last.words) == ("u001", "5%", "as agreed")
    assert last.from_block == 149  # the block after the last snapshot
    assert policies.put(world.engine, "u001", "minimum", "0.5").from_block == 0


def test_a_policy_takes_the_place_of_the_one_before_and_both_stay_on_record(world: World) -> None:
    world.send(world.day(5).approved())
    last = world.app.chain.finalized().number
    policies.put(world.engine, "u001", "cut", "5%", from_block=last + 10)
    policies.put(world.engine, "u001", "cut", "7%", from_block=last + 20)
    every = policies.listed(world.engine, ended=True)
    assert [(one.shown, one.from_block, one.until_block) for one in every] == [
        ("5%", last + 10, last + 20),
        ("7%", last + 20, None),
    ]
    assert policies.end(world.engine, "u001", "cut", from_block=last + 30) == last + 30
    with pytest.raises(BadInput, match="has no policy cut"):
        policies.end(world.engine, "u001", "cut")


@pytest.mark.parametrize(
    ("whom", "kind", "value", "words"),
    [
        ("nobody", "cut", "5%", "no user 'nobody'"),
        ("u001", "tax", "5%", "'tax' is no policy"),
        ("u001", "cut", "five", "cut: 'five'"),
        ("everyone", "redirect", address(9), "redirect is not for everyone"),
        (address(1), "cut", "5%", "is an address of u001"),
        ("u001", "redirect", "0x52908400098527886E0F7030069857D2E4169EE7", "redirect: "),
    ],
)
def test_what_cannot_be_decided_is_refused_and_nothing_changes(
    world: World, whom: str, kind: str, value: str, words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        policies.put(world.engine, whom, kind, value)
    assert policies.listed(world.engine, ended=True) == []


def test_a_least_above_the_most_would_count_nothing_and_is_refused(world: World) -> None:
    policies.put(world.engine, "u001", "max-stake", "10")
    with pytest.raises(BadInput, match="min-stake"):
        policies.put(world.engine, "u001", "min-stake", "11")


def test_the_paid_past_is_under_the_policies_of_its_time(world: World) -> None:
    world.send(world.day().approved())
    with pytest.raises(Refused, match="paid already"):
        policies.put(world.engine, "u001", "exclude", "yes", from_block=100)


def test_a_policy_in_the_range_that_comes_after_the_approval_voids_it_and_says_what_changes(world: World) -> None:
    batch = world.day().approved()
    with pytest.raises(Refused):  # the range is spoken for
        policies.put(world.engine, "u001", "exclude", "yes", from_block=50)
    draft = world.day().draft()
    policies.put(world.engine, "u002", "minimum", "7")
    with pytest.raises(Refused) as refused:
        approvals.approve(
            world.engine, world.app.settings, world.app.caps, draft.id, decimal_text(draft.total), despite="so"
        )
    assert any(words.startswith("u002: ") and words.endswith("not paid") for words in refused.value.problems)
    assert world.send(batch).state == "settled"


def test_what_is_withheld_is_in_the_books_of_the_person_and_of_whoever_has_it_now(world: World) -> None:
    policies.put(world.engine, "u001", "exclude", "yes", from_block=0)
    policies.put(world.engine, "u002", "cut", "50%", from_block=0)
    world.send(world.day().approved(fee_policy="owner"))
    books = {one.name: one for one in balances.accounts(world.engine)}
    sixth = 7 * TAO // 6
    assert abs(books["u001"].forfeited - sixth) <= 1
    assert books["pool"].accrued == books["u001"].forfeited
    assert books["owner"].accrued == books["u002"].forfeited
    assert abs(books["u002"].paid - sixth) <= 1
    assert unbalanced(world.engine) == []
    assert sum(world.received().values()) + books["pool"].accrued + books["owner"].accrued == 7 * TAO


def test_who_earns_nothing_is_explained_and_who_shares_it_is_told(world: World) -> None:
    policies.put(world.engine, "u001", "exclude", "yes", from_block=0)
    batch = world.day().draft()
    assert proofs.explain(world.engine, batch.id, "u001").kept == "excluded: excluded"
    policies.put(world.engine, "everyone", "forfeits", "everyone", from_block=0)
    shared = world.draft()
    assert "u001: excluded; what it would have got is shared by the others" in shared.payout.notes
    assert shared.payout.excluded == ()


def test_what_was_voided_or_set_aside_is_no_payment_to_prove(world: World, tmp_path: Path) -> None:
    batch = world.day().approved()
    balances.set_aside(world.engine, world.app.producer, batch.id, "u001", "wait")
    with pytest.raises(BadInput, match="is not paid by batch"):
        proofs.write_proof(world.engine, batch.id, "u001", tmp_path / "p.json")
    approvals.void(world.engine, batch.id, "the wrong pool")
    with pytest.raises(BadInput, match="is not paid by batch"):
        proofs.write_proof(world.engine, batch.id, "u002", tmp_path / "p.json")


@pytest.mark.parametrize("name", ["everyone", "*", "Owner", "pool", "unassigned"])
def test_words_that_mean_something_here_are_no_names(world: World, name: str) -> None:
    with pytest.raises(BadInput, match="means something here"):
        users.add(world.engine, name, [])


def test_a_policy_that_still_counts_for_what_is_unpaid_is_listed_beside_the_next(world: World) -> None:
    world.day()
    policies.put(world.engine, "u001", "cut", "20%", from_block=50)
    policies.put(world.engine, "u001", "cut", "30%", from_block=1000)
    assert [(one.shown, one.until_block) for one in policies.listed(world.engine)] == [("20%", 1000), ("30%", None)]


def test_a_proof_holds_under_limits_cuts_and_taxes_also_for_the_script_alone(world: World, tmp_path: Path) -> None:
    referrals.add(world.engine, "u003", "u001", 2_000)
    users.add_address(world.engine, "u001", address(50))
    policies.put(world.engine, "everyone", "cut", "10%", from_block=0)
    policies.put(world.engine, "everyone", "max-stake", "2", from_block=60)
    policies.put(world.engine, "u002", "min-stake", "1.5", from_block=0)
    policies.put(world.engine, "everyone", "forfeits", "everyone", from_block=100)
    batch = world.send(world.day(4).approved())
    for name in owed(batch):
        path = tmp_path / f"{name}.json"
        made = proofs.write_proof(world.engine, batch.id, name, path, with_script=True)
        assert verify_proof.problems(made) == []
        for field, wrong in (("kept_bps", 0), ("limits", {})):
            altered = json.loads(path.read_text())
            for stretch in altered["stretches"]:
                stretch[field] = wrong
            assert verify_proof.problems(altered) or (field == "limits" and name == "u001"), (name, field)
        done = subprocess.run(
            [sys.executable, "-I", str(tmp_path / "verify_proof.py"), str(path)], capture_output=True, text=True
        )
        assert (done.returncode, done.stdout[:4]) == (0, "good")
