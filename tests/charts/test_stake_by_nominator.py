"""Stake by nominator: areas on top of each other that add up to the whole."""

from __future__ import annotations

import pytest

from charts import stake_by_nominator
from charts.drawing import paint
from tests.charts.samples import STACK, at, bare, legend_of, stack
from valtrac.reports.model.statistics import StakeStack


def top(area: object) -> float:
    return float(area.get_paths()[0].vertices[:, 1].max())  # type: ignore[attr-defined]


def test_each_name_is_an_area_and_the_last_ends_at_the_sum() -> None:
    rows = stack(30)
    (axes,) = STACK.draw(rows).axes
    assert axes.get_ylabel() == "stake (TAO)"
    assert len(axes.collections) == 3
    assert top(axes.collections[-1]) == pytest.approx(max(map(sum, zip(*rows.stakes.values(), strict=True))))
    assert axes.get_ylim()[0] == 0


def test_the_names_stand_beside_in_the_order_of_the_areas_and_others_are_grey() -> None:
    (axes,) = STACK.draw(stack(30)).axes
    assert legend_of(axes) == ["others", "bob", "alice"]
    from matplotlib.colors import to_hex

    assert to_hex(axes.collections[-1].get_facecolor()[0]) == paint.OTHERS


def test_more_than_a_dozen_names_are_added_up_as_others() -> None:
    rows = StakeStack((at(0), at(1)), {f"n{n}": (1.0, 1.0) for n in range(40)} | {"others": (5.0, 5.0)})
    (axes,) = STACK.draw(rows).axes
    assert len(axes.collections) == stake_by_nominator.MOST + 1
    assert top(axes.collections[-1]) == 45
    assert "28.00" not in bare(STACK.sketch(rows))
    assert any(row.startswith("others") and "33.00" in row for row in bare(STACK.sketch(rows)).splitlines())


def test_long_names_are_shortened_in_the_middle() -> None:
    (axes,) = STACK.draw(StakeStack((at(0), at(1)), {"5" * 30 + "end": (1.0, 1.0)})).axes
    assert legend_of(axes)[0].endswith("555end")
    assert "…" in legend_of(axes)[0]


def test_one_snapshot_is_a_bar_two_hours_wide() -> None:
    (axes,) = STACK.draw(stack(1)).axes
    assert [top(area) for area in axes.collections] == [50, 70, 79]
    across = axes.collections[0].get_paths()[0].vertices[:, 0]
    assert (across.max() - across.min()) * 24 == pytest.approx(2)
    low, high = axes.get_xlim()
    assert high - low == pytest.approx(1)


def test_the_terminal_tells_stake_and_part_of_each() -> None:
    row = next(row for row in bare(STACK.sketch(stack(30))).splitlines() if row.startswith("alice"))
    assert row.endswith("54.00 62.1 %")
    assert "█" in row
