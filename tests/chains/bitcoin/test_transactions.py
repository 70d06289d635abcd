"""The transaction of a redemption: one that its signers signed, and no other."""

from __future__ import annotations

import pytest
from eth_keys.datatypes import PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.chains.bitcoin.vectors import MAIN
from valtrac.chains.bitcoin import signatures, transactions
from valtrac.chains.bitcoin.addresses import address_of_key
from valtrac.chains.bitcoin.transactions import Redemption, read
from valtrac.chains.qtum.encoding import hash256, shown

# BIP 143, "Native P2WPKH"
UNSIGNED = bytes.fromhex(
    "0100000002fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000000eeffffff"
    "ef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb20600000000"
    "1976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d5"
    "0ce2f0167faa815988ac11000000"
)
SIGNED = bytes.fromhex(
    "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221008b9d1dc2"
    "6ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4"
    "ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff"
    "02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4d"
    "be6a21b2d50ce2f0167faa815988ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a"
    "0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb"
    "3566bb0ad253f62fc70f07aeee635711000000"
)
SIGHASH = bytes.fromhex("c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670")
KEY = PrivateKey(bytes.fromhex("619c335025c7f4012e556c2a58b2506e30b8511b53ade95ea316fd8c3286feb9"))
PUBLIC_KEY = KEY.public_key.to_bytes()
OTHER = PrivateKey(bytes([7]) * 32)
BTC = 100_000_000


def redemption(key: PrivateKey = KEY, paid: int = BTC - 36_000) -> Redemption:
    hashed = signatures.key_hash(key.public_key.to_bytes())
    return Redemption(bytes(range(36)), BTC, hashed, paid, b"\x00\x14" + bytes(20))


def halves(digest: bytes, key: PrivateKey = KEY) -> dict[str, int]:
    signature = key.sign_msg_hash(digest)
    return {"r": signature.r, "s": signature.s}


def test_the_key_of_the_bip_has_its_hash_and_its_address() -> None:
    assert (
        signatures.compressed(PUBLIC_KEY)
        .hex()
        .startswith("025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee6357")
    )
    assert signatures.key_hash(PUBLIC_KEY).hex() == "1d0f172a0ecb48aee1be1f2687d2963ae33f71a1"
    assert address_of_key(signatures.key_hash(PUBLIC_KEY), MAIN) == "bc1qr583w2swedy2acd7rung055k8t3n7udp7vyzyg"


def test_the_signature_of_the_bip_is_the_keys() -> None:
    r, s = signatures.read_der(read(SIGNED).inputs[1].witness[0][:-1])
    assert signatures.is_by(PUBLIC_KEY, SIGHASH, r, s)
    assert signatures.is_by(PUBLIC_KEY, SIGHASH, r, signatures.ORDER - s)  # the same signature, with its other half
    assert not signatures.is_by(OTHER.public_key.to_bytes(), SIGHASH, r, s)
    assert not signatures.is_by(PUBLIC_KEY, hash256(SIGHASH), r, s)
    assert not signatures.is_by(PUBLIC_KEY, SIGHASH, r, 0)
    assert not signatures.is_by(bytes(64), SIGHASH, r, s)


def test_the_digest_is_made_as_the_bip_makes_it() -> None:
    """The preimage of the BIP, in its pieces, over the one shape that a redemption has."""
    made = redemption()
    preimage = bytes.fromhex("01000000") + hash256(made.outpoint) + hash256(bytes(4)) + made.outpoint
    preimage += bytes.fromhex("1976a9141d0f172a0ecb48aee1be1f2687d2963ae33f71a188ac00e1f505000000000000" + "0000")
    preimage += hash256(bytes.fromhex("6054f50500000000" + "160014" + "00" * 20)) + bytes.fromhex("0000000001000000")
    assert made.digest == hash256(preimage)


def test_the_transactions_of_the_bip_are_read_and_have_one_id() -> None:
    unsigned, signed = read(UNSIGNED), read(SIGNED)
    assert unsigned.parts.raw == UNSIGNED
    assert [one.script.hex() for one in unsigned.outputs] == [one.script.hex() for one in signed.outputs]
    assert [one.satoshi for one in signed.outputs] == [112_340_000, 223_450_000]
    assert [one.sequence for one in signed.inputs] == [0xFFFFFFEE, 0xFFFFFFFF]
    assert (signed.inputs[0].witness, len(signed.inputs[1].witness)) == ((), 2)
    assert signed.tx_id == shown(hash256(SIGNED[:4] + SIGNED[6:-112] + SIGNED[-4:]))  # witnesses: 1 + 107 bytes


def test_a_redemption_is_put_together_and_read_back() -> None:
    made = redemption()
    raw = transactions.signed(made, **halves(made.digest), public_key=PUBLIC_KEY)
    found = read(raw)
    assert found.tx_id == made.tx_id
    assert found.parts == made.parts
    assert (found.parts.version.hex(), found.parts.locktime.hex()) == ("01000000", "00000000")
    assert found.parts.vin == b"\x01" + made.outpoint + b"\x00" + bytes(4)
    assert found.parts.vout.hex() == "016054f50500000000160014" + "00" * 20
    assert transactions.is_signed(found, made)
    assert not transactions.is_signed(found, redemption(paid=BTC - 72_000))


def test_a_high_second_half_is_made_low() -> None:
    made = redemption()
    both = halves(made.digest)
    low = transactions.signed(made, **both, public_key=PUBLIC_KEY)
    assert low == transactions.signed(made, r=both["r"], s=signatures.ORDER - both["s"], public_key=PUBLIC_KEY)


def test_a_signature_of_another_amount_or_key_is_not_put_in() -> None:
    made = redemption()
    with pytest.raises(ValueError, match="not of this transaction"):
        transactions.signed(made, **halves(redemption(paid=BTC - 72_000).digest), public_key=PUBLIC_KEY)
    with pytest.raises(ValueError, match="not of this transaction"):
        transactions.signed(made, **halves(made.digest, OTHER), public_key=PUBLIC_KEY)
    with pytest.raises(ValueError, match="another key"):
        transactions.signed(made, **halves(made.digest, OTHER), public_key=OTHER.public_key.to_bytes())
    with pytest.raises(ValueError, match="no point"):
        transactions.signed(made, **halves(made.digest), public_key=bytes(64))


def test_a_found_transaction_with_another_signature_or_script_is_not_the_redemption() -> None:
    made = redemption()
    raw = transactions.signed(made, **halves(made.digest), public_key=PUBLIC_KEY)
    place = raw.index(signatures.compressed(PUBLIC_KEY))
    broken = read(raw[: place - 10] + bytes([raw[place - 10] ^ 1]) + raw[place - 9 :])
    assert transactions.is_redemption(broken, made)
    assert not transactions.is_signed(broken, made)
    assert not transactions.is_redemption(read(UNSIGNED), made)


@pytest.mark.parametrize("recovery", [0, 1])
def test_the_signer_is_found_by_the_recovery_id(recovery: int) -> None:
    digest = next(hash256(bytes([n])) for n in range(99) if KEY.sign_msg_hash(hash256(bytes([n]))).v == recovery)
    assert signatures.signer(digest, **halves(digest), recovery=recovery) == PUBLIC_KEY
    assert signatures.signer(digest, **halves(digest), recovery=1 - recovery) != PUBLIC_KEY
    for wrong in (-1, 4, 27):
        with pytest.raises(ValueError, match="0 to 3"):
            signatures.signer(digest, **halves(digest), recovery=wrong)


@pytest.mark.parametrize(
    "change",
    [
        {"paid": 0},
        {"paid": BTC + 1},
        {"coin": 21_000_001 * BTC},
        {"outpoint": bytes(35)},
        {"key_hash": bytes(32)},
        {"script": b""},
    ],
)
def test_a_redemption_that_cannot_be_is_refused(change: dict[str, object]) -> None:
    fields = {"outpoint": bytes(36), "coin": BTC, "key_hash": bytes(20), "paid": 1, "script": b"\x00", **change}
    with pytest.raises(ValueError, match=r"outpoint|satoshi"):
        Redemption(**fields)  # type: ignore[arg-type]


NO_TRANSACTIONS = {
    "cut": SIGNED[:-1],
    "more": SIGNED + b"\x00",
    "none": b"",
    "no inputs": bytes.fromhex("01000000" + "00" + "01" + "00" * 8 + "00" + "00000000"),
    "a count written too long": UNSIGNED[:4] + b"\xfd\x02\x00" + UNSIGNED[5:],
    "witnesses that are none": UNSIGNED[:4] + b"\x00\x01" + UNSIGNED[4:-4] + b"\x00\x00" + UNSIGNED[-4:],
    "more coins than there are": UNSIGNED.replace(bytes.fromhex("202cb20600000000"), b"\xff" * 8),
    "64 bytes": bytes.fromhex("01000000" + "01" + "00" * 36 + "00" + "00000000" + "01" + "00" * 8 + "04" + "00" * 4)
    + bytes(4),
}


@pytest.mark.parametrize("name", NO_TRANSACTIONS)
def test_what_is_no_transaction_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(NO_TRANSACTIONS[name])


@given(st.binary(max_size=300))
def test_any_bytes_are_read_as_they_are_or_refused(raw: bytes) -> None:
    try:
        found = read(raw)
    except ValueError:
        return
    assert found.raw == raw


@given(st.integers(1, signatures.ORDER - 1), st.integers(1, signatures.ORDER - 1))
def test_der_has_one_form_and_is_read_back(r: int, s: int) -> None:
    raw = signatures.der(r, s)
    assert signatures.read_der(raw) == (r, signatures.low_s(s))
    for broken in (raw[:-1], raw + b"\x00", raw[:2] + b"\x02\x22\x00" + raw[4:]):
        with pytest.raises(ValueError, match=r"."):
            signatures.read_der(broken)


@given(
    st.binary(min_size=36, max_size=36),
    st.integers(1, 10 * BTC),
    st.integers(0, BTC),
    st.sampled_from([22, 23, 25, 34]),
    st.integers(1, 2**200),
)
def test_every_redemption_that_its_key_signed_is_a_transaction_with_its_id(
    outpoint: bytes, paid: int, fee: int, size: int, secret: int
) -> None:
    key = PrivateKey(secret.to_bytes(32, "big"))
    hashed = signatures.key_hash(key.public_key.to_bytes())
    made = Redemption(outpoint, paid + fee, hashed, paid, bytes(size))
    raw = transactions.signed(made, **halves(made.digest, key), public_key=key.public_key.to_bytes())
    found = read(raw)
    assert found.tx_id == made.tx_id
    assert transactions.is_signed(found, made)
