"""Whole workers under each fault, many times over: no finding lost, none doubled, no lag left.

Each test prints one line of counts (``pytest -rP``). The long suite does 200 rounds of each.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from faults import FAULTS


def unharmed(fault: str, folder: Path, rounds: int) -> None:
    """Do the rounds, and tell of them."""
    outcome = FAULTS[fault](folder, rounds)
    print(outcome)  # noqa: T201
    assert outcome.rounds >= rounds
    assert outcome.findings > rounds / 10
    assert (outcome.lost, outcome.doubled) == (0, 0)
    assert outcome.lag < 30


def test_the_page_tells_what_was_measured() -> None:
    root = Path(__file__).parents[1]
    told = (root / "bench/measured/stream-faults.json").read_text("utf-8")
    rows, page = json.loads(told)["faults"], (root / "docs/stream_operations.md").read_text("utf-8")
    assert list(rows) == list(FAULTS)
    for row in rows.values():
        assert row["rounds"] >= 200
        told = f"| {row['rounds']} | {row['findings']:,} | {row['lost']} | {row['doubled']} |"
        assert f"{told} {row['lag']:.1f} s |" in page


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_ten_times(fault: str, tmp_path: Path) -> None:
    unharmed(fault, tmp_path, 10)


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_two_hundred_times(fault: str, tmp_path: Path) -> None:
    unharmed(fault, tmp_path, 200)
