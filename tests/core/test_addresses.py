"""Addresses: our reading of SS58 is the SDK's, for one network only."""

from __future__ import annotations

import bittensor_core
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valtrac.core.addresses import BadAddress, address_of, key_of

keys = st.binary(min_size=32, max_size=32)


@given(keys)
def test_the_address_of_a_key_is_the_one_that_the_sdk_writes(key: bytes) -> None:
    assert address_of(key) == bittensor_core.ss58_encode(key)


@given(keys)
def test_the_key_of_an_address_is_the_one_that_the_sdk_reads(key: bytes) -> None:
    address = bittensor_core.ss58_encode(key)
    assert key_of(address) == bittensor_core.ss58_decode(address) == key


@pytest.mark.parametrize("prefix", [0, 2, 69])
def test_the_same_key_written_for_another_network_is_refused(prefix: int) -> None:
    with pytest.raises(BadAddress):
        key_of(bittensor_core.ss58_encode(bytes([7]) * 32, ss58_format=prefix))


@given(keys, st.integers(0, 47), st.sampled_from("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"))
def test_one_mistyped_letter_is_refused(key: bytes, place: int, letter: str) -> None:
    address = address_of(key)
    mistyped = address[:place] + letter + address[place + 1 :]
    if mistyped != address:
        try:
            assert bittensor_core.ss58_decode(mistyped) == key_of(mistyped)  # two bytes of checksum: 1 in 65,536
        except (BadAddress, ValueError):
            with pytest.raises(BadAddress):
                key_of(mistyped)


@pytest.mark.parametrize("text", ["", "5", "0" * 48, "5" * 48, "x" * 500, address_of(bytes(32))[:-1], "é" * 48])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadAddress):
        key_of(text)
