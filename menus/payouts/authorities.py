"""`run.py payout authorities` and `payout pin-authorities`: who decides what is final, and the owner's word on it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from menus.frame.commands import Json, opened, screen
from menus.frame.layout import count
from valtrac.core.errors import BadInput, Refused
from valtrac.core.finality import Origin, Pin

SOURCES = {
    Origin.ONE_NODE: "at the first contact, on one node's word",
    Origin.TWO_NODES: "at the first contact; two nodes have the block",
    Origin.FOLLOWED: "followed from the set before, which agreed to it",
    Origin.OWNER: "on the owner's word",
    Origin.FORCED: "nobody: it was forced",
}


def authorities(as_json: Json = False) -> None:
    """Show who is pinned as deciding what is final; at the first contact with a network, pin them."""
    ui, valtrac = screen(as_json), opened()
    try:
        valtrac.finality.keep_up()
        pin = valtrac.finality.pinned()
    finally:
        valtrac.close()
    _show(ui, "Who decides what is final", pin)
    if pin.stopped:
        ui.warn(f"Nothing counts as proven: {pin.words}.")
    elif pin.origin == Origin.ONE_NODE:
        ui.warn("They are pinned on one node's word: compare them with another node, VALTRAC_SECOND_ENDPOINT.")
    if as_json:
        ui.records(record(pin))


def pin_authorities(
    words: Annotated[str, typer.Option("--words", help="Why another set is to count; kept for ever.")],
    set_number: Annotated[
        int | None, typer.Option("--set", min=0, help="The number of the new set, typed back; asked for without it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Have those count who decide now, as the nodes prove it, in the place of those that are pinned."""
    if len(words.strip()) < 5:
        raise BadInput("say in a few words why", fix='--words "announced in the release notes of 1 May"')
    ui, valtrac = screen(as_json), opened()
    try:
        old, new = valtrac.finality.pinned(), valtrac.finality.told(words.strip())
        _show(ui, "Pinned until now", old)
        _show(ui, "As the nodes prove it now", new)
        typed = set_number
        if typed is None and ui.can_ask:
            typed = new.number if ui.type_to_confirm(_what(old, new), word=str(new.number)) else None
        if typed != new.number:
            raise Refused(
                f"set {old.number} stays pinned",
                why=f"the number of the new set was not typed back: the nodes tell of set {new.number}",
                fix=f"if it is to count: run.py payout pin-authorities --set {new.number} --words WHY",
            )
        valtrac.finality.pin(new)
    finally:
        valtrac.close()
    ui.done(f"Set {new.number} is pinned at block {new.block}, in the place of set {old.number}.")
    if as_json:
        ui.records({"old": record(old), "new": record(new)})


def record(pin: Pin) -> dict[str, Any]:
    """A pinned set for a program."""
    return {
        "set": pin.number,
        "block": pin.block,
        "block_hash": pin.block_hash,
        "pinned": str(pin.origin),
        "words": pin.words,
        "stopped": pin.stopped,
        "proven_block": None if pin.stopped else pin.proven_block,
        "needed": pin.authorities.needed,
        "authorities": [{"key": "0x" + key.hex(), "weight": weight} for key, weight in pin.weights],
    }


def _what(old: Pin, new: Pin) -> str:
    kept = len({key for key, _ in old.weights} & {key for key, _ in new.weights})
    return (
        f"This pins set {new.number} of {count(len(new.weights), 'voter')} in the place of set {old.number}; "
        f"{kept} of them were in that one. Blocks that they vote for count as proven to be final."
    )


def _show(ui: Any, title: str, pin: Pin) -> None:
    if ui.as_json:
        return
    ui.table(
        f"{title}: set {pin.number}, block {pin.block}, {SOURCES[pin.origin]}",
        ["no", "authority", "weight"],
        [[place, "0x" + key.hex(), weight] for place, (key, weight) in enumerate(pin.weights, 1)],
    )
    if not pin.stopped and pin.proven_block > pin.block:
        ui.hint(f"The newest block that is proven to be final: {pin.proven_block}.")
