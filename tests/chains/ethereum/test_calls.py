"""Calls as text and as bytes: each is the other, and nothing else is either."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valtrac.chains.ethereum import abi, calls


def written(kind: str) -> st.SearchStrategy[str]:
    if kind.startswith("uint"):
        return st.integers(0, 2 ** int(kind[4:]) - 1).map(str)
    if kind == "address":
        return st.binary(min_size=20, max_size=20).map(lambda value: "0x" + value.hex())
    size = {} if kind == "bytes" else {"min_size": int(kind[5:]), "max_size": int(kind[5:])}
    return st.binary(**({"max_size": 80} | size)).map(lambda value: "0x" + value.hex())


@st.composite
def texts(draw: Any) -> str:
    name = draw(st.sampled_from(sorted(abi.CALLS)))
    return f"{name}({', '.join(draw(written(kind)) for kind in abi.FUNCTIONS[name][0])})"


@given(texts())
def test_a_text_comes_back_from_its_bytes(text: str) -> None:
    assert calls.described(calls.encoded(text)) == text


@given(texts(), st.data())
def test_other_bytes_are_another_text_or_none(text: str, data: st.DataObject) -> None:
    raw = bytearray(calls.encoded(text))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        other = calls.described(bytes(raw))
    except ValueError:
        return
    assert other != text and calls.encoded(other) == bytes(raw)


@given(texts(), st.binary(min_size=1, max_size=64))
def test_bytes_behind_the_call_are_refused(text: str, more: bytes) -> None:
    with pytest.raises(ValueError):
        calls.described(calls.encoded(text) + more)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "approve",
        "approve()",
        "transfer(0x" + "11" * 20 + ", 1)",
        "approve(0x" + "11" * 19 + ", 1)",
        "approve(0x" + "11" * 20 + ", -1)",
        "approve(0x" + "11" * 20 + ", ١)",
        f"approve(0x{'11' * 20}, {2**256})",
        "approve(0x" + "11" * 20 + ",1)",
        "approve(0x" + "11" * 20 + ", 1) ",
        "requestRedemption(0x" + "00" * 7 + ", 0x)",
        "requestRedemption(0x" + "00" * 8 + ", 0x0)",
        "currentState()",
        "exitCourtesyCall(1)",
    ],
)
def test_what_is_no_call_of_ours_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        calls.encoded(text)


def test_an_address_in_capitals_is_the_same_call() -> None:
    low, high = (f"approve(0x{'ab' * 20}, 5)", f"approve(0x{'AB' * 20}, 5)")
    assert calls.encoded(low) == calls.encoded(high)
    assert calls.described(calls.encoded(high)) == low
