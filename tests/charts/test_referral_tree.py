"""The referral tree: everyone below the referrer, flows as wide as they are, and no tree too deep or too wide."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import PathCollection

from charts import referral_tree
from charts.drawing import trees
from tests.charts.samples import TREE, bare, tree_of, words_of
from valtrac.reports.model.statistics import Flow, ReferralTree, Share

SMALL = ReferralTree(
    {"a": Share("alice", 50, 54), "b": Share("bob", 30, 27), "c": Share("carol", 20, 19)},
    (Flow("b", "a", 1000, 3.0), Flow("c", "a", 500, 1.0)),
)


def curves(figure: object) -> PathCollection:
    return next(one for one in figure.axes[0].collections if isinstance(one, PathCollection))  # type: ignore[attr-defined]


def test_a_node_tells_name_and_adjusted_share_and_a_branch_its_rate() -> None:
    figure = TREE.draw(SMALL)
    assert {"alice  54.00 %", "bob  27.00 %", "carol  19.00 %", "10 %", "5 %"} <= set(words_of(figure))


def test_a_branch_is_as_wide_as_what_flows() -> None:
    wide, narrow = np.atleast_1d(curves(TREE.draw(SMALL)).get_linewidth())
    assert (wide - 0.6) / (narrow - 0.6) == pytest.approx(3.0)


def test_the_terminal_draws_branches_with_rate_share_and_flow() -> None:
    rows = bare(TREE.sketch(SMALL)).splitlines()
    assert rows[-3].split() == ["alice", "54.00"]
    assert rows[-2].split() == ["├─", "10", "%", "bob", "27.00", "3.00"]
    assert rows[-1].split() == ["└─", "5", "%", "carol", "19.00", "1.00"]


def test_two_hundred_names_are_drawn_and_more_are_told() -> None:
    assert "drawn are" not in TREE.draw(TREE.rows(200)).texts[1].get_text()
    figure = TREE.draw(TREE.rows(900))
    assert "900 names, 899 branches" in figure.texts[1].get_text()
    assert "drawn are 200" in figure.texts[1].get_text()


def test_rows_stand_apart_so_that_no_label_lies_on_another() -> None:
    figure = TREE.draw(TREE.rows(200))
    inches = figure.get_figheight() / max(text.get_position()[1] for text in figure.axes[0].texts)
    assert inches > 0.29
    places = [text.get_position() for text in figure.axes[0].texts if "user-" in text.get_text()]
    assert len(places) == len(set(places)) == 200


def test_a_chain_of_two_thousand_is_cut_and_says_how_many_are_below() -> None:
    flows = tuple(Flow(f"u{n}", f"u{n - 1}", 1000, 1.0) for n in range(1, 2_000))
    deep = ReferralTree({f"u{n}": Share(f"u{n}", 1, 1) for n in range(2_000)}, flows)
    more = f"+ {2_000 - referral_tree.DEEPEST:,} more below"
    assert more in words_of(TREE.draw(deep))
    assert more in bare(TREE.sketch(deep))


def test_a_circle_is_drawn_once_and_ends() -> None:
    circle = ReferralTree({}, (Flow("a", "b", 100, 1.0), Flow("b", "a", 100, 1.0)))
    assert bare(TREE.sketch(circle)).count("(see above)") == 1
    TREE.draw(circle)


def test_somebody_below_two_referrers_has_its_own_below_one_of_them_only() -> None:
    two = ReferralTree({}, (Flow("c", "a", 1, 2.0), Flow("c", "b", 1, 1.0), Flow("d", "c", 1, 1.0)))
    drawn = bare(TREE.sketch(two))
    assert drawn.count("d ") >= 1
    assert "c (see above)" in drawn
    assert "3 branches" in drawn


NAMES = st.sampled_from("abcdefgh")
FLOWS = st.lists(st.builds(Flow, NAMES, NAMES, st.integers(0, 10_000), st.integers(0, 3).map(float)), max_size=20)


@given(FLOWS, st.integers(1, 10), st.integers(1, 5))
def test_any_web_of_referrals_becomes_a_tree_within_its_limits(flows: list[Flow], most: int, deepest: int) -> None:
    tree = ReferralTree({}, tuple(flows))
    forest = trees.planted(tree, most=most, deepest=deepest)
    everyone = {name for flow in flows for name in (flow.referee, flow.referrer)}
    nodes = [node for node, _ in trees.walk(forest.tops)]
    whole = [node.name for node in nodes if not node.again]
    assert len(whole) == len(set(whole)) == forest.shown <= most
    assert forest.shown + forest.left_out == len(everyone)
    assert all(node.depth < deepest for node in nodes)
    assert all(child.flow is not None and child.flow.referrer == node.name for node in nodes for child in node.below)


def test_a_tree_of_names_alone_is_drawn() -> None:
    assert "user" in TREE.sketch(tree_of(["user"]))
