"""`run.py payout explain | proof`, `run.py verify`, `run.py audit`: why an amount is what it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from menus.commands.common import Json, Number, group, opened, screen
from menus.layout import count as number
from valtrac.domain import verify_proof
from valtrac.domain.money import bps_text, decimal_text
from valtrac.domain.policies import ALL_BPS
from valtrac.errors import Exit

if TYPE_CHECKING:
    from menus.ui import Ui
    from valtrac.domain.explain import Step
    from valtrac.services.proofs import Explained

audit = group("The books: walk the chain of receipts.")


def explain(
    batch_id: Number,
    user: str,
    full: Annotated[bool, typer.Option("--full", help="Every single snapshot.")] = False,
    as_json: Json = False,
) -> None:
    """Show how the amount of USER in a batch came about."""
    from valtrac.services import proofs

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
    from valtrac.services import proofs

    ui = screen(as_json)
    made = proofs.write_proof(opened().engine, batch_id, user, out, with_script=with_script)
    ui.done(f"Written: {out}" + ("" if made["receipt"] else "; it is not paid yet, so there is no receipt in it"))
    if as_json:
        ui.records({"file": str(out), "paid": made["receipt"] is not None})


def verify(file: Path, as_json: Json = False) -> int:
    """Check a proof of payment. Needs no database and no node."""
    from valtrac.services import proofs

    ui = screen(as_json)
    loaded, problems = proofs.verify(file)
    if as_json:
        ui.records({"good": not problems, "problems": problems})
    for problem in problems:
        ui.warn(problem)
    if not problems:
        ui.done(
            f"Good: {loaded['user']} was due {decimal_text(int(loaded['amount_rao']))} TAO in batch {loaded['batch']}."
        )
        ui.hint(f"{verify_proof.to_look_up(loaded)}.")
    return int(Exit.BAD_INPUT if problems else Exit.DONE)


@audit.command("verify")
def audit_verify(as_json: Json = False) -> int:
    """Walk all receipts (each is sealed with the one before) and all accounts (each unit is in one place)."""
    from valtrac.services import balances, proofs

    ui, engine = screen(as_json), opened().engine
    count, broken = proofs.audit(engine)
    wrong = [one.name for one in balances.unbalanced(engine)]
    if as_json:
        ui.records({"receipts": count, "first_broken": broken, "unbalanced": wrong})
    if broken is not None:
        ui.warn(f"The receipt {broken} does not follow from the one before: the database was changed by other hands.")
    for name in wrong:
        ui.warn(f"The account of {name} does not add up: the database was changed by other hands.")
    if broken is None and not wrong:
        ui.done(f"{count} receipts, each sealed with the one before; in every account each unit is in one place.")
        return int(Exit.DONE)
    return int(Exit.OUR_FAULT)


@audit.callback()
def _audit() -> None:
    """Keep `verify` a command of the group, also while it is the only one."""


def show(ui: Ui, explained: Explained, *, full: bool) -> None:
    """The way from stake to amount as tables: the sum over each stretch, or every snapshot."""
    found, line = explained.explanation, explained.line

    def percent(weight: int) -> str:
        return f"{100 * weight / found.whole:.6f}"

    ui.title(f"{found.user} in batch #{explained.batch.id}")
    rows = []
    for step in found.steps:
        blocks = f"{step.moments[0].block}-{step.moments[-1].block}"
        rows.append([blocks, f"own stake, {number(len(step.moments), 'snapshot')}", percent(step.base)])
        for tax in step.taxes:
            got = tax.referrer == found.user
            words = f"{bps_text(tax.rate_bps)} {'from ' + tax.referee if got else 'to ' + tax.referrer}"
            rows.append([blocks, words, ("" if got else "-") + percent(tax.units)])
        rows += _withheld(step, found.user, blocks, percent)
    ui.table("Parts of the pool", ["blocks", "what", "part (%)"], rows, footer=["", "together", percent(found.weight)])
    if full:
        ui.table("Snapshots", ["block", "address", "stake", "everyone's", "counts"], [
            [moment.block, address, moment.stakes.get(address, 0), moment.total, factor]
            for step in found.steps for moment, factor in zip(step.moments, step.factors, strict=True)
            for address, owner in step.owners.items() if owner == found.user])  # fmt: skip
    whole, rest, divisor = found.exact
    ui.table("The amount", ["what", "amount (TAO)"], [
        ["shared out (the pool, less a fee that it bears)", decimal_text(found.shared)],
        ["the part of it, cut off after the last rao", decimal_text(whole)],
        [f"rounding (cut off was {rest / divisor:.3f} rao)", decimal_text(line["from_pool"] - whole)],
        ["held before, released now", decimal_text(line["released"])],
        ["share of the network fee", decimal_text(-line["fee_share"])],
    ], footer=["amount" if not explained.kept else explained.kept, decimal_text(line["amount"])])  # fmt: skip


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
    found, line = explained.explanation, explained.line
    return {
        "batch": explained.batch.id, "user": found.user, "kept": explained.kept, "weight": str(found.weight),
        "whole_weight": str(found.whole), "shared": decimal_text(found.shared),
        **{name: decimal_text(line[name]) for name in ("from_pool", "released", "fee_share", "amount")},
        "steps": [{"from_block": step.moments[0].block, "to_block": step.moments[-1].block,
                   "snapshots": len(step.moments), "base": str(step.base), "weight": str(step.weight),
                   "kept_bps": step.kept_bps,
                   "taxes": [{"referee": tax.referee, "referrer": tax.referrer, "rate_bps": tax.rate_bps,
                              "weight": str(tax.units)} for tax in step.taxes]} for step in found.steps],
    }  # fmt: skip
