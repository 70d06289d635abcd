"""The pool on the screen: whether everything adds up, the node's settings beside ours, and what comes over."""

from __future__ import annotations

from collections.abc import Sequence

from menus.frame.ui import Ui
from menus.pool import records
from menus.pool.records import coins
from valtrac.core.money import qtum
from valtrac.pool.audit import Audit
from valtrac.pool.coming_over import Found
from valtrac.pool.model.old_config import OldSetting
from valtrac.pool.overview import Check


def checks(ui: Ui, rows: Sequence[Check]) -> bool:
    """What was looked at; whether nothing is wrong."""
    if ui.as_json:
        ui.records([records.check(row) for row in rows])
    else:
        marks = {True: "good", False: "BAD", None: "?"}
        ui.table(
            "Configuration check",
            ["", "what", "how it is"],
            [[marks[row.good], row.name, row.words] for row in rows],
            empty="",
        )
        for row in rows:
            if row.fix and not row.good:
                ui.hint(f"{row.name}: {row.fix}")
    return all(row.good is not False for row in rows)


def audit(ui: Ui, told: Audit) -> bool:
    """Whether everything adds up."""
    whole = not told.problems and not told.unexplained
    if ui.as_json:
        ui.records(records.audit(told))
        return whole
    ui.facts(
        [
            ("rewards", str(qtum(told.rewards))),
            ("paid", str(qtum(told.landed))),
            *([("under way", str(qtum(told.paid - told.landed)))] if told.paid != told.landed else []),
            ("held for delegates", str(qtum(told.held))),
            ("the pool's", f"{qtum(told.revenue)}, before the network's fees"),
            *([("taken over", str(qtum(told.opening)))] if told.opening else []),
            ("unexplained", f"{told.unexplained} satoshi"),
            ("payments looked up", told.verified.looked_up if told.verified else "none"),
        ]
    )
    for moved in told.moved:
        ui.hint(
            f"{moved.attempt.tx_id} stands in block {moved.head.number} now: the chain exchanged its newest blocks."
        )
    for words in told.problems:
        ui.warn(words)
    if whole:
        ui.done("Everything adds up, to the satoshi.")
    return whole


def found(ui: Ui, told: Found) -> None:
    """What is taken over from an older program."""
    file = told.file
    if ui.as_json:
        ui.records(
            {
                "file": str(told.path),
                "block": file.block,
                "delegates": len(file.shares),
                "shares_qtum": coins(sum(file.shares.values())),
                "revenue_qtum": coins(file.revenue),
                "difference_qtum": coins(file.difference),
                "doubled": list(file.doubled),
                "strangers": list(told.strangers),
                "passed_over": [{"file": str(path), "block": block} for path, block in told.passed_over],
            }
        )
        return
    ui.facts(
        [
            ("file", told.path),
            ("its block", f"{file.block:,}: rewards are counted from {file.block + 1:,} on"),
            ("delegates", f"{len(file.shares)} with {qtum(sum(file.shares.values()))}"),
            ("revenue", str(qtum(file.revenue))),
            ("difference", f"{qtum(file.difference)} beyond the shares: it belongs to nobody, and is never paid"),
        ]
    )
    for address in file.doubled:
        ui.warn(f"{address} stands there twice: both are added")
    for path, block in told.passed_over[:5]:
        ui.hint(f"{path.name} of block {block:,} is older and was passed over")


def old_settings(ui: Ui, rows: Sequence[OldSetting]) -> None:
    """What the old configuration says, what it was taken for, what it becomes."""
    if ui.as_json:
        ui.records(
            [
                {
                    "key": row.key,
                    "line": row.line,
                    "written": row.written,
                    "taken": row.taken,
                    "differs": row.differs,
                    "becomes": row.becomes,
                    "value": row.value,
                }
                for row in rows
            ]
        )
        return
    ui.table(
        "PPMConfig.txt",
        ["key", "written", "taken for", "becomes"],
        [
            [
                row.key,
                row.written if row.line else "(missing)",
                row.taken + (" (!)" if row.differs else ""),
                f"{row.becomes}={row.value}" if row.value and row.becomes.startswith("VALTRAC_") else row.becomes,
            ]
            for row in rows
        ],
        empty="",
    )
    differing = [row.key for row in rows if row.differs]
    if differing:
        ui.warn(
            f"The old program worked with something else than what is written: {', '.join(differing)}. Choose yourself."
        )
