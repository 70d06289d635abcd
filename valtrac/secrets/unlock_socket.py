"""How a background job gets its secrets: over a local socket that only its owner can open, into memory only.

The job starts locked. What is handed in is one line of JSON; the answer says whether it opened anything. Neither is
written anywhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from valtrac.core.errors import BadInput, Refused, ValtracError
from valtrac.core.text import plain

LARGEST = 64 * 1024
ANSWER_S = 60.0  # an exchange may be asked whether it knows its keys
LINE_S = 3.0  # for handing in: whoever connects and says nothing keeps nobody else waiting for longer


class Keyhole:
    """Listens at a socket of mode 0600 for the life of a job. take: called with what was handed in; raises
    ValtracError where it opens nothing; returns words of success."""

    def __init__(self, path: Path, take: Callable[[dict[str, Any]], str]) -> None:
        self.path, self._take = path, take
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            self._socket.bind(str(path))
        finally:
            os.umask(before)
        self._socket.listen(4)
        self._thread = threading.Thread(target=self._serve, name="keyhole", daemon=True)
        self._thread.start()

    def __enter__(self) -> Keyhole:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the socket away, and end the thread that waits at it: closing alone would leave it there for ever."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            with line:
                try:
                    line.settimeout(LINE_S)
                    line.sendall(json.dumps(self._answer(line)).encode() + b"\n")
                except (OSError, ValueError):
                    continue

    def _answer(self, line: socket.socket) -> dict[str, Any]:
        if _uid(line) not in (os.getuid(), None):
            return {"ok": False, "what": "only the owner of this process may unlock it"}
        try:
            given = json.loads(_read(line))
            if not isinstance(given, dict):
                raise ValueError
            return {"ok": True, "what": self._take(given)}
        except ValtracError as error:
            return {"ok": False, "what": error.what, "why": error.why, "fix": error.fix}
        except Exception as error:  # whatever it was, its text could hold what was handed in: its kind alone is told
            return {"ok": False, "what": "what was handed in could not be used", "why": type(error).__name__}


def hand_in(path: Path, given: Mapping[str, Any]) -> str:
    """Hand secrets to the job that listens there; return its words.

    Raises BadInput where none listens, Refused where they open nothing.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(ANSWER_S)
            line.connect(str(path))
            line.sendall(json.dumps(dict(given)).encode() + b"\n")
            answer = json.loads(_read(line))
    except TimeoutError as error:
        raise Refused(
            "the background job did not answer",
            why="it may be at work, or busy with another unlocking",
            fix="try again",
        ) from error
    except (OSError, ValueError) as error:
        raise BadInput("the background job does not listen", why=plain(error), fix="start it first") from error
    if not answer.get("ok"):
        raise Refused(
            plain(answer.get("what", "it stayed locked")),
            why=plain(answer.get("why", "")),
            fix=plain(answer.get("fix", "")),
        )
    return plain(answer.get("what", ""))


def _read(line: socket.socket) -> str:
    received = b""
    while not received.endswith(b"\n"):
        part = line.recv(4096)
        if not part:
            break
        received += part
        if len(received) > LARGEST:
            raise ValueError("too long")
    return received.decode()


def _uid(line: socket.socket) -> int | None:
    """Who is at the other end; None where the system does not tell (the socket's mode stands alone then)."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    raw = line.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i"))
    return int(struct.unpack("3i", raw)[1])
