"""What the node does with a request, whatever it came over: read it, let the faults strike, answer or hang up."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from valtrac.core.errors import ValtracError
from valtrac.devnet.bitshares import faults, rpc, shapes, state
from valtrac.devnet.bitshares.keys import PREFIX
from valtrac.devnet.bitshares.packing import NodeError

LOG_LENGTH = 10_000
MOST_BYTES = 1 << 22


@dataclass(frozen=True, slots=True)
class Request:
    """A call, and what strikes it. slow_s: how long its answer takes."""

    number: Any
    api: Any
    method: str
    args: list[Any]
    hit: dict[str, Any]

    @property
    def slow_s(self) -> float:
        return float(self.hit.get("slow", 0))


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back. hangs_up: whether the connection breaks then."""

    frames: tuple[str, ...] = ()
    hangs_up: bool = False


INVALID = Reply((json.dumps({"id": None, "jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid"}}),))
HANGS_UP = Reply(hangs_up=True)


class Endpoint:
    """The node of one file. log: the newest requests, as they came.

    key_prefix: what it writes before public keys, and expects before them; keys with another are refused.
    """

    def __init__(self, path: Path | str, *, key_prefix: str = PREFIX) -> None:
        self.path = Path(path)
        self.key_prefix = key_prefix
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        state.connect(self.path)

    def received(self, frame: str | bytes) -> Request | None:
        """The request in a frame, faults counted down; None where it is none."""
        try:
            request = json.loads(self._read(frame))
            number = request["id"]
            named, given = request["method"], request["params"]
            api, method, args = given if named == "call" else (0, named, given)
            method, args = str(method), list(args)
        except (ValueError, KeyError, TypeError):
            return None
        self.log.append(request)
        return Request(number, api, method, args, faults.struck(state.connect(self.path), method))

    def answered(self, request: Request | None) -> Reply:
        """Carry it out, and what goes back."""
        if request is None:
            return INVALID
        hit, number = request.hit, request.number
        if "down" in hit or "lose_request" in hit:
            return HANGS_UP
        reply = {"id": number, "jsonrpc": "2.0", **self.result(request)}
        if "lose_reply" in hit:
            return HANGS_UP
        if "hang" in hit:
            return Reply()
        frames = []
        if "wrong_id" in hit:
            other = number + 1000 if isinstance(number, int) else 1000
            frames.append(json.dumps({"id": other, "jsonrpc": "2.0", "result": None}))
        if "garbage" in hit:
            frames.append(_garbage(hit["garbage"], number))
        else:
            frames.append(_keyed(json.dumps(shapes.fc_json(reply)), PREFIX, self.key_prefix))
        return Reply(tuple(frames))

    def result(self, request: Request) -> dict[str, Any]:
        """{"result"} or {"error"} of a request that has reached the node."""
        hit = request.hit
        if "error" in hit:
            return {"error": shapes.error(10, "assert_exception", "this rehearsal node was told to fail")}
        try:
            behind, wrong_chain = int(hit.get("behind", 0)), bool(hit.get("wrong_chain_id"))
            result = rpc.call(
                self.path, request.api, request.method, request.args, behind=behind, wrong_chain=wrong_chain
            )
        except NodeError as error:
            return {"error": shapes.error(error.code, error.name, str(error))}
        except ValtracError as error:
            return {"error": {"code": -32000, "message": error.what, "data": None}}
        except (TypeError, KeyError, ValueError, IndexError, AttributeError, OverflowError, sqlite3.Error) as error:
            return {"error": {"code": -32603, "message": f"Internal error: {error!r}", "data": None}}
        return {"result": result}

    def _read(self, frame: str | bytes) -> str:
        """A request with keys as they are within. One of another chain keeps its prefix, and so is none within."""
        text = frame if isinstance(frame, str) else frame.decode()
        if self.key_prefix == PREFIX:
            return text
        return _keyed(_keyed(text, PREFIX, "XXX"), self.key_prefix, PREFIX)


def _keyed(text: str, old: str, new: str) -> str:
    """JSON with the prefix of every public key in it exchanged: nothing else in it has the shape of one."""
    return text if old == new else re.sub(rf'"{old}([1-9A-HJ-NP-Za-km-z]{{35,52}})"', rf'"{new}\1"', text)


def _garbage(left: Any, number: Any) -> str:
    """No JSON, then JSON of another shape, in turn."""
    count = sum(left.values()) if isinstance(left, dict) else left
    if int(count) % 2:
        return "<html><body>502 Bad Gateway</body></html>"
    return json.dumps({"id": number, "jsonrpc": "2.0", "result": {"unexpected": [1, None, "shape"]}})
