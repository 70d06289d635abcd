"""A chain as it is during one look: what was read is not asked for again while many transactions are looked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from valtrac.payments.door import Door

READ_ONCE = ("identity", "finalized", "block")


class _Remembering:
    """Whatever the chain is, with three of its answers kept."""

    def __init__(self, chain: object) -> None:
        self._chain = chain
        self._known: dict[tuple[str, tuple[Any, ...]], Any] = {}

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._chain, name)
        return self._once(name, asked) if name in READ_ONCE else asked

    def _once(self, name: str, ask: Callable[..., Any]) -> Callable[..., Any]:
        def answer(*values: Any) -> Any:
            key = (name, values)
            if key not in self._known:
                self._known[key] = ask(*values)
            return self._known[key]

        return answer


def of(door: Door) -> Door:
    """The same door for one look: every node is asked once for each block, and for what is final."""
    chain, *witnesses = (cast("Any", _Remembering(each)) for each in (door.chain, *door.witnesses))
    return replace(door, chain=chain, witnesses=tuple(witnesses))
