"""What other rules would have meant, on the screen."""

from __future__ import annotations

from pathlib import Path

from charts import paint, what_if
from menus.ui import Ui
from valtrac.domain.what_if import Outcome

MOST_ROWS = 20


def outcome(ui: Ui, found: Outcome) -> None:
    """Who gains and who loses, the pool, and what the owner keeps; as tables or as JSON."""
    if ui.as_json:
        ui.records(
            {
                "pool": {"was": found.pool.was, "would_be": found.pool.would_be},
                "owner": {"was": found.owner.was, "would_be": found.owner.would_be},
                "below_minimum": list(found.below),
                "rows": [{"name": row.name, "was": row.was, "would_be": row.would_be} for row in found.rows],
            }
        )
        return
    shown = found.rows[:MOST_ROWS] if ui.out.is_terminal else found.rows
    ui.table(
        "Earned from the chain and the pool together",
        ["who", "was (TAO)", "would be (TAO)", "change (TAO)"],
        [
            [row.name, f"{row.was:.6f}", f"{row.would_be:.6f}", f"{row.would_be - row.was:+.6f}"]
            for row in (found.owner, *shown)
        ],
    )
    if len(shown) < len(found.rows):
        ui.hint(
            f"and {len(found.rows) - len(shown):,} more with smaller changes; all of them with --json or --out FILE"
        )
    ui.hint("The owner's line is the take income less what is shared out; own stake is not in it.")
    ui.hint(f"The pool was {found.pool.was:,.9f} TAO and would be {found.pool.would_be:,.9f} TAO. Nothing was stored.")
    ui.drawing(what_if.sketch(found.rows, unit="TAO", width=ui.out.width))
    if found.below:
        ui.hint(f"{len(found.below):,} would get less than the minimum from one such pool, and be held.")


def picture(ui: Ui, found: Outcome, path: Path) -> None:
    """The chart of who gains and who loses, as a file. Raises BadInput where it cannot be written."""
    paint.save(what_if.draw(found.rows, unit="TAO"), path)
    ui.done(f"Written: {path}")
