"""Our own reading of signed extrinsics agrees with the SDK's writing of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.devnet.bittensor.conftest import key
from valtrac.chains.bittensor.extrinsics import envelope
from valtrac.core.trie import read_compact
from valtrac.devnet.bittensor.codec import codec

CALL = codec().compose_call("System", "remark", {"remark": "0x0102"})


def written(
    nonce: int = 0, tip: int = 0, era: dict[str, int] | str | None = None, scheme: int = 1, call: Any = CALL
) -> tuple[bytes, str]:
    signature = b"\x07" * (65 if scheme == 2 else 64)
    raw, tx_id = codec().encode_signed_extrinsic(
        call,
        public_key=key("//Alice").public_key,
        signature=signature,
        signature_version=scheme,
        era=era or {"period": 64, "current": 70},
        nonce=nonce,
        tip=tip,
        tip_asset_id=None,
    )
    return bytes(raw), str(tx_id)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1),
    st.sampled_from([0, 1]),
    st.integers(2, 12),
    st.integers(0, 10**6),
)
def test_what_the_sdk_writes_is_read_back(nonce: int, tip: int, scheme: int, power: int, current: int) -> None:
    raw, tx_id = written(nonce, tip, {"period": 2**power, "current": current}, scheme)
    read = envelope(raw)

    assert (read.tx_id, read.signer, read.nonce, read.tip_units) == (tx_id, key("//Alice").ss58_address, nonce, tip)
    assert (read.era_period, read.era_phase) == (2**power, current % 2**power)
    assert read.call == CALL.data


@given(st.integers(0, 2**128 - 1))
def test_compact_numbers_are_read_as_the_codec_writes_them(number: int) -> None:
    raw = bytes(codec().encode_compact(number))

    assert read_compact(raw + b"rest", 0) == (number, len(raw))


@given(st.data())
def test_bytes_cut_anywhere_are_refused(data: st.DataObject) -> None:
    raw, _ = written()

    with pytest.raises(ValueError):
        envelope(raw[: data.draw(st.integers(0, len(raw) - 1))])


def test_an_immortal_extrinsic_is_refused() -> None:
    with pytest.raises(ValueError, match="mortal"):
        envelope(written(era="00")[0])
