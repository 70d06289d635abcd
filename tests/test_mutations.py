"""`make mutants` breaks code that is there: each place is found as it stands."""

from __future__ import annotations

import pytest

from tests.homes import CHECKOUT
from tests.mutants import MUTATIONS
from tests.mutations import Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_the_place_of_a_mutation_is_in_the_code_and_its_tests_exist(mutation: Mutation) -> None:
    text = (CHECKOUT / mutation.file).read_text(encoding="utf-8")
    assert mutation.old in text and mutation.new != mutation.old
    if mutation.file.endswith(".py"):
        compile(text.replace(mutation.old, mutation.new), mutation.file, "exec")  # broken in what it does, not in form
    assert (CHECKOUT / mutation.tests).exists()


def test_no_two_mutations_have_one_name() -> None:
    assert len({one.name for one in MUTATIONS}) == len(MUTATIONS) > 50
