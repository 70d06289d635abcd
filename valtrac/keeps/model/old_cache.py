"""The cache of the old bot, `keeps.json`: a hint of which keeps there are. Pure.

It is no more than that: the old bot wrote it keep by keep, and began after its newest block, so that keeps of a block
that it had written half of are not in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from valtrac.keeps.model.collateral import SATOSHI
from valtrac.keeps.model.states import DepositState

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_LOT = re.compile(r"([0-9]{1,4})(?:\.([0-9]{1,8}))?")
_STATES = {state.name: state for state in DepositState}
MOST_MEMBERS = 16


@dataclass(frozen=True, slots=True)
class CachedKeep:
    """A keep as the old bot knew it. Addresses in lower case; lot: satoshi; state, percent: None where it had not
    asked."""

    keep: str
    deposit: str
    block: int
    lot: int
    members: tuple[str, ...]
    state: DepositState | None
    percent: int | None

    def watched_for(self, operators: Collection[str]) -> bool:
        """Whether one of the operators, in whatever case, is a member, and its deposit is not over."""
        mine = {operator.lower() for operator in operators}
        return bool(mine & set(self.members)) and not (self.state is not None and self.state.final)


class NotACache(ValueError):
    """What is wrong in a file, each with the keep that it is about. problems: in words."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def read(text: str) -> list[CachedKeep]:
    """The keeps of a cache, by block. Raises NotACache with everything that is not so; nothing is half taken."""
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotACache([f"it is not JSON: {error}"]) from error
    if not isinstance(loaded, dict):
        raise NotACache(["it is not a list of keeps by their addresses"])
    keeps, problems = list[CachedKeep](), list[str]()
    for address, entry in loaded.items():
        try:
            keeps.append(_keep(str(address), entry))
        except _Wrong as wrong:
            problems.append(f"{str(address)[:60]}: {wrong}")
    if problems:
        raise NotACache(problems)
    return sorted(keeps, key=lambda each: (each.block, each.keep))


class _Wrong(Exception):
    pass


def _keep(address: str, entry: Any) -> CachedKeep:
    if not isinstance(entry, Mapping):
        raise _Wrong("it has no fields")
    return CachedKeep(
        keep=_address(address, "the keep's own address"),
        deposit=_address(entry.get("deposit", entry.get("tdt")), "deposit"),
        block=_whole(entry.get("block"), "block"),
        lot=_lot(entry.get("lot")),
        members=_members(entry.get("signers")),
        state=_state(entry.get("state")),
        percent=_percent(entry.get("collateralization")),
    )


def _address(value: Any, name: str) -> str:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise _Wrong(f"{name} is no address")
    return value.lower()


def _whole(value: Any, name: str) -> int:
    if type(value) is not int or not 0 <= value < 2**48:
        raise _Wrong(f"{name} is a whole number")
    return value


def _lot(value: Any) -> int:
    match = _LOT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _Wrong('lot is BTC in a string, such as "0.01"')
    return int(match[1]) * SATOSHI + int((match[2] or "").ljust(8, "0"))


def _members(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_MEMBERS:
        raise _Wrong("signers are a list of addresses")
    return tuple(_address(each, "a signer") for each in value)


def _state(value: Any) -> DepositState | None:
    if value is None:
        return None
    if value not in _STATES:
        raise _Wrong("its state is unknown")
    return _STATES[value]


def _percent(value: Any) -> int | None:
    """A whole number, or as the old bot's library writes big ones: {"type": "BigNumber", "hex": "0x80"}."""
    if value is None:
        return None
    if isinstance(value, Mapping) and value.get("type") == "BigNumber":
        written = value.get("hex")
        if isinstance(written, str) and re.fullmatch(r"0x[0-9a-fA-F]{1,12}", written):
            return int(written, 16)
    elif type(value) is int and 0 <= value < 2**48:
        return value
    raise _Wrong("its collateralization is no number")
