"""Bech32 and bech32m, the letters of segwit addresses. Pure. Source: BIP 173 and BIP 350, whose vectors are tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {letter: value for value, letter in enumerate(LETTERS)}
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
BECH32, BECH32M = 1, 0x2BC830A3
LONGEST = 90
_CHECKSUM = 6


def encode(hrp: str, version: int, program: bytes) -> str:
    """The address of a witness program. version: 0 to 16; program: 2 to 40 bytes. ValueError where it has none."""
    if not 0 <= version <= 16 or not 2 <= len(program) <= 40 or (version == 0 and len(program) not in (20, 32)):
        raise ValueError("no witness program")
    values = [version, *regrouped(program, 8, 5, padded=True)]
    spare = [0] * _CHECKSUM
    check = _polymod([*_expanded(hrp), *values, *spare]) ^ (BECH32 if version == 0 else BECH32M)
    values += [check >> 5 * (_CHECKSUM - 1 - place) & 31 for place in range(_CHECKSUM)]
    return f"{hrp}1{''.join(LETTERS[value] for value in values)}"


def decode(address: str) -> tuple[str, int, bytes]:
    """(hrp, version, program) of a segwit address. ValueError in words that say what is wrong with it."""
    hrp, values, constant = split(address)
    if not values or values[0] > 16:
        raise ValueError("it names no version of a witness program")
    version, program = values[0], bytes(regrouped(values[1:], 5, 8, padded=False))
    if not 2 <= len(program) <= 40 or (version == 0 and len(program) not in (20, 32)):
        raise ValueError("it is too short or too long")
    if constant != (BECH32 if version == 0 else BECH32M):
        raise ValueError("its checksum is of the wrong kind for its version")
    return hrp, version, program


def split(text: str) -> tuple[str, list[int], int]:
    """(hrp, values without the checksum, which constant the checksum has). ValueError where it has neither."""
    if len(text) > LONGEST or any(not 33 <= ord(letter) <= 126 for letter in text):
        raise ValueError("it is too long, or holds a letter that no address has")
    if text != text.lower() and text != text.upper():
        raise ValueError("it mixes small and capital letters")
    hrp, mark, data = text.lower().rpartition("1")
    if not mark or not hrp or len(data) < _CHECKSUM or any(letter not in _VALUES for letter in data):
        raise ValueError("it is not written in the letters of segwit addresses")
    values = [_VALUES[letter] for letter in data]
    constant = _polymod([*_expanded(hrp), *values])
    if constant not in (BECH32, BECH32M):
        raise ValueError("its checksum is wrong: a letter was mistyped")
    return hrp, values[:-_CHECKSUM], constant


def regrouped(values: Iterable[int], size: int, other: int, *, padded: bool) -> list[int]:
    """Numbers of `size` bits as numbers of `other` bits. padded: zeros are added at the end; else none that are more
    than padding may be left (ValueError)."""
    held, bits, found = 0, 0, list[int]()
    for value in values:
        held, bits = (held << size | value) & ((1 << (size + other)) - 1), bits + size
        while bits >= other:
            bits -= other
            found.append(held >> bits & ((1 << other) - 1))
    rest = held & ((1 << bits) - 1)
    if padded and bits:
        found.append(rest << (other - bits))
    elif not padded and (bits >= size or rest):
        raise ValueError("its last letter holds more than padding")
    return found


def _expanded(hrp: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in hrp), 0, *(ord(letter) & 31 for letter in hrp)]


def _polymod(values: Sequence[int]) -> int:
    check = 1
    for value in values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATORS):
            check ^= generator if top >> place & 1 else 0
    return check
