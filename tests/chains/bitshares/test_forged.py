"""Nodes that lie about blocks: what does not fit is no answer, its node is named and left, and the next is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chains.bitshares.lying import Liar, Rewritten, in_blocks
from valtrac.chains.bitshares import connect
from valtrac.chains.bitshares.bodies import Forged, Sealed
from valtrac.chains.bitshares.witnesses import UNSEEN_BLOCKS, Following, as_of
from valtrac.core.chain import Roster
from valtrac.core.errors import ChainUnreachable
from valtrac.devnet import bitshares
from valtrac.devnet.bitshares import keys, witnesses

CUSTODIAN, ANN = "1.2.6", "1.2.7"


class Kept:
    """Rosters in memory, as a database keeps them."""

    def __init__(self, *rosters: Roster) -> None:
        self.rosters = list(rosters)

    def load(self) -> list[Roster]:
        return list(self.rosters)

    def save(self, roster: Roster) -> None:
        self.rosters.append(roster)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "chain.sqlite"
    people = [bitshares.dev_account(name, satoshi=10**12) for name in ("custodian", "ann", "bob")]
    bitshares.seed(made, accounts=people, pace="manual")
    return made


@pytest.fixture
def opened() -> Iterator[Callable[..., connect.BitSharesChain]]:
    """Chains over some nodes, begun while these were still honest."""
    chains = []

    def opening(*servers: Any, begun: bool = True) -> connect.BitSharesChain:
        chain = connect.open_node([server.url for server in servers], network="test", timeout_s=10)
        chains.append(chain)
        if begun:
            chain.finalized()
        return chain

    yield opening
    for chain in chains:
        chain.close()


def paid(path: Path, count: int = 3) -> int:
    """Some transfers to the custodian in a block, which is irreversible now; its number."""
    for number in range(count):
        bitshares.transfer(path, "ann", "custodian", 100 + number, "three_months")
    number = bitshares.produce(path, 1)
    bitshares.produce(path, 6)
    return number


def read(chain: connect.BitSharesChain, last: int | None = None) -> list[int]:
    """The amounts that the chain says came in."""
    last = last or chain.finalized().number
    return [one.units for block in chain.transfers(1, last, CUSTODIAN) for one in block.transfers]


def first_op(block: Any) -> Any:
    return block["transactions"][0]["operations"][0][1]


LIES = {
    "another amount": lambda block: first_op(block)["amount"].update(amount=10**9),
    "another sender": lambda block: first_op(block).update({"from": "1.2.8"}),
    "another memo": lambda block: first_op(block)["memo"].update(message="00" * 32),
    "one left out": lambda block: block["transactions"].pop(0),
    "all left out": lambda block: block["transactions"].clear(),
    "one twice": lambda block: block["transactions"].append(block["transactions"][0]),
    "another order": lambda block: block["transactions"].reverse(),
    "told as something unknown": lambda block: block["transactions"][0].update(operations=[[77, {}]]),
    "another time": lambda block: block.update(timestamp="2031-01-01T00:00:00"),
    "another witness": lambda block: block.update(witness="1.6.1" if block["witness"] != "1.6.1" else "1.6.2"),
    "another parent": lambda block: block.update(previous=block["previous"][:8] + "ab" * 16),
    "another signature": lambda block: block.update(witness_signature="20" + "11" * 64),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_block_that_does_not_fit_is_no_answer(
    path: Path, opened: Callable[..., connect.BitSharesChain], lie: str
) -> None:
    with Liar(path) as liar:
        chain = opened(liar)
        number = paid(path)
        assert read(chain) == [100, 101, 102]
        liar.lie = in_blocks(LIES[lie])
        for question in (lambda: read(chain), lambda: chain.block(number)):
            with pytest.raises(ChainUnreachable, match=r"127\.0\.0\.1 says cannot be trusted"):
                question()


@pytest.mark.parametrize("lie", LIES)
def test_the_next_node_is_asked_where_one_lies(
    path: Path, opened: Callable[..., connect.BitSharesChain], lie: str
) -> None:
    with Liar(path) as liar, Liar(path) as honest:
        chain = opened(liar, honest)
        number = paid(path)
        liar.lie = in_blocks(LIES[lie])
        assert read(chain) == [100, 101, 102]
        assert len(chain.block(number).tx_ids) == 3
        assert honest.log and not any(one["params"][1] == "broadcast_transaction" for one in honest.log)


def test_blocks_that_are_replaced_while_they_are_read_are_no_lie(
    path: Path, opened: Callable[..., connect.BitSharesChain]
) -> None:
    forked = False

    def fork_once(method: str, args: list[Any], answer: Any) -> Any:
        nonlocal forked
        status = bitshares.status(path)
        if method == "get_block" and args[0] == status["head"] and not forked:
            forked = True
            bitshares.fork(path, 1)
            bitshares.produce(path, 1)
        return answer

    with Liar(path) as node:
        chain = opened(node)
        paid(path)
        node.lie = fork_once
        last = bitshares.status(path)["head"] + 1
        blocks = list(chain.transfers(1, last, CUSTODIAN))
        assert [one.number for one in blocks] == list(range(1, last + 1)) and forked
        assert [one.units for block in blocks for one in block.transfers] == [100, 101, 102]


def test_a_lie_in_the_middle_of_a_stream_is_left_there_and_every_block_comes_once(
    path: Path, opened: Callable[..., connect.BitSharesChain]
) -> None:
    with Liar(path) as liar, Liar(path) as honest:
        chain = opened(liar, honest)
        for _ in range(5):
            bitshares.transfer(path, "ann", "custodian", 5)
            bitshares.produce(path, 40)
        told: list[int] = []
        liar.lie = lambda method, args, answer: (
            {**answer, "transactions": []} if method == "get_block" and args[0] > 100 else answer
        )
        last = chain.finalized().number
        for block in chain.transfers(1, last, CUSTODIAN):
            told.append(block.number)
        assert told == list(range(1, last + 1))
        assert read(chain) == [5] * 5


def test_blocks_of_keys_that_are_no_witnesses_are_not_irreversible_however_well_they_fit(
    path: Path, opened: Callable[..., connect.BitSharesChain]
) -> None:
    with Liar(path) as liar:
        chain = opened(liar)
        bitshares.produce(path, 10)
        at = paid(path)
        liar.lie = Rewritten(path, at, lambda block: first_op(block)["amount"].update(amount=10**9))
        assert chain.finalized().number < at  # what it tells is not what witnesses have built on
        assert read(chain) == []


@pytest.mark.parametrize("stolen", [(1,), (2, 4)])
def test_a_few_stolen_keys_make_nothing_irreversible(
    path: Path, opened: Callable[..., connect.BitSharesChain], stolen: tuple[int, ...]
) -> None:
    with Liar(path) as liar:
        chain = opened(liar)
        at = paid(path)
        lie = Rewritten(path, at, lambda block: first_op(block)["amount"].update(amount=10**9), stolen=stolen)
        liar.lie = lie
        bitshares.produce(path, 30)
        with pytest.raises(ChainUnreachable):
            read(chain)
        with pytest.raises(ChainUnreachable):
            read(chain, at + 20)


def test_what_enough_witnesses_sign_is_believed_so_the_test_of_forging_forges_well(
    path: Path, opened: Callable[..., connect.BitSharesChain]
) -> None:
    with Liar(path) as liar:
        chain = opened(liar)
        at = paid(path)
        liar.lie = Rewritten(
            path, at, lambda block: first_op(block)["amount"].update(amount=10**9), stolen=(1, 2, 3, 4)
        )
        assert read(chain, at + 2) == [10**9, 101, 102]


def test_a_block_is_not_irreversible_by_the_word_of_a_node(
    path: Path, opened: Callable[..., connect.BitSharesChain]
) -> None:
    with Liar(path) as liar:
        chain = opened(liar)
        paid(path)
        true = bitshares.status(path)["lib"]
        liar.lie = lambda method, _args, answer: (
            {**answer, "last_irreversible_block_num": answer["head_block_number"]}
            if method == "get_dynamic_global_properties"
            else answer
        )
        assert chain.finalized().number == true


def test_a_history_that_does_not_arrive_at_the_start_is_not_believed(
    path: Path, opened: Callable[..., connect.BitSharesChain]
) -> None:
    at = paid(path)
    with Liar(path) as liar:
        chain = opened(liar)
        start = chain.finalized().number
        assert read(chain, start) == [100, 101, 102]
        liar.lie = Rewritten(path, at, lambda block: first_op(block)["amount"].update(amount=10**9))
        with pytest.raises(ChainUnreachable, match="cannot be trusted"):
            read(chain, start)


def test_a_witness_that_changes_its_key_is_followed_and_its_old_key_counts_no_more(
    path: Path, opened: Callable[..., connect.BitSharesChain]
) -> None:
    with Liar(path) as liar:
        chain, kept = opened(liar, begun=False), Kept()
        chain.blocks.store = kept
        chain.finalized()
        bitshares.Client(path).change_signing_key(2, by="ann")
        bitshares.produce(path, 40)
        last = chain.finalized().number
        assert len(list(chain.transfers(1, last, CUSTODIAN))) == last
        first, second = kept.rosters
        assert {w for w in first.keys if first.keys[w] != second.keys[w]} == {"1.6.2"}
        again = opened(liar, begun=False)
        again.blocks.store = kept
        assert again.finalized().number == last
        assert len(list(again.transfers(first.block + 1, last, CUSTODIAN))) == last - first.block


def test_all_keys_may_change_one_after_the_other_even_while_nobody_reads(
    path: Path, opened: Callable[..., connect.BitSharesChain]
) -> None:
    with Liar(path) as liar:
        chain = opened(liar)
        for witness in (1, 2, 3, 4):
            bitshares.Client(path).change_signing_key(witness, by="ann")
            bitshares.produce(path, 100)
        assert chain.finalized().number == bitshares.status(path)["lib"]


def test_a_witness_that_was_voted_out_makes_blocks_final_a_little_later_and_stops_nothing(
    path: Path, opened: Callable[..., connect.BitSharesChain]
) -> None:
    with Liar(path) as node:
        chain, kept = opened(node, begun=False), Kept()
        chain.blocks.store = kept
        chain.finalized()
        (start,) = kept.rosters
        kept.rosters[0] = Roster(start.block, start.block_id, {**start.keys, "1.6.9": "02" * 33})
        again = opened(node, begun=False)
        again.blocks.store = kept
        at = paid(path)
        status = bitshares.status(path)
        assert again.finalized().number == status["lib"] - 1
        assert read(again, status["head"]) == [100, 101, 102]
        assert len(again.block(at).tx_ids) == 3
        assert again.block(status["lib"]).head.number == status["lib"]


def test_the_start_is_kept_and_not_asked_for_again(path: Path, opened: Callable[..., connect.BitSharesChain]) -> None:
    with Liar(path) as node:
        chain, kept = opened(node, begun=False), Kept()
        chain.blocks.store = kept
        chain.finalized()
        (start,) = kept.rosters
        assert start.keys == {f"1.6.{n}": keys.key_bytes(witnesses.public(n, 0)).hex() for n in (1, 2, 3, 4)}
        asked = len(node.log)
        again = opened(node, begun=False)
        again.blocks.store = kept
        again.finalized()
        assert not any(one["params"][1] == "get_global_properties" for one in list(node.log)[asked:])


def test_two_nodes_have_to_agree_on_the_start(path: Path, opened: Callable[..., connect.BitSharesChain]) -> None:
    other: dict[str, Any] = {"method": "get_objects", "answer": None}

    def lie(method: str, args: list[Any], answer: Any) -> Any:
        if method == other["method"] and answer:
            return other["answer"](answer)
        return answer

    with Liar(path) as first, Liar(path, lie) as second:
        chain, kept = opened(first, begun=False), Kept()
        chain.blocks.store, chain.second = kept, opened(second, begun=False)
        bad_key = bitshares.dev_public("liar", "signing")
        for method, answer in (
            ("get_objects", lambda found: [{**found[0], "signing_key": bad_key}, *found[1:]]),
            ("get_global_properties", lambda found: {**found, "active_witnesses": ["1.6.1"]}),
            ("get_block", lambda found: {**found, "timestamp": "2031-01-01T00:00:00"}),
        ):
            other.update(method=method, answer=answer)
            with pytest.raises(ChainUnreachable, match="cannot be trusted"):
                chain.finalized()
            assert kept.rosters == []
        other.update(method="")
        chain.finalized()
        assert len(kept.rosters) == 1


def test_what_nobody_here_can_write_is_asked_for_by_its_bytes(
    path: Path, opened: Callable[..., connect.BitSharesChain], monkeypatch: pytest.MonkeyPatch
) -> None:
    from valtrac.chains.bitshares import operations

    bitshares.foreign(path, "ann", "custodian", 11)
    at = paid(path)
    monkeypatch.delitem(operations._KINDS, 35)
    with Liar(path) as liar:
        chain = opened(liar)
        assert read(chain) == [11, 100, 101, 102]
        assert len(chain.block(at).tx_ids) == 4
        liar.lie = lambda method, _args, answer: answer[:-2] + "00" if method == "get_transaction_hex" else answer
        with pytest.raises(ChainUnreachable, match="cannot be trusted"):
            read(chain)
        liar.lie = in_blocks(lambda block: block["transactions"][0]["operations"][1][1]["amount"].update(amount=12))
        with pytest.raises(ChainUnreachable, match="cannot be trusted"):
            read(chain)


# What is followed, without a node


def block(number: int, witness: int, *, key: bytes | None = None, previous: str | None = None, **more: Any) -> Sealed:
    from datetime import UTC, datetime, timedelta

    own = f"{number:08x}" + "11" * 16
    before = previous or f"{number - 1:08x}" + "11" * 16
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=3 * number)
    return Sealed(number, own, before, at, f"1.6.{witness}", key or bytes([witness]) * 33, **more)


def roster(count: int, at: int = 0) -> Roster:
    return Roster(at, "", {f"1.6.{n}": (bytes([n]) * 33).hex() for n in range(1, count + 1)})


@pytest.mark.parametrize(("count", "back"), [(1, 0), (2, 1), (3, 2), (4, 2), (10, 6), (21, 14), (27, 18)])
def test_irreversible_is_what_seventy_percent_have_built_on(count: int, back: int) -> None:
    following = Following(roster(count))
    final = [one.number for n in range(1, 201) for one in following.push(block(n, n % count + 1))]
    assert final == list(range(1, 201 - back))


def test_one_witness_alone_makes_nothing_irreversible() -> None:
    following = Following(roster(7))
    assert [following.push(block(n, 4)) for n in range(1, 101)] == [[]] * 100


def test_a_key_that_is_not_the_witness_s_counts_for_nothing() -> None:
    following = Following(roster(4))
    for n in range(1, 50):
        assert following.push(block(n, n % 4 + 1, key=b"\x09" * 33)) == []


def test_a_new_witness_is_known_once_the_others_have_built_on_its_block() -> None:
    following = Following(roster(10))
    done = [one for n in range(1, 60) for one in following.push(block(n, n % 11 + 1))]
    news = following.news()
    assert news is not None and "1.6.11" in news.keys
    assert done and news.block == done[-1].number
    assert following.news() is None


def test_who_has_not_signed_for_a_day_is_not_counted_any_more() -> None:
    following = Following(roster(10))
    number = 0
    for number in range(1, UNSEEN_BLOCKS + 2_100):
        following.push(block(number, number % 9 + 1))
    assert "1.6.10" not in following.keys and len(following.keys) == 9


def test_blocks_that_do_not_link_are_forged() -> None:
    for bad in (
        block(5, 1, previous="00000004" + "22" * 16),
        block(6, 1, previous="00000004" + "11" * 16),
        block(4, 1),
    ):
        following = Following(roster(4))
        following.push(block(4, 1))
        with pytest.raises(Forged):
            following.push(bad)


def test_an_update_in_a_block_that_nobody_built_on_changes_nothing() -> None:
    following = Following(roster(4))
    following.push(block(1, 1, rekeyed=(("1.6.2", b"\x09" * 33), ("1.6.3", b"\x09" * 33), ("1.6.4", b"\x09" * 33))))
    for n in range(2, 30):
        assert following.push(block(n, n % 4 + 1, key=b"\x09" * 33)) == []


def test_a_roster_is_taken_as_of_the_block_that_is_read() -> None:
    rosters = [roster(4, 10), roster(5, 20), roster(6, 30)]
    assert [as_of(rosters, n).block for n in (1, 10, 11, 20, 21, 30, 31, 99)] == [10, 10, 10, 10, 20, 20, 30, 30]
    for size in (0, 1_001):
        with pytest.raises(ValueError):
            Roster(1, "", {f"1.6.{n}": "00" for n in range(size)})
