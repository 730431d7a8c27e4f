"""The blocks that stand in hand-written pages: measurements of feedback, and published figures."""

from __future__ import annotations

from typing import Any

from logwright.bench.grids import cell
from logwright.bench.markdown import table
from logwright.bench.peers import PEERS
from logwright.bench.rows import is_floor

__all__ = ["feedback", "peers"]

Result = dict[str, Any]


def feedback(found: dict[str, Result]) -> str:
    """The block of measurements on the page of feedback: the rows with the usual history."""
    result = found.get("feedback")
    if result is None:
        return ""
    usual = {row["set"]: row["history"] for row in reversed(result["rows"])}
    sets = list(dict.fromkeys(row["set"] for row in result["rows"]))
    every = [
        row
        for row in result["rows"]
        if row["history"] == usual[row["set"]]
        # The floors of one table stand in the other as well.
        and (row["table"] == "no labels" or not is_floor(row))
    ]
    head = ("set", "method", "questions", "F1", "precision", "recall")
    rows = [
        tuple(cell(row.get(key.lower())) for key in head)
        for name in sets
        for row in every
        if row["set"] == name
    ]
    first = {row["set"]: row for row in reversed(every)}
    facts = "".join(
        f"- {name}: {row['lines']}; history is the first {row['history']}, its normal windows by "
        f"their labels; {row['windows']:,} test windows ({row['window']}), "
        f"{row['positive_rate']:.2%} abnormal, {row['distinct_windows']:,} distinct, "
        f"{row['test_seen_in_train']:.1%} seen in training; no LLM calls.\n"
        for name, row in ((name, first[name]) for name in sets)
    )
    return (
        "By `logwright bench run feedback`: history is the first part of each set, then findings "
        "come in order of time, and the true labels answer what is asked. An alarm that came "
        "before its answer stays counted. Rows with other lengths of history are in "
        "[results](results.md#feedback); `--json` also writes what each window got "
        "([bench](bench.md#detection)).\n\n"
        f"{facts}\n"
        f"{table([head, *rows])}\n"
        "![F1 by the number of questions answered, on HDFS and BlueGene/L](feedback.svg)\n"
    )


def peers() -> str:
    """The block of published figures on the page of methods."""
    rows = [("Method", "Published F1", "Here", "Apart", "Why")]
    for peer in PEERS:
        gap = "" if peer.gap is None else f"{peer.gap:.2g}" + " (far)" * peer.far
        rows.append(
            (
                peer.method,
                ", ".join(map(str, peer.published)),
                ", ".join(map(str, peer.ours)) or "not measured",
                gap,
                peer.why,
            )
        )
    return table(rows)
