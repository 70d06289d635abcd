"""Bytes of blocks and transactions: what the real chain has, and what nobody may pass off as it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valtrac.chains.qtum.blocks import NO_COIN, next_header, read_block
from valtrac.chains.qtum.encoding import (
    Prefixes,
    Reader,
    address_of,
    count_bytes,
    hash256,
    key_hash,
    merkle_root,
    read_transaction,
    script_of,
    shown,
    unbase58check,
)
from valtrac.chains.qtum.networks import NETWORKS
from valtrac.chains.untrusted import Untrusted
from valtrac.devnet.qtum import dev_address

MAIN = Prefixes(58, 50)
POOL = dev_address("pool", "main")
ROOT = bytes.fromhex("ed34050eb5909ee535fcb07af292ea55f3d2f291187617b44d3282231405b96d")[::-1]
STATE = bytes.fromhex("e965ffd002cd6ad0e2dc402b8044de833e06b23127ea8c3d80aec91410771495")
TRIE = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
FIRST = {"main": (8026361, 0x1F00FFFF), "test": (7349697, 0x1F00FFFF), "regtest": (17, 0x207FFFFF)}


def header(nonce: int, bits: int, *, tail: bytes = b"") -> bytes:
    """The header of a first block: of the real chain, with its nonce and bits."""
    numbers = (1504695029).to_bytes(4, "little") + bits.to_bytes(4, "little") + nonce.to_bytes(4, "little")
    nothing = bytes(32) + b"\xff\xff\xff\xff" + b"\0"
    return (1).to_bytes(4, "little") + bytes(32) + ROOT + numbers + STATE[::1] + TRIE[::1] + nothing + tail


@pytest.mark.parametrize("network", FIRST)
def test_the_first_block_of_each_real_network_is_read_and_has_its_hash(network: str) -> None:
    raw = header(*FIRST[network])
    told = next_header(Reader(raw))
    assert told.hash == NETWORKS[network].genesis
    assert (told.kernel, told.proof, told.signature, told.parent) == (NO_COIN, b"", b"", "0" * 64)
    assert told.signer(MAIN) == ""
    assert told.at.timestamp() == 1504695029


def transaction(*, inputs: int = 1, script: bytes = b"\x51", satoshi: int = 5) -> bytes:
    spent = b"".join(bytes([n]) * 32 + b"\0\0\0\0" + b"\0" + b"\xff" * 4 for n in range(1, inputs + 1))
    out = satoshi.to_bytes(8, "little") + count_bytes(len(script)) + script
    return b"\x02\0\0\0" + count_bytes(inputs) + spent + b"\1" + out + b"\0\0\0\0"


def test_a_transaction_is_read_with_and_without_a_witness_under_one_id() -> None:
    plain = transaction()
    told = read_transaction(plain)
    witnessed = plain[:4] + b"\0\1" + plain[4:-4] + b"\1\x02\xaa\xbb" + plain[-4:]
    assert told.tx_id == shown(hash256(plain)) == read_transaction(witnessed).tx_id
    assert (told.inputs, told.outputs[0].satoshi, told.size) == (("01" * 32 + ":0",), 5, len(plain))


@pytest.mark.parametrize(
    "raw",
    [
        transaction() + b"\0",
        transaction()[:-1],
        transaction(script=b"\x51" * 4),  # 64 bytes: could pass for a pair of hashes
        transaction(satoshi=2**63),
        transaction().replace(b"\1\1\1\1", b"\1\1\1\1", 1)[:4] + b"\xfd\1\0" + transaction()[5:],
        b"",
    ],
    ids=["more after it", "cut off", "64 bytes", "too many coins", "a count written too long", "nothing"],
)
def test_what_is_no_transaction_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_transaction(raw)


def test_the_transaction_of_64_bytes_would_else_have_been_one() -> None:
    assert len(transaction(script=b"\x51" * 4)) == 64
    assert read_transaction(transaction(script=b"\x51" * 5)).outputs


def test_a_list_with_the_last_one_twice_has_no_root() -> None:
    a, b, c = (f"{number:064x}" for number in (1, 2, 3))
    assert merkle_root([a]) == a
    assert merkle_root([a, b, c]) != merkle_root([a, c, b])
    for doubled in ([a, b, c, c], [a, a], [a, b, c, c, c, c]):
        with pytest.raises(ValueError, match="twice"):
            merkle_root(doubled)
    with pytest.raises(ValueError, match="without transactions"):
        merkle_root([])


def block(*bodies: bytes) -> tuple[bytes, str]:
    root = bytes.fromhex(merkle_root([read_transaction(body).tx_id for body in bodies]))[::-1]
    raw = header(5, 6).replace(ROOT, root)
    return raw + count_bytes(len(bodies)) + b"".join(bodies), shown(hash256(raw))


def test_a_block_is_bound_to_its_hash_and_its_transactions_to_its_header() -> None:
    one, two, three = transaction(), transaction(inputs=2), transaction(inputs=3)
    raw, name = block(one, two, three)
    assert len(read_block(raw, name).transactions) == 3
    head = raw[: -len(one + two + three) - 1]
    for false, words in (
        (head + b"\x02" + one + two, "does not hold"),
        (head + b"\x03" + one + three + two, "does not hold"),
        (head + b"\x04" + one + two + three + three, "cannot be read: the same transaction twice"),  # of the same root
        (block(two, one)[0], "has the hash"),
        (raw + b"\0", "cannot be read"),
        (raw[:-1], "cannot be read"),
    ):
        with pytest.raises(Untrusted, match=words):
            read_block(false, name)


@given(st.binary(max_size=400))
def test_no_bytes_at_all_end_in_anything_but_a_plain_no(raw: bytes) -> None:
    with pytest.raises(Untrusted):
        read_block(raw, "0" * 64)


def test_addresses_and_scripts_name_each_other_and_a_mistyped_letter_is_seen() -> None:
    script = script_of(POOL, MAIN)
    assert address_of(script, MAIN) == POOL and key_hash(POOL, MAIN) == script[3:23]
    key = bytes([2]) + b"\x11" * 32
    bare = bytes([33]) + key + b"\xac"
    from valtrac.chains.qtum.encoding import address_of_hash, hash160

    assert address_of(bare, MAIN) == address_of_hash(hash160(key), MAIN)
    assert address_of(b"\x6a\x01\x02", MAIN) == address_of(b"", MAIN) == ""
    for wrong in (
        POOL[:-1] + "p",
        POOL[:-1],
        POOL + "1",
        "",
        "0" * 34,
        "Q" * 200,
        "QPooLGGp2FodAN1PpqvB7iLNK7kD3gSekо",
    ):
        with pytest.raises(ValueError, match=r".+"):
            unbase58check(wrong)
    with pytest.raises(ValueError, match="of this network"):
        script_of(POOL, Prefixes(120, 110))


@given(st.integers(0, 2**64 - 1))
def test_a_count_is_written_in_its_shortest_form_and_read_back(value: int) -> None:
    reader = Reader(count_bytes(value))
    assert reader.count() == value
    reader.end()
