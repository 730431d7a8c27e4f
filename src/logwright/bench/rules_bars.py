"""Bars of the rules: what was aimed at before they were measured, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from logwright.bench.bar import Bar
from logwright.bench.rules_drawn import MIXES
from logwright.bench.rules_speed import BGL, HDFS, MIX

__all__ = ["bars"]

Row = Mapping[str, Any]

_RULES, _ASKED = "rules", "rules, unseen, ask once"
_LEAST = {HDFS: 1.0, BGL: 1.0, MIX: 0.6}
"""Million lines/s by 100 rules."""


def bars(rows: Sequence[Row]) -> list[Bar]:
    """The bars whose rows are there; a quick run has few of them."""
    return [
        *_alerts([row for row in rows if row.get("set") == "bgl-raw"]),
        *_months([row for row in rows if row.get("set") == "bgl-windows20"]),
        *_sessions([row for row in rows if row.get("set") == "hdfs"]),
        *_classes([row for row in rows if row.get("set") == "hadoop"]),
        *_rates({row["what"]: row for row in rows if "what" in row}),
    ]


def _of(rows: Iterable[Row], method: str) -> list[Row]:
    return [row for row in rows if row["method"] == method]


def _alerts(rows: Sequence[Row]) -> Iterator[Bar]:
    of = "BGL, first 100,000 lines by 100"
    for row in _of(rows, _RULES):
        if "without" not in row["history"]:
            yield Bar(of, "bgl100_f1", "F1 of rules alone", row["f1"], 0.97)
    for row in _of(rows, _ASKED):
        if "without" in row["history"]:
            kind = row["history"].rpartition(" ")[2]
            told = f"{kind} held out, rules and questions"
            yield Bar(of, f"bgl100_{kind}_f1", f"F1, {told}", row["f1"], 0.95)
            asked = f"questions, {told}"
            yield Bar(of, f"bgl100_{kind}_questions", asked, row["questions"], 10, most=True)


def _months(rows: Sequence[Row]) -> Iterator[Bar]:
    of = "BGL by 20 lines over months, the worst length of history"
    if alone := _of(rows, _RULES):
        least = min(row["precision"] for row in alone)
        yield Bar(of, "bgl20_precision", "precision of rules alone", least, 0.94)
        yield Bar(of, "bgl20_f1", "F1 of rules alone", min(row["f1"] for row in alone), 0.65)
        yield Bar(of, "bgl20_goal", "precision of rules alone (goal)", least, 0.97)
    if asked := _of(rows, _ASKED):
        least = min(row["f1"] for row in asked)
        yield Bar(of, "bgl20_asked_f1", "F1, rules and questions", least, 0.97)
        most = max(row["questions"] for row in asked)
        yield Bar(of, "bgl20_questions", "questions", most, 40, most=True)


def _sessions(rows: Sequence[Row]) -> Iterator[Bar]:
    for row in _of(rows, _RULES):
        of = "HDFS, labels of the first 60 %"
        yield Bar(of, "hdfs_f1", "F1 of rules alone", row["f1"], 0.995)
        yield Bar(of, "hdfs_rules", "rules", row["rules"], 40, most=True)


def _classes(rows: Sequence[Row]) -> Iterator[Bar]:
    of = "Hadoop, classes of applications, one left out"
    mine = [row for row in rows if row["history"] == "all but one application"]
    by = {row["method"]: row for row in mine}
    if _RULES not in by:
        return
    rules, forest = by[_RULES], by["random forest"]
    floor = by["floor: commonest class"]
    yield Bar(of, "hadoop_accuracy", "accuracy", rules["accuracy"], 0.7)
    above = rules["accuracy"] - forest["accuracy"]
    yield Bar(of, "hadoop_above_forest", "accuracy above the forest", above, 0.0001)
    for name, other in (("forest", forest), ("commonest class", floor)):
        above = rules["macro_f1"] - other["macro_f1"]
        key = f"hadoop_macro_f1_above_{name.replace(' ', '_')}"
        yield Bar(of, key, f"macro-F1 above that of the {name}", above, 0.0001)


def _rates(rows: Mapping[str, Row]) -> Iterator[Bar]:
    for mix in MIXES:
        of, key = f"100 rules of {mix} over raw lines", mix.replace(", ", "_").replace(" ", "_")
        for name, aim in _LEAST.items():
            row = rows.get(f"{name}: 100 rules of {mix}")
            if row is None:
                continue
            short = f"{key}_{name.split('-')[0].split()[0]}"
            yield Bar(of, f"{short}_rate", f"{name}, M lines/s", row["M_lines_per_s"], aim)
            told = f"{name}, times the plain functions, both with reading"
            yield Bar(of, f"{short}_times_plain", told, row["times_plain"], 10)
            few, many = (rows[f"{name}: {n} rules of {mix}"] for n in ("10", "1,000"))
            cost = "seconds_of_rules_per_M_lines"
            told = f"{name}, cost of 1,000 rules as times that of 10"
            grown = round(many[cost] / few[cost], 1)
            yield Bar(of, f"{short}_growth", told, grown, 100, most=True)
