"""What other rules would have meant, on the screen."""

from __future__ import annotations

from pathlib import Path

from charts import what_if
from charts.drawing import paint
from menus.frame.pictures import tell_boxes
from menus.frame.ui import Ui
from valtrac.reports.model.what_if import Outcome

MOST_ROWS = 20


def outcome(ui: Ui, result: Outcome) -> None:
    """Who gains and who loses, the pool, and what the owner keeps; as tables or as JSON."""
    if ui.as_json:
        ui.records(
            {
                "pool": {"was": result.pool.was, "would_be": result.pool.would_be},
                "owner": {"was": result.owner.was, "would_be": result.owner.would_be},
                "below_minimum": list(result.below),
                "rows": [{"name": row.name, "was": row.was, "would_be": row.would_be} for row in result.rows],
            }
        )
        return
    shown = result.rows[:MOST_ROWS] if ui.out.is_terminal else result.rows
    ui.table(
        "Earned from the chain and the pool together",
        ["who", "was (TAO)", "would be (TAO)", "change (TAO)"],
        [
            [row.name, f"{row.was:.6f}", f"{row.would_be:.6f}", f"{row.would_be - row.was:+.6f}"]
            for row in (result.owner, *shown)
        ],
    )
    if len(shown) < len(result.rows):
        ui.hint(
            f"and {len(result.rows) - len(shown):,} more with smaller changes; all of them with --json or --out FILE"
        )
    ui.hint("The owner's line is the take income less what is shared out; own stake is not in it.")
    pool = result.pool
    ui.hint(f"The pool was {pool.was:,.9f} TAO and would be {pool.would_be:,.9f} TAO. Nothing was stored.")
    ui.drawing(what_if.sketch(result.rows, unit="TAO", width=ui.out.width))
    if result.below:
        ui.hint(f"{len(result.below):,} would get less than the minimum from one such pool, and be held.")


def picture(ui: Ui, result: Outcome, path: Path) -> None:
    """The chart of who gains and who loses, as a file. Raises BadInput where it cannot be written."""
    figure = what_if.draw(result.rows, unit="TAO")
    paint.save(figure, path)
    ui.done(f"Written: {path}")
    tell_boxes(ui, figure, path)
