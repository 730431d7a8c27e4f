"""Floors, trivial methods and ours: what each one scores, and that figures of others come out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.bench import published
from logwright.bench.hdfs import EventIds, read
from logwright.bench.methods.base import Method
from logwright.bench.methods.deeplog import DeepLog
from logwright.bench.methods.ecvc import Ecvc, EventOrLength
from logwright.bench.methods.edit import EditDistance
from logwright.bench.methods.floors import (
    FlagAll,
    FlagNone,
    Keywords,
    UnseenLength,
    UnseenTemplate,
    floors,
)
from logwright.bench.methods.ngram import Bigrams
from logwright.bench.methods.ours import AskOnce, Judged, OurLadder
from logwright.bench.parts import Part, Train
from logwright.errors import MissingExtraError
from logwright.windows.window import Windows

TEXTS = ["started", "stopped", "retrying", "could not store", "disk full", "Connection refused"]
WAYS: list[Callable[[], Method]] = [
    FlagAll,
    FlagNone,
    Keywords,
    UnseenTemplate,
    UnseenLength,
    lambda: EventOrLength("event + length"),
    Ecvc,
    lambda: Ecvc(idf=True),
    lambda: Ecvc(combined=True),
    Bigrams,
    EditDistance,
    lambda: OurLadder("unseen"),
    lambda: OurLadder("make-up"),
    OurLadder,
    Judged,
]


def train_of(
    sequences: Sequence[Sequence[int]], texts: list[str] | None = None, seed: int = 0
) -> Train:
    known = max((t for s in sequences for t in s), default=-1) + 1
    windows = Windows.of_sequences(sequences)
    return Train(windows, None, windows, EventIds(100), texts, known, seed)


def scored(method: Method, history: Sequence[Sequence[int]], *windows: list[int]) -> list[float]:
    method.fit(train_of(history))
    return method.score(Windows.of_sequences(windows)).tolist()


@pytest.mark.parametrize("make", WAYS, ids=lambda make: make().name)
class TestEveryMethod:
    HISTORY = [[0, 1, 2], [0, 1, 1, 2], [2, 1], [0, 1, 2]] * 10

    def test_new_templates_and_empty_windows_are_scored(self, make: Callable[[], Method]) -> None:
        found = scored(make(), self.HISTORY, [0, 1, 2], [99, 98], [], [0] * 90)
        assert len(found) == 4
        assert all(math.isfinite(score) and score >= 0 for score in found)

    def test_no_windows_have_no_scores(self, make: Callable[[], Method]) -> None:
        assert scored(make(), self.HISTORY) == []

    def test_an_empty_history_is_no_error(self, make: Callable[[], Method]) -> None:
        assert len(scored(make(), [], [0, 1], [])) == 2

    def test_history_itself_raises_no_alarm(self, make: Callable[[], Method]) -> None:
        method = make()
        found = scored(method, self.HISTORY, [0, 1, 2], [2, 1])
        if method.name != "flag all":
            assert max(found) < (1e-9 if method.natural is None else method.natural)

    def test_it_gives_the_same_again(self, make: Callable[[], Method]) -> None:
        random = np.random.default_rng(7)
        windows = [random.integers(0, 6, random.integers(1, 9)).tolist() for _ in range(60)]
        history = [window for window in windows[:40] if 5 not in window]
        assert scored(make(), history, *windows) == scored(make(), history, *windows)

    def test_how_windows_are_dealt_into_calls_does_not_matter(
        self, make: Callable[[], Method]
    ) -> None:
        windows = [[0, 1, 2], [3], [0, 2, 1], [9, 9], [0, 1, 1, 2], [1]]
        method = make()
        whole = scored(method, self.HISTORY, *windows)
        if isinstance(method, Judged):
            return  # it knows what it has raised before, in the same call
        parts = [method.score(Windows.of_sequences([window])).item() for window in windows]
        assert parts == whole


class TestFloors:
    def test_a_keyword_list_needs_texts(self) -> None:
        assert "keyword list" not in [floor.name for floor in floors(None)]
        assert "keyword list" in [floor.name for floor in floors(TEXTS)]

    def test_the_gravest_word_of_a_window_counts(self) -> None:
        method = Keywords()
        method.fit(train_of([[0]], TEXTS))
        found = method.score(Windows.of_sequences([[0, 1], [2], [0, 3], [3, 4], [5], [50]]))
        assert (found >= method.natural).tolist() == [False, False, True, True, True, False]

    def test_one_new_template_is_an_alarm(self) -> None:
        assert scored(UnseenTemplate(), [[0, 2]], [0, 2], [0, 1, 1], [7]) == [0, 2, 1]

    def test_a_length_between_two_known_ones_is_new(self) -> None:
        history = [[0] * 2, [0] * 9]
        assert scored(UnseenLength(), history, [1] * 2, [0] * 4, [0] * 12) == [0, 2, 3]


class TestEcvc:
    def plain(self, history: list[list[int]], window: list[int], idf: bool) -> float:
        """By the definition: no columns, no distinct windows."""
        holding = Counter(t for one in history for t in set(one))

        def share(counts: Counter[int], t: int) -> float:
            weight = math.log10((1 + len(history)) / holding[t]) if idf and holding[t] else 1.0
            return weight * counts[t] / counts.total()

        mine, nearest = Counter(window), 1.0
        for other in map(Counter, history):
            both = [(share(mine, t), share(other, t)) for t in mine | other]
            apart = sum(abs(a - b) for a, b in both) / sum(max(a, b) for a, b in both)
            nearest = min(nearest, apart)
        return nearest

    windows = st.lists(st.integers(0, 6), min_size=1, max_size=8)

    @given(st.lists(windows, min_size=1, max_size=8), windows, st.booleans())
    def test_it_is_the_distance_to_the_nearest(
        self, history: list[list[int]], window: list[int], idf: bool
    ) -> None:
        assert scored(Ecvc(idf=idf), history, window)[0] == pytest.approx(
            self.plain(history, window, idf), abs=1e-9
        )

    def test_combined_puts_what_is_new_before_any_distance(self) -> None:
        history = [[0, 0, 1], [0, 1]]
        near, far, new, long = scored(
            Ecvc(combined=True), history, [0, 0, 1], [1, 1, 1], [0, 1, 2], [0] * 4
        )
        assert near == 0 < far <= 1 < min(new, long)

    def test_a_rare_make_up_is_known_although_distances_go_to_frequent_ones(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("logwright.bench.methods.ecvc._MOST_VECTORS", 1)
        history = [[0, 0]] * 5 + [[1, 2]]
        assert scored(Ecvc(), history, [2, 1], [1, 1]) == [0.0, 1.0]


class TestBigrams:
    def test_order_matters_and_so_do_start_and_end(self) -> None:
        history = [[0, 1, 2]]
        assert scored(Bigrams(), history, [0, 1, 2], [0, 2], [1, 2], [0, 1]) == [0, 1, 1, 1]


class TestEditDistance:
    def plain(self, a: list[int], b: list[int]) -> int:
        line = list(range(len(b) + 1))
        for i, x in enumerate(a, 1):
            left, line[0] = line[0], i
            for j, y in enumerate(b, 1):
                left, line[j] = line[j], min(left + (x != y), line[j] + 1, line[j - 1] + 1)
        return line[-1]

    windows = st.lists(st.integers(0, 4), max_size=64)

    @given(st.lists(windows, min_size=1, max_size=6), windows)
    def test_it_is_the_number_of_edits_over_the_longer_length(
        self, history: list[list[int]], window: list[int]
    ) -> None:
        expected = min(
            self.plain(other, window) / max(len(other), len(window), 1) for other in history
        )
        assert scored(EditDistance(), history, window)[0] == pytest.approx(expected)

    def test_of_long_windows_the_length_still_counts(self) -> None:
        long = [0, 1] * 50
        same, longer, other_end = scored(
            EditDistance(), [long], long, long + [0] * 100, [*long[:-1], 5]
        )
        assert same == 0
        assert longer == 0.5
        assert other_end == 0.01  # at least one edit, since it is not the same

    def test_only_the_most_frequent_are_compared_but_all_are_known(self) -> None:
        history = [[0, 0, 0, 0]] * 3 + [[1, 2, 3, 4]]
        method = EditDistance(most=1)
        assert scored(method, history, [1, 2, 3, 4], [1, 2, 3, 5]) == [0.0, 1.0]


class TestOurs:
    NORMAL = [[0, 1, 2], [0, 1, 1, 2]] * 10_000

    def test_each_step_flags_what_the_one_before_it_did(self) -> None:
        windows = [[0, 1, 2], [0, 1, 2, 3], [0, 0, 0, 1], [2]]
        unseen, make_up = OurLadder("unseen"), OurLadder("make-up")
        whole = OurLadder("whole")
        alarms = [
            [score >= 1 for score in scored(method, self.NORMAL, *windows)]
            for method in (unseen, make_up, whole)
        ]
        assert alarms[0] == [False, True, False, False]
        assert alarms[1] == alarms[2] == [False, True, True, True]
        assert any("counts (count_vector)" in reason for reason in whole.reasons)

    def test_windows_of_lines_have_no_make_up(self) -> None:
        train = train_of(self.NORMAL)
        train.windows.kind = "count"
        ladder = OurLadder()
        ladder.fit(train)
        assert any("not grouped by session" in reason for reason in ladder.reasons)
        assert ladder.score(Windows.of_sequences([[0, 0, 0], [9]], "count"))[0] < 1

    def test_an_expert_is_asked_once_about_a_thing_that_comes_often(self) -> None:
        test = Part(
            Windows.of_sequences([[0, 1, 2], [0, 3], [0, 1, 2, 4]] * 20),
            np.array([False, True, False] * 20),
        )
        method = AskOnce()
        method.fit(train_of(self.NORMAL))
        outcome = method.answer(test)
        # What is real; the template that is not; and its make-up, at that one's third sight.
        assert len(outcome.asked) == 3
        after = np.arange(60) > outcome.asked[-1]
        assert (outcome.flagged[after] == test.truth[after]).all()
        assert not outcome.answered[outcome.asked][~test.truth[outcome.asked]].any()

    def test_nobody_answers_and_it_still_flags(self) -> None:
        assert scored(Judged(), self.NORMAL, [0, 1, 2], [0, 3], [2, 2, 2]) == [0, 1, 1]


class TestPublished:
    def test_a_draw_is_tested_on_all_that_it_did_not_draw(self) -> None:
        random = np.random.default_rng(0)
        normal = [[0, 1] + [1] * int(n) for n in random.integers(1, 3, 990)]
        windows = Windows.of_sequences(normal + [[2]] * 10)
        labels = np.arange(1000) >= 990
        rows = published.rows(labels, windows, runs=2)
        assert {row["table"] for row in rows} == {published.TABLE}
        assert [row["method"] for row in rows] == list(published.PUBLISHED)
        assert all(row["windows"] == 1000 - 10 for row in rows)
        event = next(row for row in rows if row["method"] == "new event")
        assert event["f1"] == event["precision"] == event["recall"] == 1.0
        assert event["labels_used"] == "normal windows chosen"
        assert all(row["labels_used"] == "all" for row in rows if "threshold" in row["note"])
        assert rows == published.rows(labels, windows, runs=2)

    @pytest.mark.long
    def test_figures_of_hdfs_come_out_as_published(self, data: Path) -> None:
        labels, sequences = read(data / "hdfs" / "hdfs_sequences.tsv.zst")
        rows = published.rows(labels, Windows.of_sequences(sequences))
        f1 = {row["method"]: row["f1_mean"] for row in rows}
        assert abs(f1["ECVC"] - 0.960) <= 0.02
        for name, theirs in published.PUBLISHED.items():
            assert theirs.xu is None or abs(f1[name] - theirs.xu) <= 0.06, name


class TestDeepLog:
    def test_without_torch_one_sentence_says_what_to_install(self) -> None:
        if find_spec("torch") is not None:
            pytest.skip("torch is installed")
        with pytest.raises(MissingExtraError, match=r"logwright\[train\]"):
            DeepLog().fit(train_of([[0, 1]]))

    @pytest.mark.slow
    @pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed (extra `train`)")
    def test_it_expects_what_comes_next(self) -> None:
        order = [0, 1, 2, 3, 4, 5]
        history = [order[:4] + order] * 50

        def found(seed: int) -> list[float]:
            method = DeepLog(top=1, steps=60)
            method.fit(train_of(history, seed=seed))
            windows = [history[0], order[::-1], [*history[0][:-1], 50], []]
            return method.score(Windows.of_sequences(windows)).tolist()

        usual, reverse, new, empty = found(0)
        assert usual == 1 < reverse
        assert new == 7
        assert empty == 0
        assert found(0) == found(0)
