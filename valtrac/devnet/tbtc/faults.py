"""Misbehaviour on demand, of whichever server: named, counted down, ended."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import Any

from valtrac.core.errors import BadInput


class Faults:
    """The faults of one server. Threads may share it."""

    def __init__(
        self,
        known: Mapping[str, str],
        *,
        first: Collection[str] = (),
        lasting: Collection[str] = (),
        shown: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        """known: fault -> what it does. first: those that end a request before anything is done, so that the counts of
        the others are not used up. lasting: those that bear a value of their own and are in force until they are
        ended. shown: fault -> the methods it shows in, where not in all.
        """
        self.known = dict(known)
        self._first, self._lasting, self._shown = frozenset(first), frozenset(lasting), dict(shown or {})
        self._active: dict[str, Any] = {}
        self._lock = threading.Lock()

    def set(self, **named: Any) -> None:
        """Misbehave from now on. A fault takes n for the next n requests that show it, True until it is ended, or
        {"method": n} for the next n of one method; 0, False or {} ends it.

        Raises BadInput for an unknown one; nothing changes then.
        """
        unknown = [name for name in named if name not in self.known]
        if unknown:
            raise BadInput(
                f"the rehearsal cannot misbehave like that: {', '.join(unknown)}", fix=f"one of {', '.join(self.known)}"
            )
        with self._lock:
            for name, value in named.items():
                self._put(name, value)

    def clear(self) -> None:
        """End every fault."""
        with self._lock:
            self._active.clear()

    def active(self) -> dict[str, Any]:
        """The faults in force."""
        with self._lock:
            return dict(self._active)

    def lasting(self, name: str) -> Any:
        """The value of one that lasts; None while it is not in force."""
        with self._lock:
            return self._active.get(name)

    def strike(self, method: str) -> frozenset[str]:
        """The faults that strike this request, counted down."""
        hits = set()
        with self._lock:
            counted = [name for name in self._active if name not in self._lasting]
            for name in sorted(counted, key=lambda name: name not in self._first):
                if not self._hits(name, method):
                    continue
                hits.add(name)
                self._put(name, _one_less(self._active[name], method))
                if name in self._first:
                    break
        return frozenset(hits)

    def _hits(self, name: str, method: str) -> bool:
        value = self._active[name]
        if isinstance(value, Mapping):
            return bool(value.get(method))
        return method in self._shown.get(name, (method,))

    def _put(self, name: str, value: Any) -> None:
        self._active.pop(name, None)
        if value:
            self._active[name] = value


def _one_less(value: Any, method: str) -> Any:
    if value is True:
        return True
    if isinstance(value, Mapping):
        left = {**value, method: _one_less(value[method], method)}
        return {name: count for name, count in left.items() if count}
    return value - 1
