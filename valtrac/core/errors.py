"""Every error that reaches the owner: what happened, why, what to do, and whether money moved."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Literal

from valtrac.core.endpoints import shown

Moved = Literal["no", "yes", "unknown"]


class Exit(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    OUR_FAULT = 1
    BAD_INPUT = 2
    REFUSED = 3
    UNREACHABLE = 4
    UNKNOWN = 5


class ValtracError(Exception):
    """Something the owner has to know.

    what: one sentence, what happened. why: the cause, or "". fix: the next step, or "".
    moved: "no"; "yes" when payments had landed before it happened, which `why` counts; "unknown" when a
    transaction left this machine and was not seen again.
    problems: all the single findings, where there are several (one per bad row, say).
    The address of a node loses whatever may be a key on its way in here, whoever wrote the words.
    """

    exit_code: Exit = Exit.OUR_FAULT

    def __init__(
        self, what: str, *, why: str = "", fix: str = "", moved: Moved = "no", problems: Sequence[str] = ()
    ) -> None:
        what, why = shown(what), shown(why)
        super().__init__(what, why)
        self.what = what
        self.why = why
        self.fix = shown(fix)
        self.moved: Moved = moved
        self.problems = tuple(map(shown, problems))

    def __str__(self) -> str:
        return f"{self.what}: {self.why}" if self.why else self.what

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for `--json`."""
        return {
            "error": self.what,
            "why": self.why,
            "fix": self.fix,
            "moved": self.moved,
            "problems": list(self.problems),
            "exit_code": int(self.exit_code),
        }


class BadInput(ValtracError):
    """What was typed or read cannot be used; nothing was changed."""

    exit_code = Exit.BAD_INPUT


class Refused(ValtracError):
    """A rule of the owner's or of the payment door says no; nothing was changed."""

    exit_code = Exit.REFUSED


class Unpayable(Refused):
    """Nothing can be signed for these addresses; what goes to others is not touched by it."""

    def __init__(self, what: str, *, addresses: Sequence[str], why: str = "", fix: str = "") -> None:
        super().__init__(what, why=why, fix=fix)
        self.addresses = frozenset(addresses)


class NotYet(Refused):
    """Nothing can be signed at this moment of the chain's time; a little later it can."""


class ChainUnreachable(ValtracError):
    """The node did not answer, or answered with something that cannot be trusted."""

    exit_code = Exit.UNREACHABLE


class OutcomeUnknown(ValtracError):
    """A transaction left this machine and its fate is not known yet: reconcile."""

    exit_code = Exit.UNKNOWN

    def __init__(self, what: str, *, why: str = "", fix: str = "", problems: Sequence[str] = ()) -> None:
        super().__init__(what, why=why, fix=fix, moved="unknown", problems=problems)
