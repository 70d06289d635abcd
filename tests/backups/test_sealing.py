"""Sealed files: whole for whoever has the key, nothing for anybody else, and no change goes unseen."""

from __future__ import annotations

import io
from io import BufferedReader

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valtrac.backups import sealing
from valtrac.backups.sealing import PIECE, TAG, Opening, Sealing
from valtrac.backups.settings import public_key
from valtrac.core.errors import BadInput

PUBLIC, SECRET = sealing.new_keys()
SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 17]


def sealed(content: bytes, step: int = 10_000) -> bytes:
    file = io.BytesIO()
    with Sealing(file, public_key(PUBLIC)) as sink:
        for start in range(0, len(content), step):
            sink.write(content[start : start + step])
    return file.getvalue()


def opened(data: bytes, secret: str = SECRET) -> bytes:
    return BufferedReader(Opening(io.BytesIO(data), sealing.secret_key(secret))).read()


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_is_read_back(size: int) -> None:
    content = bytes(n * 7 % 251 for n in range(size))
    assert opened(sealed(content)) == content


def test_twice_the_same_is_never_the_same_file() -> None:
    assert sealed(b"x") != sealed(b"x")


@pytest.mark.parametrize("cut", [1, TAG, PIECE + TAG, PIECE + TAG + 1])
def test_a_file_that_is_cut_off_is_not_read(cut: int) -> None:
    data = sealed(bytes(3 * PIECE))
    with pytest.raises(BadInput):
        opened(data[:-cut])


@given(st.integers(0, 2 * PIECE), st.integers(0, 7))
def test_a_changed_bit_is_seen(place: int, bit: int) -> None:
    data = bytearray(sealed(bytes(2 * PIECE)))
    data[place] ^= 1 << bit
    with pytest.raises(BadInput):
        opened(bytes(data))


def test_pieces_in_another_order_are_seen() -> None:
    data, head = sealed(bytes(3 * PIECE)), len(sealing.MAGIC) + 32
    first, second = data[head : head + PIECE + TAG], data[head + PIECE + TAG : head + 2 * (PIECE + TAG)]
    with pytest.raises(BadInput):
        opened(data[:head] + second + first + data[head + 2 * (PIECE + TAG) :])


def test_another_key_opens_nothing_and_no_key_is_told() -> None:
    other = sealing.new_keys()[1]
    with pytest.raises(BadInput, match="cannot be opened"):
        opened(sealed(b"x"), other)
    with pytest.raises(BadInput) as refused:
        sealing.secret_key(SECRET[:-1])
    assert SECRET[30:50] not in str(refused.value)
    for text in (SECRET, PUBLIC[:-2], "abc", PUBLIC + "00"):
        with pytest.raises(ValueError, match="is no public key"):
            public_key(text)
