"""Asking a node: whatever goes wrong on the way becomes ChainUnreachable, which says what was asked and what failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from valtrac.chains.untrusted import Missing, Untrusted
from valtrac.core.errors import ChainUnreachable, ValtracError
from valtrac.core.text import plain

Errors = tuple[type[Exception], ...]


class Asker:
    """Whoever asks nodes of one network.

    passing: what is not put into words here. errors_told: what is raised where a node answers with an error of its own.
    malformed: what reading an answer raises that has not the shape of one.
    """

    passing: ClassVar[Errors] = (ValtracError,)
    errors_told: ClassVar[Errors] = ()
    malformed: ClassVar[Errors] = (KeyError, TypeError, IndexError, AttributeError)
    fix_missing: ClassVar[str] = "wait for it, or ask another node"

    def __init__(self, network: str, timeout_s: float) -> None:
        self.network = network
        self.timeout_s = timeout_s

    def distrusted(self, why: str) -> tuple[str, str]:
        """(the node that gave an answer which cannot be so, what happens now or is to be done), in words."""
        return "", "ask another node"

    @contextmanager
    def in_words(self, what: str) -> Iterator[None]:
        """Ask inside of it. Raises ChainUnreachable for whatever goes wrong."""
        unlike_an_answer: Errors = (Untrusted, *self.malformed)
        try:
            yield
        except self.passing:
            raise
        except self.errors_told as error:
            raise self._silent(what, error) from error
        except TimeoutError as error:
            raise ChainUnreachable(
                f"the {self.network} node did not answer within {self.timeout_s:g} s",
                why=f"asked for {what}",
                fix="check the connection, then try again",
            ) from error
        except Missing as error:
            raise ChainUnreachable(
                f"the {self.network} node does not have {what}", why=plain(error), fix=self.fix_missing
            ) from error
        except unlike_an_answer as error:
            asked, fix = self.distrusted(plain(error))
            raise ChainUnreachable(
                f"the {self.network} node answered with something that cannot be trusted",
                why=f"asked {asked + ' ' if asked else ''}for {what}: {plain(error)}",
                fix=fix,
            ) from error
        except Exception as error:
            raise self._silent(what, error) from error

    def _silent(self, what: str, error: Exception) -> ChainUnreachable:
        return ChainUnreachable(
            f"the {self.network} node did not tell {what}",
            why=plain(error),
            fix="check the connection and the node, then try again",
        )
