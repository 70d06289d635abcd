"""Policies and waiting addresses on the screen: one form for menus and commands."""

from __future__ import annotations

from collections.abc import Sequence

from menus.commands.common import values
from menus.ui import Ui
from valtrac.domain.addresses import shortened
from valtrac.services.destinations import Waiting
from valtrac.services.policies import Policy


def policies(ui: Ui, found: Sequence[Policy]) -> None:
    """The policies as a table, or as JSON."""
    if ui.as_json:
        ui.records(
            [
                {
                    "whom": one.whom,
                    "policy": one.kind.name,
                    "value": one.shown if one.kind.name != "redirect" else one.value,
                    "from_block": one.from_block,
                    "until_block": one.until_block,
                    "words": one.words,
                }
                for one in found
            ]
        )
        return
    ui.table(
        "Policies",
        ["whom", "policy", "value", "from block", "until", "why"],
        [
            [
                _name(one.whom),
                one.kind.name,
                one.shown,
                one.from_block,
                "" if one.until_block is None else one.until_block,
                one.words,
            ]
            for one in found
        ],
        optional=["from block", "until"],
        empty="No policies: everyone earns by stake, pays the referral taxes, and is paid at their own address.",
    )


def waiting(ui: Ui, found: Sequence[Waiting]) -> None:
    """The addresses that wait as a table, or as JSON."""
    if ui.as_json:
        ui.records(values(list(found), "whom", "address", "reason", "until"))
        return
    ui.table(
        "Addresses that wait",
        ["whom", "address", "reason", "until UTC"],
        [
            [
                _name(one.whom),
                one.address,
                one.reason,
                "until you confirm it" if one.until is None else f"{one.until:%Y-%m-%d %H:%M}",
            ]
            for one in found
        ],
        empty="No address waits: everyone can be paid.",
    )


def _name(whom: str) -> str:
    return shortened(whom) if len(whom) > 40 else whom
