"""Bitcoin by Electrum servers: what is told is proven, what is sent is sent once, and nobody is waited for too long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.chains.bitcoin.vectors import FIRST_HEADERS
from tests.chains.bitcoin.world import CLOSE, HANG, SCRIPT, Chain, Raw, Words, electrum, id_of, payment, within
from valtrac.chains.bitcoin.electrum import ElectrumNetwork
from valtrac.chains.bitcoin.lines import LARGEST
from valtrac.core.bitcoin import BitcoinEntry
from valtrac.core.errors import BadInput, ChainUnreachable, OutcomeUnknown, Refused
from valtrac.ports.bitcoin import BitcoinNetwork

LONG_S, SHORT_S = 20.0, 0.4
PAYMENT = payment()
TX_ID = id_of(PAYMENT)
BROADCAST, GET = "blockchain.transaction.broadcast", "blockchain.transaction.get"
Joined = Callable[..., ElectrumNetwork]


@pytest.fixture
def joined() -> Iterator[Joined]:
    """Makes a client of servers that tell of these chains."""
    with ExitStack() as stack:

        def join(*chains: Chain, timeout_s: float = LONG_S, **options: Any) -> ElectrumNetwork:
            urls = [stack.enter_context(electrum(chain)) for chain in chains]
            client = ElectrumNetwork(urls, options.pop("network", "regtest"), timeout_s=timeout_s, **options)
            stack.callback(client.close)
            return client

        yield join


def refuses(code: int, words: str) -> Callable[..., Any]:
    def say(*_: Any) -> Any:
        raise Words(code, words)

    return say


def test_the_client_is_what_the_program_asks_of_bitcoin(joined: Joined) -> None:
    client: BitcoinNetwork = joined(Chain())
    assert client.network == "regtest"


def test_a_transaction_is_handed_over_found_mined_and_proven(joined: Joined) -> None:
    chain = Chain()
    client = joined(chain)
    assert (client.transaction(TX_ID), client.confirmations(PAYMENT)) == (None, None)
    assert client.relay(PAYMENT) == TX_ID
    assert (client.transaction(TX_ID), client.confirmations(PAYMENT)) == (PAYMENT, 0)
    assert client.history(SCRIPT) == (BitcoinEntry(TX_ID, 0),)
    assert client.proof(PAYMENT, 1) is None
    chain.mine(PAYMENT, 6)
    assert (client.tip(), client.confirmations(PAYMENT)) == (8, 6)
    assert client.history(SCRIPT) == (BitcoinEntry(TX_ID, 3),)
    made = client.proof(PAYMENT, 6)
    assert made is not None
    assert (made.tx_id, made.height, made.index, len(made.merkle)) == (TX_ID, 3, 2, 96)
    assert made.headers == b"".join(chain.headers[3:9])
    assert client.proof(PAYMENT, 7) is None
    assert client.fee_rate(6) == 12_345


def test_a_transaction_that_is_known_already_counts_as_handed_over(joined: Joined) -> None:
    chain = Chain()
    client = joined(chain)
    assert [client.relay(PAYMENT), client.relay(PAYMENT)] == [TX_ID, TX_ID]
    for words in ("Transaction already in block chain", "Transaction outputs already in utxo set", "txn-already-known"):
        chain.bad[BROADCAST] = refuses(1, words)
        assert client.relay(PAYMENT) == TX_ID


def test_a_no_of_a_server_that_has_the_transaction_counts_as_handed_over(joined: Joined) -> None:
    chain = Chain(known={TX_ID: PAYMENT}, bad={BROADCAST: refuses(1, "bad-txns-inputs-missingorspent")})
    assert joined(chain).relay(PAYMENT) == TX_ID


def test_a_no_in_words_is_refused_and_the_words_are_plain(joined: Joined) -> None:
    chain = Chain(bad={BROADCAST: refuses(1, "rejected\n\x1b[2J min relay fee not met")})
    with pytest.raises(Refused, match="min relay fee not met") as refused:
        joined(chain).relay(PAYMENT)
    assert "\x1b" not in str(refused.value)
    assert refused.value.moved == "no"


@pytest.mark.parametrize(
    "bad",
    [
        CLOSE,
        Raw(b"garbage\n"),
        Raw(b"[]\n"),
        Raw(b'{"id": 1, "result": "no"}\n'),
        Raw(b'{"id": null, "error": "parse"}\n'),
        "00" * 32,
        None,
        refuses(-102, "server busy - request timed out"),
        refuses(-32603, "internal error"),
    ],
)
def test_an_answer_that_nobody_can_use_leaves_the_outcome_unknown(joined: Joined, bad: Any) -> None:
    chain = Chain(bad={BROADCAST: bad if bad is not None else lambda *_: None})
    other = Chain(bad={BROADCAST: refuses(1, "min relay fee not met")})
    with pytest.raises(OutcomeUnknown, match="did not say what became of it") as unknown:
        joined(chain, other).relay(PAYMENT)
    assert TX_ID in unknown.value.what
    assert chain.asked.count(BROADCAST) == 1
    assert joined(chain, Chain()).relay(PAYMENT) == TX_ID  # another server takes it all the same


def test_a_lost_reply_is_found_again_and_the_same_bytes_may_be_sent_again(joined: Joined) -> None:
    chain = Chain()

    def take(raw: str) -> Any:
        chain.known[TX_ID] = bytes.fromhex(raw)
        return HANG

    chain.bad[BROADCAST] = take
    client = joined(chain, timeout_s=SHORT_S)
    with pytest.raises(OutcomeUnknown, match="no reply in time"):
        within(LONG_S, lambda: client.relay(PAYMENT))
    del chain.bad[BROADCAST]
    assert client.transaction(TX_ID) == PAYMENT
    assert client.relay(PAYMENT) == TX_ID


def test_a_refusal_that_cannot_be_looked_into_leaves_the_outcome_unknown(joined: Joined) -> None:
    chain = Chain(bad={BROADCAST: refuses(1, "the daemon hung up"), GET: CLOSE})
    with pytest.raises(OutcomeUnknown, match="the daemon hung up"):
        joined(chain).relay(PAYMENT)


def test_what_is_no_transaction_is_not_sent(joined: Joined) -> None:
    chain = Chain()
    with pytest.raises(ValueError, match="ends too early"):
        joined(chain).relay(PAYMENT[:-1])
    assert chain.asked == []


@pytest.mark.parametrize("bad", [CLOSE, Raw(b"garbage\n"), Raw(b'{"id": 77, "result": {}}\n'), {"genesis_hash": 7}])
def test_a_server_that_fails_is_passed_over_and_rests(joined: Joined, bad: Any) -> None:
    now = [1000.0]
    broken, well = Chain(bad={"server.features": bad}), Chain()
    client = joined(broken, well, rest_s=60, clock=lambda: now[0])
    assert client.relay(PAYMENT) == TX_ID
    tried = broken.asked.count("server.features")
    assert client.history(SCRIPT)
    assert broken.asked.count("server.features") == tried
    now[0] += 61
    broken.bad.clear()
    client.fee_rate(6)
    assert "blockchain.estimatefee" in broken.asked


def test_servers_that_all_fail_are_named_with_what_they_said(joined: Joined) -> None:
    with pytest.raises(ChainUnreachable) as failed:
        joined(Chain(bad={"server.features": CLOSE}), Chain(genesis="00" * 32), network="test").tip()
    assert "it closed the connection" in failed.value.why
    assert "another network than test" in failed.value.why
    assert failed.value.why.count("tcp://127.0.0.1:") == 2


@pytest.mark.parametrize("network", ["main", "test"])
def test_a_server_of_another_network_is_not_asked_anything(joined: Joined, network: str) -> None:
    chain = Chain()
    with pytest.raises(ChainUnreachable, match=f"another network than {network}"):
        joined(chain, network=network).relay(PAYMENT)
    assert BROADCAST not in chain.asked


@pytest.mark.parametrize("version", [["Fake", "1.5"], ["Fake", "1.40"], ["Fake"], "1.4", {}])
def test_a_server_of_another_protocol_is_not_used(joined: Joined, version: Any) -> None:
    with pytest.raises(ChainUnreachable, match=r"version 1\.4"):
        joined(Chain(bad={"server.version": version})).tip()


def test_no_server_is_waited_for_longer_than_the_time_out(joined: Joined) -> None:
    client = joined(Chain(bad={GET: HANG}), timeout_s=SHORT_S)
    with pytest.raises(ChainUnreachable, match="no reply in time"):
        within(10 * SHORT_S, lambda: client.transaction(TX_ID))


def test_an_answer_that_does_not_end_is_let_go_of(joined: Joined) -> None:
    with pytest.raises(ChainUnreachable, match="does not end"):
        joined(Chain(bad={GET: Raw(b"0" * (LARGEST + 70_000))})).transaction(TX_ID)


def test_notifications_are_passed_over_and_an_endless_row_of_them_is_not(joined: Joined) -> None:
    note = b'{"jsonrpc": "2.0", "method": "blockchain.headers.subscribe", "params": [{}]}\n'
    assert joined(Chain(before_answers=note * 3)).tip() == 2
    with pytest.raises(ChainUnreachable, match="nobody asked for"):
        joined(Chain(before_answers=note * 1_001)).tip()


def test_an_answer_to_another_question_is_none(joined: Joined) -> None:
    with pytest.raises(ChainUnreachable, match="another question"):
        joined(Chain(shift_ids=1)).tip()


def test_a_connection_that_was_closed_meanwhile_is_made_anew(joined: Joined) -> None:
    chain = Chain()
    client = joined(chain)
    client.tip()
    client._peers.all[0]._session._connection.close()  # type: ignore[union-attr]
    assert client.relay(PAYMENT) == TX_ID
    assert chain.asked.count("server.version") == 2


def test_another_transaction_than_was_asked_for_is_not_believed(joined: Joined) -> None:
    wrong = Chain(bad={GET: payment(2).hex()})
    with pytest.raises(ChainUnreachable, match="another transaction than"):
        joined(wrong).transaction(TX_ID)
    assert joined(wrong, Chain(known={TX_ID: PAYMENT})).transaction(TX_ID) == PAYMENT
    with pytest.raises(BadInput):
        joined(wrong).transaction("../etc")


def test_one_server_that_does_not_know_it_is_not_believed_alone(joined: Joined) -> None:
    assert joined(Chain(), Chain(known={TX_ID: PAYMENT})).transaction(TX_ID) == PAYMENT
    assert joined(Chain(), Chain()).transaction(TX_ID) is None


def mined_chain(confirmations: int = 6, branch: int = 0) -> Chain:
    chain = Chain()
    chain.mine(PAYMENT, confirmations, branch)
    return chain


WRONG: dict[str, tuple[str, Any]] = {
    "a branch of something else": (
        "blockchain.transaction.get_merkle",
        {"merkle": ["11" * 32] * 3, "block_height": 3, "pos": 2},
    ),
    "a branch of another block": ("blockchain.transaction.get_merkle", {"merkle": [], "block_height": 4, "pos": 0}),
    "a branch that is none": ("blockchain.transaction.get_merkle", {"merkle": "x", "block_height": 3, "pos": 0}),
    "headers that are too few": ("blockchain.block.headers", {"count": 1, "hex": "00" * 80, "max": 2016}),
    "headers without work": ("blockchain.block.headers", {"count": 6, "hex": "00" * 480, "max": 2016}),
    "headers of another network": ("blockchain.block.headers", {"hex": (FIRST_HEADERS[1] * 6).hex()}),
    "a history that is none": ("blockchain.scripthash.get_history", {"tx_hash": TX_ID}),
    "a height that is none": ("blockchain.scripthash.get_history", [{"tx_hash": TX_ID, "height": True}]),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_server_that_gives_a_wrong_proof_is_named(joined: Joined, name: str) -> None:
    method, answer = WRONG[name]
    liar = mined_chain()
    liar.bad[method] = answer
    with pytest.raises(ChainUnreachable, match="tcp://127"):
        joined(liar).proof(PAYMENT, 6)


@pytest.mark.parametrize("name", WRONG)
def test_two_honest_servers_are_enough_beside_one_that_lies(joined: Joined, name: str) -> None:
    method, answer = WRONG[name]
    liar = mined_chain()
    liar.bad[method] = answer
    made = joined(liar, mined_chain(), mined_chain()).proof(PAYMENT, 6)
    assert made is not None
    assert made.height == 3


def test_a_server_that_keeps_a_transaction_back_does_not_hide_it(joined: Joined) -> None:
    silent = mined_chain()
    silent.bad["blockchain.scripthash.get_history"] = []
    assert joined(silent, mined_chain()).confirmations(PAYMENT) == 6
    assert joined(mined_chain(), silent).confirmations(PAYMENT) == 6


def test_servers_with_different_blocks_are_not_believed(joined: Joined) -> None:
    with pytest.raises(ChainUnreachable, match="have different blocks at 8") as failed:
        joined(mined_chain(), mined_chain(branch=1)).confirmations(PAYMENT)
    assert failed.value.why.count("tcp://127.0.0.1:") == 2


def test_the_lower_of_two_heights_counts_within_six_blocks(joined: Joined) -> None:
    assert joined(mined_chain(8), mined_chain(3)).confirmations(PAYMENT) == 3
    assert joined(mined_chain(8), mined_chain(3)).proof(PAYMENT, 6) is None
    assert joined(mined_chain(8), mined_chain(3)).tip() == 5


def test_a_server_that_stands_still_is_named_with_its_height(joined: Joined) -> None:
    with pytest.raises(ChainUnreachable, match=r"is at block 14, .* at 2: one of them stands still"):
        joined(Chain(), mined_chain(12)).confirmations(PAYMENT)
    assert joined(Chain(), mined_chain(12), mined_chain(12)).confirmations(PAYMENT) == 12


def test_where_two_are_named_one_alone_confirms_nothing(joined: Joined) -> None:
    client = joined(mined_chain(), Chain(bad={"server.version": CLOSE}))
    with pytest.raises(ChainUnreachable, match="no other server confirms"):
        client.proof(PAYMENT, 6)


def test_confirmations_are_counted_up_to_a_hundred(joined: Joined) -> None:
    assert joined(mined_chain(120)).confirmations(PAYMENT) == 100


@pytest.mark.parametrize(("answer", "rate"), [(-1, None), (0.00001, 1_000), (1e-5, 1_000), (0, 0)])
def test_a_fee_is_whole_satoshi_or_unknown(joined: Joined, answer: float, rate: int | None) -> None:
    assert joined(Chain(bad={"blockchain.estimatefee": answer})).fee_rate(6) == rate


@pytest.mark.parametrize("answer", [2, -2, "1", True, Raw(b'{"id": 3, "result": 1e999999999}\n'), 1e9])
def test_a_fee_that_cannot_be_is_not_believed(joined: Joined, answer: Any) -> None:
    with pytest.raises(ChainUnreachable):
        joined(Chain(bad={"blockchain.estimatefee": answer})).fee_rate(6)
