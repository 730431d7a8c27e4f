"""Results in a terminal: tables line up, are cut where they are too wide, and lose no row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from logwright.bench.plain import text
from logwright.bench.results import read_result

RESULT: dict[str, Any] = {
    "suite": "own",
    "machine": {"cpu": "x"},
    "data": "d",
    "settings": {},
    "rows": [
        {"method": "a", "set": "s", "f1": 0.98765, "tp": 12345},
        {"method": "longer name", "set": "s", "f1": 1.0, "tp": 1, "note": "n" * 90},
    ],
    "summary": {"f1": 0.98765, "big": 123456.7, "said": {"why": ["first", "second"]}},
}


def test_a_table_lines_up_and_tells_once_what_all_rows_share() -> None:
    shown = text(RESULT).splitlines()
    assert shown[0] == "set s"
    assert shown[2].split() == ["method", "f1", "tp", "note"]
    assert set(shown[3]) == {"-", " "}
    assert shown[4].split() == ["a", "0.9877", "12,345"]
    end = shown[2].index("tp") + 2
    assert [line[:end].split()[-1] for line in shown[4:6]] == ["12,345", "1"]
    assert shown[-5:] == ["f1: 0.9877", "big: 123,457", "said, why:", "  first", "  second"]


def test_what_is_long_is_cut_in_tables_and_wrapped_elsewhere() -> None:
    shown = text({**RESULT, "summary": {"told": "word " * 60}}).splitlines()
    assert "n" * 90 not in "".join(shown)
    assert max(map(len, shown)) <= 100
    assert " ".join(shown).count("word") == 60


def test_an_empty_result_is_text_too() -> None:
    assert text({**RESULT, "rows": [], "summary": {}}) == "\n"


@pytest.mark.parametrize("suite", ["bgl-raw", "feedback", "rules", "throughput"])
def test_committed_results_fit_a_wide_screen(suite: str) -> None:
    path = Path(__file__).parents[1] / "bench" / "results" / f"{suite}.json"
    shown = text(read_result(path))
    assert max(map(len, shown.splitlines())) <= 230
    assert all(str(row.get("method", ""))[:45] in shown for row in read_result(path)["rows"])
