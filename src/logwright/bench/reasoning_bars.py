"""Bars of reasoning: what was aimed at before it was measured, and what came of it. All are on
held-out items; those of a language model are told by the same figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from logwright.bench.bar import Bar

__all__ = ["bars"]

Row = Mapping[str, Any]

_HELD_OUT = {
    "templates": (("token_f1", "token F1", 0.90), ("exact", "exactly right", 0.60)),
    "anomalies": (("f1", "F1", 0.75), ("precision", "precision", 0.75)),
    "incidents": (
        ("macro_recall", "macro recall of the injected fault", 0.60),
        ("causal_in_first_3", "a causal line among the first 3 cited", 0.80),
    ),
}
_MS = 50.0
_FEWER = 5.0


def bars(rows: Sequence[Row], engine: str) -> list[Bar]:
    """The bars whose rows are there."""
    mine = [row for row in rows if row["method"] == engine]
    return [*_held_out(mine), *_citations(mine), *_speed(rows), *_fast(rows)]


def _held_out(rows: Sequence[Row]) -> Iterator[Bar]:
    for row in rows:
        if "unseen" in row.get("set", row.get("source", "")):
            for key, what, aim in _HELD_OUT.get(row["table"], ()):
                if key in row:
                    yield Bar(row["table"], f"{row['table']}_{key}", what, row[key], aim)


def _citations(rows: Sequence[Row]) -> Iterator[Bar]:
    cited = [row["citations_valid"] for row in rows if "citations_valid" in row]
    if cited:
        least = min(cited)
        yield Bar("citations", "citations_valid", "valid, the worst of all sets", least, 1.0)


def _speed(rows: Sequence[Row]) -> Iterator[Bar]:
    for row in rows:
        if row["table"] == "an incident of 10,000 lines" and row["source"].endswith(", alone"):
            task = row["source"].removesuffix(", alone")
            told = f"ms of a processor, {task}"
            key = f"incident_ms_{task.replace('-', '_')}"
            yield Bar(row["table"], key, told, row["cpu_ms_median"], _MS, most=True)


def _fast(rows: Sequence[Row]) -> Iterator[Bar]:
    for row in rows:
        if row["table"] == "answer first" and row["source"] == "worked examples, all tasks":
            told = "times fewer tokens before the answer, worked examples"
            yield Bar(row["table"], "times_fewer_before", told, row["times_fewer_before"], _FEWER)
            told = "times fewer until its first line is whole (not asked for)"
            yield Bar(row["table"], "times_fewer", told, row["times_fewer"], _FEWER)
