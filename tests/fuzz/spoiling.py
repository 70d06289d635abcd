"""Spoiled inputs: a good one with bytes changed, cut, repeated, or mixed with what has broken programs before."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

_TEXTS = (
    *("", "\x00", "\x1b[2J", "\r", "\r\n\r\n", "\ufeff", "\u202e", "\u200b", "\u0661\u0662", "\uff11", "\ud800", "é"),
    *('"', '""', "'", "`", ",", ";", "\t", "|", "=1+1", "@SUM(A1)", "+1", "-1", "#", "//", "\\", "../../x", "${HOME}"),
    *("NaN", "inf", "-inf", "1e999", "1e-999", "0x10", "1_000", "1,5", "0" * 400, "9" * 400, "-0", ".", "1."),
    *("{", "}", "[", "]", "[" * 3000, '{"a":' * 500, "null", "true", "{}", "[]", '{"a":1,"a":2}', "\\u0000"),
    *("1970-01-01", "9999-12-31T23:59:59Z", "2026-02-30", "24:61", "Europe/Nowhere", "A" * 5000),
)
_BYTES = (b"\xff", b"\xc3", b"\xed\xa0\x80", b"PK\x03\x04", b"SQLite format 3\x00", b"\x1f\x8b", b"\xfe\xff\x00\x41")
ODD = (*(text.encode("utf-8", "surrogatepass") for text in _TEXTS), *_BYTES)


def spoiled(good: Sequence[bytes], dice: random.Random) -> bytes:
    """One of some good inputs after a few changes; now and then untouched, empty, or nothing but noise."""
    fate = dice.random()
    if fate < 0.01:
        return dice.randbytes(dice.randrange(200))
    text = dice.choice(good)
    for _ in range(dice.choice((0, 1, 1, 1, 2, 2, 3, 5, 9))):
        text = dice.choice(CHANGES)(text, good, dice)
    return text[:200_000]


def _place(text: bytes, dice: random.Random) -> tuple[int, int]:
    begin = dice.randrange(len(text) + 1)
    return begin, min(len(text), begin + dice.choice((1, 1, 2, 8, 40, 400)))


def _other_byte(text: bytes, _: Sequence[bytes], dice: random.Random) -> bytes:
    begin, end = _place(text, dice)
    return text[:begin] + dice.randbytes(end - begin) + text[end:]


def _cut_out(text: bytes, _: Sequence[bytes], dice: random.Random) -> bytes:
    begin, end = _place(text, dice)
    return text[:begin] + text[end:]


def _cut_off(text: bytes, _: Sequence[bytes], dice: random.Random) -> bytes:
    return text[: dice.randrange(len(text) + 1)]


def _twice(text: bytes, _: Sequence[bytes], dice: random.Random) -> bytes:
    begin, end = _place(text, dice)
    return text[:end] + text[begin:end] * dice.choice((1, 2, 50)) + text[end:]


def _odd(text: bytes, _: Sequence[bytes], dice: random.Random) -> bytes:
    begin, end = _place(text, dice)
    return text[:begin] + dice.choice(ODD) + text[dice.choice((begin, end)) :]


def _odd_field(text: bytes, _: Sequence[bytes], dice: random.Random) -> bytes:
    """Something odd in the place of a whole cell, word or value."""
    ends = [place for place, sign in enumerate(text) if sign in b',;\t\n :"=[]{}']
    if len(ends) < 2:
        return text
    first = dice.randrange(len(ends) - 1)
    return text[: ends[first] + 1] + dice.choice(ODD) + text[ends[first + 1] :]


def _lines_swapped(text: bytes, _: Sequence[bytes], dice: random.Random) -> bytes:
    lines = text.split(b"\n")
    one, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _mixed(text: bytes, good: Sequence[bytes], dice: random.Random) -> bytes:
    other = dice.choice(good)
    return text[: dice.randrange(len(text) + 1)] + other[dice.randrange(len(other) + 1) :]


CHANGES: tuple[Callable[[bytes, Sequence[bytes], random.Random], bytes], ...] = (
    _other_byte,
    _cut_out,
    _cut_off,
    _twice,
    _odd,
    _odd,
    _odd_field,
    _odd_field,
    _lines_swapped,
    _mixed,
)
