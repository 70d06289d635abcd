"""Which keeps there are: every block once, in pieces, through providers with limits, whoever the operators are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.keeps.places import BTC, COIN, Place, Places
from valtrac.core.errors import BadInput, Refused
from valtrac.database.engine import reading
from valtrac.devnet.tbtc.deposits import LocalDeposit
from valtrac.keeps import cycle
from valtrac.keeps.discovery import discover, import_cache
from valtrac.keeps.store import keeps as store

KEYS = ("0x" + "11" * 20, "0x" + "22" * 20)


def known(place: Place) -> list[str]:
    with reading(place.watching.engine) as conn:
        return [keep.deposit for keep in store.listed(conn, over=True)]


def cursor(place: Place) -> int:
    with reading(place.watching.engine) as conn:
        read_to = store.read_to(conn)
    return -1 if read_to is None else read_to[1]


def addresses(*deposits: LocalDeposit) -> list[str]:
    return [each.deposit.lower() for each in deposits]


def old_cache(*deposits: LocalDeposit, **changed: Any) -> str:
    """As the old bot wrote it; changed: in each."""
    entries = {}
    for each in deposits:
        entry = {"block": 1, "deposit": each.deposit, "tdt": each.deposit, "lot": "1.0", "signers": list(each.members)}
        entries[each.keep.lower()] = entry | changed
    return json.dumps(entries)


@pytest.fixture
def limited(places: Places, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Place, list[tuple[int, int]]]]:
    """A watch whose provider gives events of no more than four blocks at once, and the ranges that it was asked for."""
    place = places.new(VALTRAC_KEEPS_CHUNK_BLOCKS="50")
    chain: Any = place.watching.first.chain
    real, asked = chain.failover.make_request, list[tuple[int, int]]()

    def make_request(method: str, params: Any) -> Any:
        if method == "eth_getLogs":
            first, last = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
            if last - first >= 4:
                error = {"code": -32005, "message": "query returned more than 10000 results"}
                return {"jsonrpc": "2.0", "id": 1, "error": error}
            asked.append((first, last))
        return real(method, params)

    monkeypatch.setattr(chain.failover, "make_request", make_request)
    yield place, asked


def test_every_block_is_read_once_in_ranges_that_a_limited_provider_gives(
    limited: tuple[Place, list[tuple[int, int]]], one: LocalDeposit
) -> None:
    place, asked = limited
    found = discover(place.watching)
    assert (found.new, found.behind, known(place)) == (1, 0, addresses(one))
    assert asked[0][0] == 0 and asked[-1][1] == found.to_block == place.watching.final_head().number
    assert [first for first, _ in asked[1:]] == [last + 1 for _, last in asked[:-1]]


def test_pieces_are_gone_on_with_after_the_process_has_ended(places: Places, one: LocalDeposit) -> None:
    place = places.new(VALTRAC_KEEPS_CHUNK_BLOCKS="10")
    first = discover(place.watching, pieces=1)
    assert (first.to_block, cursor(place)) == (9, 9) and first.behind > 0
    place.restart()
    assert discover(place.watching, pieces=1).to_block == 19
    done = place.round()
    assert (done.discovered.new, done.discovered.behind, known(place)) == (1, 0, addresses(one))
    [new] = place.deposit(BTC)
    assert place.round().discovered.new == 0 or known(place)[-1] == new.deposit.lower()
    place.settle()
    place.round()
    assert known(place) == addresses(one, new)
    assert discover(place.watching).new == 0


def test_keeps_of_blocks_that_were_exchanged_are_found_again(place: Place, one: LocalDeposit) -> None:
    [gone] = place.deposit(BTC)
    place.settle()
    place.round()
    assert known(place) == addresses(one, gone)
    place.chains.ethereum.reorg(3)
    place.settle()
    [new] = place.deposit(BTC)
    place.settle()
    place.round()
    assert known(place)[:1] + known(place)[-1:] == addresses(one, new)


def test_a_chain_that_was_begun_anew_is_refused(places: Places) -> None:
    place = places.new(VALTRAC_KEEPS_START_BLOCK=str(places.chains.ethereum.height() + 1))
    place.deposit(BTC)
    place.settle()
    place.round()
    with reading(place.watching.engine) as conn:
        [keep] = store.listed(conn)
    place.chains.ethereum.reorg(place.chains.ethereum.height() - keep.block + 1)
    place.settle()
    with pytest.raises(Refused, match="another one on this chain now"):
        place.round()


def test_operators_are_watched_for_whatever_the_case_and_all_means_everybody(places: Places, one: LocalDeposit) -> None:
    strangers = [who for who in places.chains.system.operators if who not in one.members]
    for operators, own in (
        (one.members[0].lower(), one.members.count(one.members[0])),
        (one.members[0].upper().replace("X", "x"), one.members.count(one.members[0])),
        ("all", 3),
        (strangers[0], 0),
    ):
        place = places.new(VALTRAC_KEEPS_OPERATORS=operators)
        watched = place.round(locked=True).look.watched
        assert [each.own for each in watched] == ([own] if own else [])
        assert all(each.value == each.keep.bond * own // 3 for each in watched)


def test_the_old_cache_is_a_hint_that_is_watched_and_redeemed_only_once_its_creation_was_read(
    places: Places, one: LocalDeposit
) -> None:
    place = places.new(tbtc=2, VALTRAC_KEEPS_CHUNK_BLOCKS="10")
    told = import_cache(place.watching, old_cache(one, state="ACTIVE", collateralization=150))
    assert (told.keeps, told.new, told.with_state, known(place)) == (1, 1, 1, addresses(one))
    place.percent(124)
    place.settle()
    early = cycle.run(place.watching, place.payer, pieces=1)
    assert early.look.watched[0].now.percent == 124
    assert early.plan is not None and "known from the old cache alone" in early.plan.left[0].words
    assert (early.sent, place.tbtc()) == ([], 2 * COIN)
    assert len(place.round().sent) == 2


def test_a_deposit_that_only_a_forged_cache_names_is_never_paid(places: Places, one: LocalDeposit) -> None:
    """Whoever hands out a keeps.json could name a contract of his own, and be allowed TBTC by an approval."""
    place = places.new(tbtc=2)
    forged = json.loads(old_cache(one))
    import_cache(place.watching, json.dumps({KEYS[0]: {**next(iter(forged.values())), "deposit": KEYS[1]}}))
    assert known(place) == [KEYS[1]]
    place.percent(124)
    place.settle()
    place.round()
    assert [each.deposit for each in place.redemptions()] == addresses(one)
    assert not any(KEYS[1] in line.memo for line in place.lines())


def test_a_cache_that_contradicts_the_factory_is_told_and_hides_no_keep(places: Places, one: LocalDeposit) -> None:
    place = places.new()
    import_cache(place.watching, old_cache(one, deposit=KEYS[1]))
    with pytest.raises(Refused, match="the old cache said otherwise"):
        place.round(locked=True)


def test_a_trial_import_takes_nothing_over_and_a_wrong_file_names_each_row(place: Place, one: LocalDeposit) -> None:
    assert import_cache(place.watching, old_cache(one), dry_run=True).new == 1
    assert known(place) == []
    with pytest.raises(BadInput) as wrong:
        import_cache(place.watching, old_cache(one, lot=1))
    assert list(wrong.value.problems) == [f'{one.keep.lower()}: lot is BTC in a string, such as "0.01"']
    assert known(place) == []


def test_a_look_takes_two_questions_a_keep_in_batches_of_a_hundred(places: Places, one: LocalDeposit) -> None:
    proxy = places.proxy()
    place = places.new(urls=(proxy.url,))
    place.deposit(*[10**6] * 2)
    place.settle()
    place.round(locked=True)
    before, asked = proxy.posts, len(proxy.log)
    place.round(locked=True)
    calls = [method for method, _ in list(proxy.log)[asked:] if method == "eth_call"]
    assert len(calls) <= 3 * 2 + 4  # and what the wallet has, twice
    assert proxy.posts - before < 20
