"""What a connection remembers of the chain: never longer than it is so."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.devnet.bittensor.conftest import Bench
from valtrac.devnet.bittensor import faults, memory, produce, state


def test_what_another_connection_wrote_is_seen_at_the_next_look(bench: Bench) -> None:
    with closing(state.connect(bench.path)) as db:
        before = state.head(db).number, state.settings(db).finalized, faults.fault(db, "down")
        produce.advance(bench.path, 3)
        faults.misbehave(bench.path, down=7)
        memory.look(db)
        after = state.head(db).number, state.settings(db).finalized, faults.fault(db, "down")
    assert before == (0, 0, None)
    assert after[0] == 3 and after[1] > 0 and after[2] == 7


def test_every_access_and_every_transaction_looks(bench: Bench) -> None:
    with closing(state.connect(bench.path)) as db:
        for number, begun in enumerate((state.writing, state.reading), start=1):
            assert state.head(db).number == number - 1
            produce.advance(bench.path, 1)
            with begun(db):
                assert state.head(db).number == number
    assert bench.ask("block_number") == 2
    produce.advance(bench.path, 1)
    assert bench.ask("block_number") == 3


def test_what_it_wrote_itself_is_seen_at_once(bench: Bench) -> None:
    with closing(state.connect(bench.path)) as db, state.writing(db):
        assert state.settings(db).salt == 0
        state.put_setting(db, "salt", 5)
        assert state.settings(db).salt == 5
        produce.grow(db, 2)
        assert state.head(db).number == 2


def test_what_was_taken_back_is_forgotten(bench: Bench) -> None:
    with closing(state.connect(bench.path)) as db:
        with pytest.raises(KeyError), state.writing(db):
            state.put_setting(db, "salt", 5)
            produce.grow(db, 2)
            assert (state.settings(db).salt, state.head(db).number) == (5, 2)
            raise KeyError
        assert (state.settings(db).salt, state.head(db).number) == (0, 0)
