"""What a memo asks for. Lenient about spaces, quotes and case; strict about everything else.

The words are StakeBTS's, with neutral names beside those that carried a company's. Whatever is not exactly one of
them asks for nothing: a memo is never guessed into a contract.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import Any

STOP, LOAN, TO_EXCHANGE, FROM_EXCHANGE, INVALID = (
    "stop",
    "loan",
    "custodian_to_exchange",
    "exchange_to_custodian",
    "invalid",
)
ADMIN = {
    "bmg_to_bittrex": TO_EXCHANGE,
    "bittrex_to_bmg": FROM_EXCHANGE,
    "loan_to_bmg": LOAN,
    TO_EXCHANGE: TO_EXCHANGE,
    FROM_EXCHANGE: FROM_EXCHANGE,
    LOAN: LOAN,
}
LONGEST = 2_000
LEAST_MOVE = 400  # BTS: an exchange's fee makes less than this pointless
SINGLE, DOUBLE = "'‘’‚‛‹›′`´＇", '"“”„‟«»″＂'
QUOTES = str.maketrans("", "", SINGLE + DOUBLE)
TYPED = str.maketrans(dict.fromkeys(SINGLE, "'") | dict.fromkeys(DOUBLE, '"'))  # as a keyboard would have made them
# letters that nobody sees though they count as letters or marks: joiners, fillers, blanks
UNSEEN = set("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {chr(code) for code in range(0xFE00, 0xFE10)}


@dataclass(frozen=True, slots=True)
class Request:
    """What a memo asks for.

    type: a contract's word, stop, loan, one about an exchange, or invalid. amount: whole BTS to send or fetch; account:
    the exchange account that is meant, from 1. reference: what follows a # after loan. why: of an invalid one.
    """

    type: str
    amount: int | None = None
    account: int | None = None
    reference: str = ""
    why: str = ""

    @property
    def about_exchange(self) -> bool:
        """Whether it asks for money to be sent to an exchange, or fetched from one."""
        return self.type in (TO_EXCHANGE, FROM_EXCHANGE)


def parse(words: str | None, contract_words: frozenset[str] | set[str]) -> Request:
    """What the words of a memo ask for. contract_words: such as three_months. Never raises.

    JSON with a type, the word alone, in any kind of quotes, with spaces anywhere and in any case. Letters that nobody
    sees (zero-width, soft hyphens, a byte-order mark) are no part of what was meant.
    """
    if words is None:
        return Request(INVALID, why="there is no memo")
    if len(words) > LONGEST:
        return Request(INVALID, why="the memo is too long")
    bare = "".join(letter for letter in words if not _unseen(letter))
    if not bare:
        return Request(INVALID, why="the memo is empty")
    value = _json(bare)
    if value is _AMBIGUOUS:
        return Request(INVALID, why="the memo says a thing twice")
    if isinstance(value, dict):
        return _of_object(value, contract_words)
    if isinstance(value, str):
        bare = value
    elif value is not _NO_JSON:
        return Request(INVALID, why="the memo is neither an object nor a word")
    return _of_word(bare, contract_words)


def _unseen(letter: str) -> bool:
    """Whether a letter leaves nothing on a screen: a space of any kind, a control, a mark of layout."""
    return letter.isspace() or letter in UNSEEN or unicodedata.category(letter) in ("Cc", "Cf")


def shown(request: Request) -> dict[str, Any]:
    """A request as plain values for the trail of events."""
    fields: dict[str, Any] = {"type": request.type}
    for name in ("amount", "account", "reference", "why"):
        if getattr(request, name):
            fields[name] = getattr(request, name)
    return fields


_NO_JSON, _AMBIGUOUS = object(), object()


def _json(bare: str) -> Any:
    """The value of a JSON text, also one in single quotes; one of the two marks where it is none or says two things."""
    typed = bare.translate(TYPED)
    for text in (bare, typed, typed.replace("'", '"')):
        try:
            return json.loads(text, object_pairs_hook=_once)
        except _Twice:
            return _AMBIGUOUS
        except (ValueError, RecursionError):
            continue
    return _NO_JSON


class _Twice(Exception):
    """The same key twice in one object: which one was meant cannot be known."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = {key.lower(): value for key, value in pairs}
    if len(fields) != len(pairs):
        raise _Twice
    return fields


def _of_object(value: dict[str, Any], contract_words: frozenset[str] | set[str]) -> Request:
    asked = value.get("type")
    if not isinstance(asked, str):
        return Request(INVALID, why="the memo has no type that is a word")
    request = _of_word(asked, contract_words)
    if not request.about_exchange:
        return request
    amount, account = _whole(value.get("amount")), _whole(value.get("api", value.get("account", 1)))
    if amount is None or amount <= LEAST_MOVE:
        return Request(INVALID, why=f"a move needs an amount of whole BTS above {LEAST_MOVE}")
    if account is None or not 1 <= account <= 99:
        return Request(INVALID, why="a move names an exchange account by its number, from 1")
    return Request(request.type, amount, account)


def _of_word(word: str, contract_words: frozenset[str] | set[str]) -> Request:
    bare = word.translate(QUOTES).lower()
    name, _, reference = bare.partition("#")
    if ADMIN.get(name) == LOAN:
        return Request(LOAN, reference=reference[:60])
    if bare in ADMIN:
        return Request(ADMIN[bare])
    if bare == STOP or bare in contract_words:
        return Request(bare)
    return Request(INVALID, why="the memo is none of the known words")


def _whole(value: Any) -> int | None:
    """A whole number, also as digits in a string; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    return value if type(value) is int and abs(value) < 10**15 else None
