"""The protocol: time first, nothing of the test part is learned, the same seed the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.bench import drain, series
from logwright.bench.datasets import of_files
from logwright.bench.fitted import Fitted
from logwright.bench.hdfs import EventIds
from logwright.bench.labelled import learn_templates, read_lines
from logwright.bench.loaders.sessions import with_sessions
from logwright.bench.loaders.tables import read_table
from logwright.bench.methods.base import Needs
from logwright.bench.methods.floors import FlagAll
from logwright.bench.parts import LeakError, Marks, Part, Split, Train
from logwright.bench.predictions import Predictions
from logwright.bench.protocol import Cut, cuts, learned, random_split, seen_first, splits, threshold
from logwright.bench.runner import Case, rows_of
from logwright.bench.series import Ready
from logwright.bench.stress import mislabelled, renamed, transferred, without_kind
from logwright.bench.view import View
from logwright.detectors.base import Floats
from logwright.errors import LogwrightError
from logwright.settings import Settings
from logwright.windows.window import Windows


def ready(sequences: Sequence[Sequence[int]], truth: Sequence[bool] | None = None) -> Ready:
    windows = Windows.of_sequences(sequences)
    labels = np.zeros(len(sequences), bool) if truth is None else np.array(truth)
    size = int(windows.events.template.max()) + 1
    return Ready(Part(windows, labels), EventIds(size), [f"event {i}" for i in range(size)])


SERIES = ready([[i % 3, i % 5] for i in range(200)], [i % 7 == 0 for i in range(200)])


def rows(part: Part) -> set[int]:
    return set(part.windows.events.row.tolist())


class Spy:
    """Remembers what it was given."""

    natural: float | None = None
    seeded = False

    def __init__(self, needs: Needs = "normal", seen: list[Train] | None = None) -> None:
        self.name, self.needs, self.seen = f"spy {needs}", needs, seen

    def fit(self, train: Train) -> None:
        if self.seen is not None:
            self.seen.append(train)

    def score(self, windows: Windows) -> Floats:
        return windows.events.template[windows.bounds[:-1]].astype(np.float64)


@given(st.integers(40, 3_000), st.integers(1, 6))
def test_parts_follow_one_another_with_a_gap(n: int, offsets: int) -> None:
    series = ready([[0]] * n)
    found = list(cuts(series, offsets))
    assert [cut.offset for cut in found] == [round(i / 10, 1) for i in range(offsets)]
    for cut in found:
        assert cut.train.start < cut.train.stop == cut.validation.start
        assert cut.validation.stop + 1 == cut.test.start < cut.test.stop <= n
    assert found[0].train.start == 0
    assert found[-1].test.stop >= n - 1


def test_too_few_windows_are_said_to_be() -> None:
    with pytest.raises(LogwrightError, match="3 windows are too few"):
        list(cuts(ready([[0]] * 3), 5))
    with pytest.raises(LogwrightError, match="1 to 9"):
        list(cuts(SERIES, 10))


def test_no_line_is_in_two_parts_and_none_goes_back_in_time() -> None:
    for split in splits(SERIES, 5):
        train, validation, test = (rows(p) for p in (split.train, split.validation, split.test))
        assert max(train) < min(validation) <= max(validation) < min(test)


def test_a_random_split_repeats_no_line_and_comes_again() -> None:
    first, again = random_split(SERIES, 3), random_split(SERIES, 3)
    assert rows(first.train) == rows(again.train) != rows(random_split(SERIES, 4).train)
    assert not rows(first.test) & (rows(first.train) | rows(first.validation))
    assert (len(first.train), len(first.validation), len(first.test)) == (140, 20, 40)


def test_templates_of_train_come_first_and_texts_go_with_them() -> None:
    series = ready([[4], *[[2]] * 70, *[[0, 4]] * 29])
    split = next(splits(series, 1))
    assert split.known == 2
    assert split.texts is not None
    assert split.texts[:2] == ["event 2", "event 4"]
    held = {split.texts[t] for t in split.test.windows.events.template.tolist()}
    assert held == {"event 0", "event 4"}
    kept = split.vocabulary.hashes[split.test.windows.events.template]
    assert set(kept.tolist()) == set(series.vocabulary.hashes[[0, 4]].tolist())


def test_who_needs_normal_windows_does_not_know_templates_of_abnormal_ones() -> None:
    series = ready([[0], [1], *[[0]] * 98], [False, True, *[False] * 98])
    train, _, split = learned(next(splits(series, 1)), "normal")
    assert split.known == 1
    assert not train.truth.any()
    train, _, split = learned(next(splits(series, 1)), "nothing")
    assert (split.known, int(train.truth.sum())) == (2, 1)


class Leaky(Ready):
    """Cuts as it should, and hands some of the test part out: to what learns, or to what sets the
    threshold."""

    def leaked(self, split: Split) -> Split:
        return replace(split, train=split.test)

    def split(self, cut: Cut) -> Split:
        return self.leaked(super().split(cut))


class LeakyThreshold(Leaky):
    def leaked(self, split: Split) -> Split:
        return replace(split, validation=split.test.select(np.arange(len(split.test)) == 0))


@pytest.mark.parametrize("kind", [Leaky, LeakyThreshold])
def test_windows_of_the_test_part_fail_the_run(kind: type[Leaky]) -> None:
    leaky = kind(SERIES.part, SERIES.vocabulary, SERIES.texts)
    case = Case("set", "windows 1-200", "session", "session", leaky)
    with pytest.raises(LeakError, match="of the test part were learned from"):
        rows_of(case, [lambda: Spy("nothing")], 2, [0], None, Predictions(None))


def test_methods_are_given_nothing_of_the_test_part_and_labels_only_where_they_need_them() -> None:
    seen: list[Train] = []
    needs: list[Needs] = ["nothing", "normal", "labels"]
    case = Case("set", "windows 1-200", "session", "session", SERIES)
    makes = [lambda need=need: Spy(need, seen) for need in needs]
    rows_of(case, makes, 3, [0], None, Predictions(None))
    cuts_of = list(splits(SERIES, 3))
    assert len(seen) == 4 * 3  # three offsets and the random split
    for number, train in enumerate(seen[:9]):
        test = rows(cuts_of[number // 3].test)
        assert not test & set(train.windows.events.row.tolist())
        assert not test & set(train.validation.events.row.tolist())
        assert (train.truth is not None) == (needs[number % 3] == "labels")


def test_templates_are_learned_from_the_lines_of_train_alone(tmp_path: Path) -> None:
    log, labels = tmp_path / "a.log", tmp_path / "a.labels"
    log.write_text("job 1 done\n" * 140 + "brand new statement 7\n" * 60)
    labels.write_text("0\n" * 200)
    split = next(splits(of_files(log, labels).series("10"), 1))
    assert split.texts is not None
    assert split.texts[: split.known] == ["job <*> done"]
    assert len(split.texts) == 2
    assert set(split.test.windows.events.template.tolist()) == {1}


def test_the_row_tells_range_and_one_possible_triple() -> None:
    case = Case("set", "windows 1-200", "session", "session", SERIES)
    found, times = rows_of(case, [Spy], 5, [0, 1, 2], None, Predictions(None))
    row = found[0]
    assert row["f1_low"] <= row["f1"] <= row["f1_high"]
    assert (row["offsets"], row["seeds"]) == (5, 1)  # a method without chance is run once
    assert row["labels_used"] == "normal windows chosen"
    assert list(row)[:6] == ["table", "set", "lines", "grouping", "window", "method"]
    assert not any("seconds" in key for key in row)
    assert set(times["spy normal"]) == {"fit_seconds", "score_seconds"}


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=300), st.floats(0.1, 5_000))
def test_a_threshold_keeps_to_its_budget(scores: list[int], budget: float) -> None:
    values = np.array(scores, np.float64)
    alarms = threshold(values, budget).alarms(values)
    assert alarms.sum() <= max(budget * len(values) / 10_000, 0)
    assert not alarms[values == values.min()].any()


def test_stress_changes_what_it_says_and_nothing_else() -> None:
    split = next(splits(SERIES, 1))
    noisy = mislabelled(split, 0.1, seed=0)
    assert int((noisy.train.truth ^ split.train.truth).sum()) == round(len(split.train) / 10)
    assert (noisy.test.truth == split.test.truth).all()
    new = renamed(split, 0.1, seed=0)
    assert int(new.test.windows.events.template.max()) == len(split.vocabulary)
    assert len(new.vocabulary) == len(new.texts or ()) == len(split.vocabulary) + 1
    assert (new.train.windows.events.template == split.train.windows.events.template).all()
    kinds = ["a" if i % 2 else "b" for i in range(len(split.train))]
    less = without_kind(replace(split, train=replace(split.train, kinds=kinds)), "a")
    assert set(less.train.kinds or ()) == {"b"}


def test_another_system_shares_templates_by_text_and_no_line() -> None:
    split = seen_first(next(splits(SERIES, 1)))
    other = ready([[0, 1]] * 10)
    moved = transferred(split, other.part, other.vocabulary, ["event 3", "elsewhere"])
    assert moved.texts is not None
    assert [moved.texts[t] for t in moved.test.windows.events.template[:2]] == [
        "event 3",
        "elsewhere",
    ]
    assert not rows(moved.test) & rows(moved.train)
    View(moved).of("normal")  # the guard finds nothing to say


def own_log(folder: Path) -> series.Lines:
    """A log whose last part holds a statement of its own."""
    log, labels = folder / "a.log", folder / "a.labels"
    log.write_text("job 1 done\n" * 140 + "brand new statement 7\n" * 60)
    labels.write_text("0\n" * 180 + "1\n" * 20)
    found = of_files(log, labels).series("10")
    assert isinstance(found, series.Lines)
    return found


def test_templates_learned_from_the_test_part_fail_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = own_log(tmp_path)
    View(next(splits(lines, 1))).of("normal")

    def all_of_it(log: Any, rows: Any) -> Any:
        return learn_templates(log, np.arange(len(log), dtype=np.int64))

    monkeypatch.setattr(series, "learn_templates", all_of_it)
    with pytest.raises(LeakError, match="lines of the test part were learned from"):
        View(next(splits(lines, 1))).of("normal")


def test_another_parser_is_watched_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("drain3")
    lines = own_log(tmp_path)
    split = next(splits(lines, 1))
    View(drain.drained(split, lines.lines)).of("normal")
    whole, learned_from = np.arange(200, dtype=np.int64), drain._learned
    monkeypatch.setattr(drain, "_learned", lambda log, rows: learned_from(log, whole))
    with pytest.raises(LeakError, match="lines of the test part were learned from"):
        View(drain.drained(split, lines.lines)).of("normal")


class Reader(Spy):
    """Reads what `read` says when it learns, or when it scores what the threshold comes from."""

    def __init__(self, read: Callable[[Train], object], early: bool = True) -> None:
        super().__init__("nothing")
        self.read, self.early = read, early

    def fit(self, train: Train) -> None:
        self.train = train
        if self.early:
            self.read(train)

    def score(self, windows: Windows) -> Floats:
        if not self.early:
            self.read(self.train)
        return super().score(windows)


def texts_of(train: Train) -> Sequence[str]:
    assert train.texts is not None
    return train.texts


CHEATS: dict[str, Callable[[Train], object]] = {
    "all texts": lambda train: list(texts_of(train)),
    "the last text": lambda train: texts_of(train)[-1],
    "a slice": lambda train: texts_of(train)[train.known - 1 :],
    "the vocabulary": lambda train: [t.text for t in train.vocabulary.templates],
    "types": lambda train: [t.types for t in train.vocabulary.templates],
    "parameters": lambda train: train.vocabulary.templates[-1].parameters(b"x"),
    "words that match": lambda train: train.vocabulary.matching("new")(np.array([0], np.int32)),
}


@pytest.mark.parametrize("early", [True, False], ids=["in fit", "for the threshold"])
@pytest.mark.parametrize("cheat", CHEATS)
def test_texts_of_the_test_part_are_closed_until_it_is_scored(
    tmp_path: Path, cheat: str, early: bool
) -> None:
    case = Case("set", "lines 1-200", "lines", "10", own_log(tmp_path))
    with pytest.raises(LeakError, match="training never held"):
        rows_of(case, [lambda: Reader(CHEATS[cheat], early)], 1, [0], None, Predictions(None))


def test_texts_are_open_where_they_were_learned_and_all_when_test_is_scored(
    tmp_path: Path,
) -> None:
    split = next(splits(own_log(tmp_path), 1))
    told: list[tuple[list[str], list[str]]] = []

    def known(train: Train) -> None:
        held = train.vocabulary.templates[: train.known]
        told.append((list(texts_of(train)[: train.known]), [t.text for t in held]))

    learned_from = Reader(known)
    one = Fitted.of(lambda: learned_from, View(split), 0)
    assert told == [(["job <*> done"],) * 2]
    kept = learned_from.train.vocabulary.templates  # the list itself, and not where it is held
    one.run(split.test)
    assert list(texts_of(learned_from.train))[1] == "brand new statement <*>" == kept[1].text


def test_a_window_of_validation_may_be_read() -> None:
    series = ready([*[[0]] * 65, *[[1]] * 5, *[[2]] * 30], [i > 90 for i in range(100)])
    case = Case("set", "windows 1-100", "session", "session", series)
    view = View(next(splits(series, 1)))
    Fitted.of(lambda: Reader(lambda train: texts_of(train)[1]), view, 0)
    with pytest.raises(LeakError, match="training never held"):
        rows_of(case, [lambda: Reader(CHEATS["all texts"])], 1, [0], None, Predictions(None))


def sessions(folder: Path, late: int) -> series.Lines:
    """A hundred sessions, one a minute; one of train ends `late` minutes after the last begins."""
    log = folder / "s.log"
    told = [f"2026-01-01 {10 + i // 60:02}:{i % 60:02}:00 INFO blk_{i} begins" for i in range(100)]
    end = 99 + late
    told.append(f"2026-01-01 {10 + end // 60:02}:{end % 60:02}:30 INFO blk_5 ends at last")
    log.write_text("\n".join(told) + "\n")
    labels = {f"blk_{i}": "bad" if i % 4 == 3 else "" for i in range(100)}
    found = read_lines([str(log)], Settings(session=r"blk_\d+"))
    return series.Lines(with_sessions(found, labels, log), "session")


def test_a_session_that_goes_on_into_the_test_part_is_not_learned_from(tmp_path: Path) -> None:
    lines = sessions(tmp_path, late=1)
    split = next(splits(lines, 1))
    assert (len(split.train), len(split.validation)) == (59, 10)
    assert split.texts is not None
    assert not any("at last" in text for text in split.texts[: split.known])
    case = Case("set", "lines 1-101", "session", "session", lines)
    row = rows_of(case, [Spy], 1, [0], None, Predictions(None))[0][0]
    assert "1 of train, 0 of validation" in row["note"]


def test_the_guard_sees_sessions_that_go_on_into_the_test_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series.Lines, "_ended", lambda self, rows, test: (rows, 0))
    with pytest.raises(LeakError, match="go on after the test part begins"):
        View(next(splits(sessions(tmp_path, late=1), 1))).of("nothing")


def test_a_session_that_is_torn_apart_fails_the_run(tmp_path: Path) -> None:
    """Its first lines are learned from, its last ones are of the test part; neither line nor time
    is shared."""
    split = next(splits(sessions(tmp_path, late=-90), 1))
    events = split.test.windows.events
    events.session[0] = split.train.windows.events.session[0]
    with pytest.raises(LeakError, match="1 sessions of the test part were learned from"):
        View(split).of("nothing")


def test_lines_of_the_test_part_fail_the_run(tmp_path: Path) -> None:
    split = next(splits(own_log(tmp_path), 1))
    split.train.windows.events.row[3] = split.test.windows.events.row[5]
    with pytest.raises(LeakError, match="1 of 50 lines of the test part were learned from"):
        View(split).of("nothing")


def test_a_table_with_texts_holds_windows_of_one_log(tmp_path: Path) -> None:
    table, texts = tmp_path / "t.tsv.zst", tmp_path / "t.json"
    with pa.CompressedOutputStream(pa.OSFile(str(table), "wb"), "zstd") as out:
        out.write(b"label\tevents\n0\t0 1\n1\t1 1\n")
    texts.write_text('{"0": "ok", "1": "bad"}')
    assert read_table(table, texts, tmp_path)[0].windows.kind == "count"
    assert read_table(table, None, tmp_path)[0].windows.kind == "session"


def test_offsets_without_anything_abnormal_are_left_out_and_told() -> None:
    n = 200
    late = ready([[i % 3] for i in range(n)], [i >= 150 for i in range(n)])
    case = Case("set", "windows 1-200", "session", "session", late)
    row = rows_of(case, [FlagAll], 5, [0], None, Predictions(None))[0][0]
    assert "2 of 5 offsets hold nothing abnormal" in row["note"]
    assert row["f1_low"] > 0
    none = Case("set", "windows 1-200", "session", "session", ready([[0]] * n))
    with pytest.raises(LogwrightError, match="no test part holds anything abnormal"):
        rows_of(none, [lambda: Spy("nothing")], 5, [0], None, Predictions(None))


def test_all_figures_of_a_row_are_of_one_test_part() -> None:
    n = 200
    grows = ready([[i % 3, i % 5] for i in range(n)], [i % 7 == 0 or i > 150 for i in range(n)])
    case = Case("set", "windows 1-200", "session", "session", grows)
    row = rows_of(case, [lambda: Spy("nothing")], 5, [0], None, Predictions(None))[0][0]
    split = next(split for split in splits(grows, 5) if split.offset == row["offset"])
    assert row["windows"] == len(split.test)
    assert row["positive_rate"] == round(float(split.test.truth.mean()), 4)
    assert list(row).index("offset") == list(row).index("offsets") + 1


def test_a_kind_held_out_leaves_no_line_of_it_in_train() -> None:
    split = next(splits(SERIES, 1))
    events = split.train.windows.events
    kind = np.zeros(len(events), np.int32)
    kind[:5] = [1, 2, 2, 0, 2]  # the first window holds one line of either
    marks = Marks(kind > 0, kind, ["", "disk", "net"])
    kinds = ["disk", "net", "net", *[""] * (len(split.train) - 3)]
    mixed = replace(split, train=replace(split.train, kinds=kinds, marks=marks))
    less = without_kind(mixed, "net")
    assert len(less.train) == len(split.train) - 3
    assert less.train.marks is not None
    assert not (less.train.marks.kind == 2).any()


def test_templates_of_a_kind_held_out_are_not_known() -> None:
    series_ = ready([[0], [1], *[[0]] * 98])
    split = next(splits(series_, 1))
    kinds = ["", "disk", *[""] * (len(split.train) - 2)]
    held = without_kind(replace(split, train=replace(split.train, kinds=kinds)), "disk")
    assert (split.known, held.known) == (2, 1)
