"""`run.py payout explain | proof`, `run.py verify`, `run.py audit`: why an amount is what it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from menus.frame.commands import Json, Number, opened, screen
from menus.frame.layout import count as number
from valtrac.core.money import bps_text, decimal_text
from valtrac.people.model.policies import ALL_BPS

if TYPE_CHECKING:
    from menus.frame.ui import Ui
    from valtrac.payouts.model.explain import Step
    from valtrac.payouts.proofs import Explained


def explain(
    batch_id: Number,
    user: str,
    full: Annotated[bool, typer.Option("--full", help="Every single snapshot.")] = False,
    as_json: Json = False,
) -> None:
    """Show how the amount of USER in a batch came about."""
    from valtrac.payouts import proofs

    ui = screen(as_json)
    explained = proofs.explain(opened().engine, batch_id, user)
    if as_json:
        ui.records(_record(explained))
    else:
        show(ui, explained, full=full)


def proof(
    batch_id: Number,
    user: str,
    out: Annotated[Path, typer.Option("--out", help="Where the proof goes.")],
    with_script: Annotated[
        bool, typer.Option("--with-script", help="Put the script that checks it beside it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write a proof of a payment that anyone can check: run.py verify FILE, or the script alone."""
    from valtrac.payouts import proofs

    ui = screen(as_json)
    made = proofs.write_proof(opened().engine, batch_id, user, out, with_script=with_script)
    ui.done(f"Written: {out}" + ("" if made["receipt"] else "; it is not paid yet, so there is no receipt in it"))
    if as_json:
        ui.records({"file": str(out), "paid": made["receipt"] is not None})


def show(ui: Ui, explained: Explained, *, full: bool) -> None:
    """The way from stake to amount as tables: the sum over each stretch, or every snapshot."""
    explanation, line = explained.explanation, explained.line

    def percent(weight: int) -> str:
        return f"{100 * weight / explanation.whole:.6f}"

    ui.title(f"{explanation.user} in batch #{explained.batch.id}")
    rows = []
    for step in explanation.steps:
        blocks = f"{step.moments[0].block}-{step.moments[-1].block}"
        rows.append([blocks, f"own stake, {number(len(step.moments), 'snapshot')}", percent(step.base)])
        for tax in step.taxes:
            got = tax.referrer == explanation.user
            words = f"{bps_text(tax.rate_bps)} {'from ' + tax.referee if got else 'to ' + tax.referrer}"
            rows.append([blocks, words, ("" if got else "-") + percent(tax.units)])
        rows += _withheld(step, explanation.user, blocks, percent)
    together = ["", "together", percent(explanation.weight)]
    ui.table("Parts of the pool", ["blocks", "what", "part (%)"], rows, footer=together)
    if full:
        ui.table(
            "Snapshots",
            ["block", "address", "stake", "everyone's", "counts"],
            [
                [moment.block, address, moment.stakes.get(address, 0), moment.total, factor]
                for step in explanation.steps
                for moment, factor in zip(step.moments, step.factors, strict=True)
                for address, owner in step.owners.items()
                if owner == explanation.user
            ],
        )
    whole, rest, divisor = explanation.exact
    ui.table(
        "The amount",
        ["what", "amount (TAO)"],
        [
            ["shared out (the pool, less a fee that it bears)", decimal_text(explanation.shared)],
            ["the part of it, cut off after the last rao", decimal_text(whole)],
            [f"rounding (cut off was {rest / divisor:.3f} rao)", decimal_text(line["from_pool"] - whole)],
            ["held before, released now", decimal_text(line["released"])],
            ["share of the network fee", decimal_text(-line["fee_share"])],
        ],
        footer=["amount" if not explained.kept else explained.kept, decimal_text(line["amount"])],
    )


def _withheld(step: Step, user: str, blocks: str, percent: Callable[[int], str]) -> list[list[str]]:
    """What policies took of a stretch, or of the stake that counts in it."""
    rows = []
    if user in step.limits:
        rows.append([blocks, "not all stake counts: a policy of least or most", ""])
    taxed = sum(tax.units if tax.referrer == user else -tax.units for tax in step.taxes)
    if kept := step.base + taxed - step.weight:
        words = "excluded" if step.kept_bps == ALL_BPS else f"the owner's cut of {bps_text(step.kept_bps)}"
        rows.append([blocks, words, "-" + percent(kept)])
    return rows


def _record(explained: Explained) -> dict[str, object]:
    explanation, line = explained.explanation, explained.line
    return {
        "batch": explained.batch.id,
        "user": explanation.user,
        "kept": explained.kept,
        "weight": str(explanation.weight),
        "whole_weight": str(explanation.whole),
        "shared": decimal_text(explanation.shared),
        **{name: decimal_text(line[name]) for name in ("from_pool", "released", "fee_share", "amount")},
        "steps": [
            {
                "from_block": step.moments[0].block,
                "to_block": step.moments[-1].block,
                "snapshots": len(step.moments),
                "base": str(step.base),
                "weight": str(step.weight),
                "kept_bps": step.kept_bps,
                "taxes": [
                    {
                        "referee": tax.referee,
                        "referrer": tax.referrer,
                        "rate_bps": tax.rate_bps,
                        "weight": str(tax.units),
                    }
                    for tax in step.taxes
                ],
            }
            for step in explanation.steps
        ],
    }
