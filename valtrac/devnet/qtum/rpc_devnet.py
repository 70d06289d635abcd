"""The controls of the rehearsal over the wire: `devnet_` and the name of a function of `control`, `world` or `faults`,
with its arguments by name or in order, the directory left out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from valtrac.core.errors import BadInput
from valtrac.devnet.qtum import control, faults, world
from valtrac.devnet.qtum.rpc import METHODS, Call, Handler, Method
from valtrac.devnet.qtum.world import Person

CONTROLS: dict[str, Callable[..., Any]] = {
    **{
        name: getattr(control, name)
        for name in (
            *("produce", "reorganise", "double_spend", "pay", "fund", "delegate", "undelegate", "set_clock"),
            *("set_connections", "set_staking", "configure", "balances", "addresses", "audit", "status"),
        )
    },
    "misbehave": faults.misbehave,
    "clear": faults.clear,
}


def _arguments(call: Call) -> Any:
    """Arguments by name, also where they come as the only one in a list; else in order."""
    given = call.args[0] or {}
    return given[0] if isinstance(given, list) and len(given) == 1 and isinstance(given[0], dict) else given


def _of(call: Call, run: Callable[..., Any]) -> Path:
    """Faults are the node's own; all else is done to the chain."""
    return call.node if call.node is not None and run in (faults.misbehave, faults.clear) else call.directory


def _handler(run: Callable[..., Any]) -> Handler:
    names = list(inspect.signature(run).parameters)[1:]

    def handle(call: Call) -> Any:
        given = _arguments(call)
        named = given if isinstance(given, dict) else dict(zip(names, given, strict=False))
        try:
            inspect.signature(run).bind(where := _of(call, run), **named)
        except TypeError as error:
            raise BadInput("the controls of the rehearsal do not take that", why=str(error)) from error
        return run(where, **named)

    return handle


def _add_person(call: Call) -> str:
    given = _arguments(call)
    return world.add_person(call.directory, Person(**given if isinstance(given, dict) else {}))


for _name, _run in CONTROLS.items():
    METHODS[f"devnet_{_name}"] = Method(_handler(_run), {"arguments": "any?"}, False)
METHODS["devnet_add_person"] = Method(_add_person, {"arguments": "any?"}, False)
METHODS["devnet_faults"] = Method(lambda _: dict(faults.FAULTS), {"arguments": "any?"}, False)
