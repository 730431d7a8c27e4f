"""Peers: published figures beside ours, told below the tables that hold the methods."""

from __future__ import annotations

from typing import Any

import pytest

from logwright.bench.markdown import markdown
from logwright.bench.peers import FAR, PEERS, Figure, Peer, notes
from logwright.bench.published import PUBLISHED
from logwright.bench.registry import METHODS
from logwright.bench.report import page
from logwright.bench.rows import APART


def row(method: str, **more: Any) -> dict[str, Any]:
    return {"table": "no labels", "set": "hdfs", "method": method, "f1": 0.5, **more}


def result(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"suite": "hdfs", "data": "d", "machine": {}, "rows": list(rows), "summary": {}}


def test_a_method_far_from_its_published_figure_is_told_first() -> None:
    told = list(notes([row("PCA"), row("LogCluster"), row("flag all")]))
    assert [each.partition(".")[0] for each in told] == ["LogCluster", "PCA"]
    assert told[0].startswith("LogCluster. Far from its published figure. Published F1 0.93")
    assert "not explained so far" in told[0]
    assert "Far" not in told[1]


@pytest.mark.parametrize("made", [markdown, page])
def test_a_report_says_it_below_the_table(made: Any) -> None:
    said = made([result(row("LogCluster"))])
    assert "Far from its published figure" in said
    assert said.index("Far from its") > said.index("LogCluster")
    assert "Beside published figures" not in made([result(row("flag all"))])


def test_figures_of_one_set_say_nothing_of_another() -> None:
    assert list(notes([row("LogCluster", set="bgl-windows20")])) == []


def test_under_the_published_protocol_the_row_itself_is_compared() -> None:
    one = {"table": APART, "f1_mean": 0.5, "f1_low": 0.4, "f1_high": 0.6}
    (far,) = notes([row("ECVC", **one)])
    assert "Far from" in far
    assert "0.46 apart" in far
    (near,) = notes([row("ECVC", **{**one, "f1_mean": 0.96})])
    assert "Far from" not in near
    assert list(notes([row("flag all", **one), row("LogCluster", **one)])) == []


def test_a_gap_is_that_of_the_nearest_figures() -> None:
    def peer(*ours: float) -> Peer:
        return Peer(
            "x", "", (Figure(0.9, "a"), Figure(0.8, "b")), tuple(Figure(f, "") for f in ours), ""
        )

    assert peer().gap is None
    assert not peer().far
    assert not peer(0.8 - FAR / 2, 0.1).far
    assert peer(0.1, 0.7).far


def test_peers_are_methods_of_ours_and_a_far_one_is_explained() -> None:
    names = set()
    for method in METHODS:
        try:
            names.add(method().name)
        except ImportError:
            continue
    assert {peer.method for peer in PEERS} <= names
    assert all(peer.why for peer in PEERS if peer.far)
    assert set(PUBLISHED) >= {"ECVC", "2-gram"}
