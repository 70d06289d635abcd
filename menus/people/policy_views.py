"""Policies and waiting addresses on the screen: one form for menus and commands."""

from __future__ import annotations

from collections.abc import Sequence

from menus.frame.plainly import short
from menus.frame.ui import Ui
from menus.frame.values import values
from valtrac.people.destinations import Waiting
from valtrac.people.policies import Policy


def policies(ui: Ui, rows: Sequence[Policy]) -> None:
    """The policies as a table, or as JSON."""
    if ui.as_json:
        ui.records(
            [
                {
                    "whom": policy.whom,
                    "policy": policy.kind.name,
                    "value": policy.shown if policy.kind.name != "redirect" else policy.value,
                    "from_block": policy.from_block,
                    "until_block": policy.until_block,
                    "words": policy.words,
                }
                for policy in rows
            ]
        )
        return
    ui.table(
        "Policies",
        ["whom", "policy", "value", "from block", "until", "why"],
        [
            [
                _name(policy.whom),
                policy.kind.name,
                policy.shown,
                policy.from_block,
                "" if policy.until_block is None else policy.until_block,
                policy.words,
            ]
            for policy in rows
        ],
        optional=["from block", "until"],
        empty="No policies: everyone earns by stake, pays the referral taxes, and is paid at their own address.",
    )


def waiting(ui: Ui, rows: Sequence[Waiting]) -> None:
    """The addresses that wait as a table, or as JSON."""
    if ui.as_json:
        ui.records(values(list(rows), "whom", "address", "reason", "until"))
        return
    ui.table(
        "Addresses that wait",
        ["whom", "address", "reason", "until UTC"],
        [
            [
                _name(wait.whom),
                wait.address,
                wait.reason,
                "until you confirm it" if wait.until is None else f"{wait.until:%Y-%m-%d %H:%M}",
            ]
            for wait in rows
        ],
        empty="No address waits: everyone can be paid.",
    )


def _name(whom: str) -> str:
    return short(whom) if len(whom) > 40 else whom
