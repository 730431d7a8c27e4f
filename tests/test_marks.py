"""Marks: what labels say of windows, and whose verdicts are labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import InputError
from logwright.findings.verdict import Subject, Undo, Verdict
from logwright.marks import ABNORMAL, NORMAL, UNKNOWN, of_windows, verdicts_in
from logwright.store import NAME, open_store
from logwright.windows.window import Windows

MARK = st.sampled_from([UNKNOWN, NORMAL, NORMAL, NORMAL, ABNORMAL, ABNORMAL + 1])


@given(st.lists(st.lists(MARK, min_size=1, max_size=6), max_size=8))
def test_a_window_has_the_mark_of_its_first_abnormal_line(marks: list[list[int]]) -> None:
    windows = Windows.of_sequences([[0] * len(held) for held in marks])
    rows = np.array([mark for held in marks for mark in held], np.int32)
    wanted = [
        next((m for m in held if m >= ABNORMAL), UNKNOWN if UNKNOWN in held else NORMAL)
        for held in marks
    ]
    assert of_windows(windows, rows).tolist() == wanted


def said(by: str) -> Verdict:
    subject = Subject(pattern="p-00000000000000aa", detector="unseen", unit="template")
    return Verdict(word="real", subjects=(subject,), by=by)


def model_with(folder: Path, *by: str, undone: int | None = None) -> Path:
    with open_store(folder / NAME) as store:
        store.add_entries([said(name) for name in by], [{} for _ in by])
        if undone is not None:
            store.add_entries([Undo(undoes=undone, by="ann")], [{}])
    return folder


def test_the_word_of_a_model_is_left_out_where_people_spoke(tmp_path: Path) -> None:
    entries, told = verdicts_in(model_with(tmp_path, "model:m", "ann", "model:m"))
    assert [e.by for e in entries] == ["ann"]
    assert told == "1 verdict; 2 of a language model left out"


def test_the_word_of_a_model_counts_where_nobody_else_spoke(tmp_path: Path) -> None:
    entries, told = verdicts_in(model_with(tmp_path, "model:m"))
    assert [e.by for e in entries] == ["model:m"]
    assert "language model, as people gave none" in told


def test_what_was_taken_back_is_no_verdict(tmp_path: Path) -> None:
    entries, told = verdicts_in(model_with(tmp_path, "ann", "model:m", undone=1))
    assert {e.by for e in entries if isinstance(e, Verdict)} >= {"model:m"}
    assert told.startswith("1 verdict of a language model")
    with pytest.raises(InputError, match="holds no verdicts"):
        verdicts_in(model_with(tmp_path / "other", "bob", undone=1))
