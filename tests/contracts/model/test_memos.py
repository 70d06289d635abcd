"""Memos: lenient about spaces, quotes and case, never guessed into a contract."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valtrac.contracts.model.memos import INVALID, LOAN, Request, parse

WORDS = frozenset({"three_months", "six_months", "twelve_months"})


@pytest.mark.parametrize(
    ("memo", "type_"),
    [
        ("three_months", "three_months"),
        (" six_months ", "six_months"),
        ("' six_months", "six_months"),
        ("six_months  '", "six_months"),
        ('"six_months"', "six_months"),
        ("'six_months'", "six_months"),
        ('"si x_ mon ths"', "six_months"),
        ("si x_ mon  ths", "six_months"),
        ("Three_Months", "three_months"),
        ("TWELVE_MONTHS\n", "twelve_months"),
        ('{"type":"twelve_months"}', "twelve_months"),
        ('{ "type" : "six_months" , "x":1}', "six_months"),
        ("{'type': 'six_months'}", "six_months"),
        ('{"Type":"STOP"}', "stop"),
        ('"stop"', "stop"),
        ("stop", "stop"),
        ("loan_to_bmg", "loan"),
        ("loan", "loan"),
        ('{"type":"loan_to_bmg"}', "loan"),
        ("‘six_months’", "six_months"),
        ("„six_months“", "six_months"),
        ("«six_months»", "six_months"),
        ("″six_months″", "six_months"),
        ("six\u200b_months", "six_months"),
        ("\ufeffsix_months", "six_months"),
        ("six\u00ad_mon\u00adths", "six_months"),
        ("\u2060stop\u200d", "stop"),
        ("s\u2800top\ufe0f", "stop"),
        ("\u202estop\u202c", "stop"),
        ("{“type”: “twelve_months”}", "twelve_months"),
        ("{‘type’:‘stop’}", "stop"),
        ('\ufeff{"ty\u200bpe":"stop"}', "stop"),
        ("{\u00ab\u00adtype\u00bb:\u00abstop\u00bb}", "stop"),
    ],
)
def test_what_the_documents_promise_is_understood(memo: str, type_: str) -> None:
    assert parse(memo, WORDS).type == type_


@pytest.mark.parametrize(
    "memo",
    [
        None,
        "",
        "   ",
        "123",
        "null",
        "true",
        "[]",
        "{}",
        '{"type":["stop"]}',
        '{"type":null}',
        '{"type":1}',
        "four_months",
        "stop please",
        "not six_months",
        "six_months,three_months",
        '{"type":"stop","type":"six_months"}',
        '{"type":"stop","TYPE":"six_months"}',
        "[" * 900,
        "x" * 5_000,
        "six-months",
        "sixmonths",
        "\x00",
        '{"type":"bmg_to_bittrex"}',
        '{"type":"bmg_to_bittrex","amount":400}',
        '{"type":"bmg_to_bittrex","amount":-500}',
        '{"type":"bmg_to_bittrex","amount":500.5}',
        '{"type":"bmg_to_bittrex","amount":500,"api":0}',
        '{"type":"bmg_to_bittrex","amount":true}',
        '{"type":"bmg_to_bittrex","amount":1e400}',
    ],
)
def test_anything_else_asks_for_nothing_and_says_why(memo: str | None) -> None:
    request = parse(memo, WORDS)
    assert request.type == INVALID
    assert request.why


def test_a_move_names_amount_and_account_under_old_and_new_names() -> None:
    for word in ("bmg_to_bittrex", "custodian_to_exchange"):
        asked = parse(json.dumps({"type": word, "amount": 500, "api": 2}), WORDS)
        assert asked == Request("custodian_to_exchange", 500, 2)
    for word in ("bittrex_to_bmg", "exchange_to_custodian"):
        asked = parse(json.dumps({"type": word, "amount": "1000"}), WORDS)
        assert asked == Request("exchange_to_custodian", 1000, 1)


def test_a_loan_may_carry_the_reference_by_which_it_is_known() -> None:
    assert parse("loan#0a1b", WORDS) == Request(LOAN, reference="0a1b")
    assert parse('{"type":"loan_to_bmg#0a1b"}', WORDS) == Request(LOAN, reference="0a1b")


noise = st.sampled_from([" ", "\t", "\n", '"', "'", ""])
known = st.sampled_from(["three_months", "six_months", "twelve_months", "stop"])
pieces = st.sampled_from(
    [
        "three",
        "six",
        "_months",
        "stop",
        "type",
        "{",
        "}",
        '"',
        "'",
        ":",
        ",",
        " ",
        "[",
        "]",
        "\\",
        "loan",
        "#",
        "1",
        "e9",
    ]
)


@settings(max_examples=600, deadline=None)
@given(st.lists(pieces, max_size=14).map("".join) | st.text(max_size=80))
def test_no_memo_is_a_crash_and_none_becomes_a_contract_that_it_does_not_name(memo: str) -> None:
    request = parse(memo, WORDS)
    if request.type in WORDS or request.type == "stop":
        letters = "".join(letter for letter in memo.lower() if letter.isalpha() or letter == "_")
        assert request.type in letters
        others = (WORDS | {"stop"}) - {request.type}
        bare = "".join(memo.split()).strip("\"'‘’“”`\0").lower()
        assert memo.lstrip().startswith("{") or not any(other in bare for other in others)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=120))
def test_bytes_that_somebody_encrypted_are_never_a_crash(raw: bytes) -> None:
    assert parse(raw.decode("utf-8", "replace"), WORDS).type


@settings(max_examples=500, deadline=None)
@given(known, st.lists(st.tuples(st.integers(0, 14), noise), max_size=6), st.booleans())
def test_spaces_quotes_at_the_ends_and_case_do_not_change_a_word(
    word: str, put: list[tuple[int, str]], shout: bool
) -> None:
    memo = word.upper() if shout else word
    for place, letter in put:
        if letter.strip():
            memo = letter + memo + letter
        else:
            memo = memo[:place] + letter + memo[place:]
    assert parse(memo, WORDS).type == word
