"""Only what the key's owner signed for this chain is carried out."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.devnet.bittensor.conftest import TAO, Bench, key, who


def test_a_signed_transfer_lands_under_the_id_known_before(bench: Bench) -> None:
    raw, tx_id = bench.ask("sign_extrinsic", bench.transfer("//ann", TAO), key("//Rich"), nonce=0, period=64)

    assert bench.send(raw) == tx_id
    assert bench.holds(raw) == 1
    assert bench.free("//ann") == TAO


def test_a_change_of_any_byte_is_refused(bench: Bench) -> None:
    raw = bench.sign(bench.transfer("//ann", TAO))

    for at in range(len(raw)):
        bench.refusal(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])

    assert bench.free("//ann") == 0
    assert bench.send(raw)


def test_bytes_cut_short_or_with_something_behind_are_refused(bench: Bench) -> None:
    raw = bench.sign(bench.transfer("//ann", TAO))

    for bad in (b"", raw[:-1], raw + b"\0", raw[:40]):
        assert "invalid format" in bench.refusal(bad)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_sent_the_answer_is_a_refusal(bench: Bench, data: st.DataObject) -> None:
    raw = bench.sign(bench.transfer("//ann", TAO), nonce=0)
    changed = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    sent = data.draw(st.one_of(st.just(bytes(changed)), st.binary(max_size=300)))

    if sent != raw:
        bench.refusal(sent)


def test_a_payment_to_something_that_is_no_key_fails_in_its_block_and_harms_nobody(bench: Bench) -> None:
    result = bench.land(bench.call("Balances", "transfer_keep_alive", dest={"Raw": "0x0102"}, value=TAO))

    assert not result.success
    assert bench.events(result)[-1][2]["dispatch_error"] == "CannotLookup"
    assert bench.land(bench.transfer("//ann", TAO)).success


def test_a_signature_for_another_chain_is_refused(bench: Bench, make: Callable[..., Bench]) -> None:
    other = make("other.sqlite", name="another")

    assert "bad signature" in bench.refusal(other.sign(other.transfer("//ann", TAO)))


def test_the_signature_of_another_key_is_refused(bench: Bench) -> None:
    call = bench.transfer("//ann", TAO)
    theirs, ours = bench.sign(call, "//Hand", nonce=0), bench.sign(call, "//Rich", nonce=0)

    assert "bad signature" in bench.refusal(ours.replace(ours[37:101], theirs[37:101]))


def test_a_large_batch_is_signed_by_its_hash_and_lands(bench: Bench) -> None:
    calls = [bench.transfer(f"//n{n}", 1000 + n) for n in range(40)]

    assert bench.land(bench.call("Utility", "batch_all", calls=calls)).success
    assert bench.free("//n39") == 1039


def test_the_real_codec_reads_the_chains_blocks(bench: Bench) -> None:
    bench.land(bench.transfer("//ann", 7 * TAO))
    block = bench.ask("get_block", block_number=1)

    time_stamp, paid = block["extrinsics"]
    assert (time_stamp["call"]["call_module"], time_stamp["call"]["call_function"]) == ("Timestamp", "set")
    assert paid["address"] == who("//Rich")
    assert {a["name"]: a["value"] for a in paid["call"]["call_args"]} == {"dest": who("//ann"), "value": 7 * TAO}
