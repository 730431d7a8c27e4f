"""Poison: lines at which judging breaks are found, left out and told of; all others are judged."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import logwright as lw
from logwright.detectors.base import Floats
from logwright.detectors.unseen import Unseen
from logwright.findings.finding import Finding
from logwright.settings import Settings
from logwright.stream import lane as lane_module
from logwright.stream import mending
from logwright.stream.delivery import Delivery
from logwright.stream.feed import Entry, Feed
from logwright.stream.judging import Make
from logwright.stream.making import Maker
from logwright.stream.metrics import Metrics
from logwright.stream.poison import culprit, fault, mended, size_of, split_at
from logwright.stream.sqlite_keeper import SqliteKeeper
from logwright.stream.worker import Worker
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows
from worker_fakes import Counting, Given, Heard, Lines, foretold

FINE, BAD = b"fine\r %d\n", b"bad %d\n"


def entries_of(sizes: Sequence[int], bad: set[int]) -> list[Entry]:
    """Entries of so many lines each, of which some are bad."""
    out, at = list[Entry](), 0
    for size in sizes:
        lines = [(BAD if n in bad else FINE) % n for n in range(at, at + size)]
        at += size
        out.append(Entry(b"".join(lines), str(at), at))
    return out


def holds_bad(lines: Sequence[bytes]) -> bool:
    return any(line.startswith(b"bad") for line in lines)


sizes_and_bad = st.lists(st.integers(1, 9), min_size=1, max_size=8).flatmap(
    lambda sizes: st.tuples(st.just(sizes), st.sets(st.integers(0, sum(sizes) - 1), max_size=5))
)


@given(sizes_and_bad)
def test_bad_lines_and_no_others_are_left_out(case: tuple[list[int], set[int]]) -> None:
    sizes, bad = case
    entries = rest = entries_of(sizes, bad)
    judged, left_out = list[Entry](), set[int]()
    while rest:
        good = mended(rest, holds_bad, 100)
        assert good is not None
        left_out |= {size_of(judged) + at for at in good.left_out}
        judged += good.entries
        rest = good.rest
    assert left_out == bad
    for before, after in zip(entries, judged, strict=True):
        assert (before.position, before.arrived) == (after.position, after.arrived)
        pairs = zip(before.data.split(b"\n"), after.data.split(b"\n"), strict=True)
        for line, now in pairs:
            assert now == (b" " * len(line) if line.startswith(b"bad") else line)


@given(sizes_and_bad)
def test_nothing_behind_the_entry_of_the_first_bad_line_is_looked_at(
    case: tuple[list[int], set[int]],
) -> None:
    sizes, bad = case
    entries = entries_of(sizes, bad)
    good = mended(entries, holds_bad, 100)
    assert good is not None
    ends = np.cumsum(sizes)
    whole = int(np.searchsorted(ends, min(bad), side="right")) + 1 if bad else len(sizes)
    assert len(good.entries) == whole
    assert good.rest == entries[whole:]


@given(st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))))
def test_a_line_is_found_with_few_judgings(case: tuple[int, int]) -> None:
    size, at = case
    asked = list[int]()
    lines = [b"%d\n" % n for n in range(size)]
    assert culprit(lines, lambda some: bool(asked.append(1)) or lines[at] in some) == at
    assert len(asked) <= math.ceil(math.log2(size)) + 1


def test_a_judging_that_breaks_at_anything_is_not_mended() -> None:
    entries = entries_of([5, 5], set())
    assert mended(entries, lambda some: True, 100) is None
    assert mended(entries, lambda some: len(some) > 3, 100) is None


def test_no_more_lines_than_allowed_are_left_out() -> None:
    entries = entries_of([9], {2, 5, 7})
    assert mended(entries, holds_bad, 2) is None
    assert mended(entries, holds_bad, 3) is not None


@given(st.lists(st.integers(1, 5), max_size=6), st.integers(-3, 30))
def test_entries_are_split_at_lines(sizes: list[int], lines: int) -> None:
    entries = entries_of(sizes, set())
    first, rest = split_at(entries, lines)
    assert size_of(first) == min(max(lines, 0), sum(sizes))
    data = b"".join(e.data for e in [*first, *rest])
    assert data == b"".join(e.data for e in entries)
    assert all(e.data for e in [*first, *rest])
    if not rest:
        assert first == entries


def test_an_error_is_told_in_one_harmless_line() -> None:
    try:
        int("7\x1b[31m password=hunter2 " + "x" * 999)
    except ValueError as error:
        told = fault(error)
    assert told.startswith("ValueError: ")
    assert "test_an_error_is_told" in told
    assert len(told) < 300
    assert told.isprintable()
    assert "hunter2" not in told


# ---- in a worker -----------------------------------------------------------------------------


class Crash(BaseException):
    """The worker is killed."""


class Poisoned(Counting):
    """Counting that breaks at some lines: at once, or when the window of ten lines closes."""

    def push(self, entries: Sequence[Entry]) -> list[Finding]:
        data = b"".join(e.data for e in entries)
        if b"poison" in data:
            raise ZeroDivisionError(data)
        return super().push(entries)


class Late(Counting):
    """Counting that breaks at a window which some line has spoilt."""

    spoilt = False

    def push(self, entries: Sequence[Entry]) -> list[Finding]:
        found = []
        for entry in entries:
            for line in entry.data.splitlines(keepends=True):
                self.spoilt |= b"poison" in line
                found += super().push([Entry(line, "", 0)])
        return found

    def _window(self) -> list[Finding]:
        if self.spoilt:
            raise ZeroDivisionError
        return super()._window()


class Place:
    """A state on disk, who hears, and what was said and counted."""

    def __init__(self, path: Path) -> None:
        self.path, self.heard, self.said = path, Heard(), list[str]()
        self.dropped = 0

    def run(self, feed: Feed, make: Make, keeper: SqliteKeeper | None = None) -> None:
        keeper = keeper or SqliteKeeper(self.path)
        metrics = Metrics()
        metrics.count = self.count  # type: ignore[method-assign]
        delivery = Delivery(keeper, self.heard, "one", metrics, self.said.append)
        Worker(Given(feed), keeper, [delivery], make, "one", metrics, self.said.append).run()

    def count(self, name: str, what: str, n: int = 1) -> None:
        self.dropped += n if (name, what) == ("dropped", "poison") else 0

    @property
    def left_out(self) -> list[int]:
        found = (re.search(r": line ([\d,]+) is left out", text) for text in self.said)
        return [int(m[1].replace(",", "")) for m in found if m]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "worker.db")


def poisoned(bad: set[int], poison: set[int], number: int = 100) -> list[str]:
    return [
        f"{n} poison" if n in poison else f"{n} bad" if n in bad else f"{n} good"
        for n in range(1, number + 1)
    ]


def without(lines: Sequence[str]) -> list[str]:
    return [" " * len(line) if "poison" in line else line for line in lines]


@pytest.mark.parametrize("make", [Poisoned, Late])
@given(
    bad=st.sets(st.integers(1, 60), max_size=20),
    poison=st.sets(st.integers(1, 60), max_size=4),
    batch=st.integers(1, 30),
    every=st.sampled_from([1, 12, 10**6]),
    number=st.integers(1, 60),
)
def test_all_lines_but_poison_are_judged_once(
    tmp_path_factory: pytest.TempPathFactory,
    make: Callable[[Feed, bytes | None], Counting],
    bad: set[int],
    poison: set[int],
    batch: int,
    every: int,
    number: int,
) -> None:
    """Wherever entries and checkpoints end, and also at the end of the feed."""
    if make is Late:  # a window that began before the checkpoint cannot be mended
        every, number = 10**6, number // 10 * 10
        batch = (batch + 9) // 10 * 10
    place = Place(tmp_path_factory.mktemp("state") / "worker.db")
    lines = poisoned(bad, poison, number)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane_module, "_LINES", every)
        place.run(Lines("f", lines, batch, ends=True), make)
    assert place.heard.ids == foretold(without(lines))
    expected = sorted(n for n in poison if n <= number)
    assert place.left_out == expected
    assert place.dropped == len(expected)


class Dying(SqliteKeeper):
    """A keeper whose worker dies behind the next checkpoint but `more`."""

    more = 1

    def checkpoint(self, *args: Any) -> int:
        done = super().checkpoint(*args)
        self.more -= 1
        if self.more < 0:
            raise Crash
        return done


def test_a_checkpoint_behind_poison_means_that_nobody_meets_it_again(place: Place) -> None:
    lines = poisoned({3, 41, 57}, {50})
    with pytest.raises(Crash):
        place.run(Lines("f", lines, 7, ends=True), Poisoned, Dying(place.path))
    assert place.left_out == [50]
    again = Lines("f", lines, 7, ends=True)
    made = list[Counting]()

    def make(feed: Feed, snapshot: bytes | None) -> Counting:
        made.append(Poisoned(feed, snapshot))
        return made[-1]

    place.run(again, make)
    assert len(made) == 1, "nothing is looked for again"
    assert place.left_out == [50]
    assert place.heard.ids == foretold(without(lines))


def test_very_many_lines_at_which_judging_breaks_are_no_poison(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mending, "_MOST", 3)
    lines = poisoned(set(), {10, 20, 30, 40})
    with pytest.raises(ZeroDivisionError):
        place.run(Lines("f", lines, 5, ends=True), Poisoned)
    assert place.left_out == [10, 20, 30]


@pytest.mark.parametrize("error", [OSError, MemoryError])
def test_what_no_line_is_to_blame_for_ends_the_worker(place: Place, error: type) -> None:
    class Full(Counting):
        def push(self, entries: Sequence[Entry]) -> list[Finding]:
            if b"poison" in entries[0].data:
                raise error
            return super().push(entries)

    with pytest.raises(error):
        place.run(Lines("f", poisoned(set(), {20}), 5, ends=True), Full)
    assert not place.left_out


def test_the_same_holds_for_a_real_pipeline(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = tmp_path / "history.log"
    history.write_text("".join(f"job {n} done\n" for n in range(2_000)))
    model = lw.learn(str(history))
    lines = [f"job {n} done" for n in range(1_500)]
    for at, text in (
        (300, "disk full"),
        (700, "a \x1b poison"),
        (703, "disk lost"),
        (1_400, "poison"),
    ):
        lines[at] = text
    log = tmp_path / "today.log"
    log.write_text("".join(f"{line}\n" for line in without(lines)))
    expected = [f.id for f in lw.detect([str(log)], model, quiet="0s").findings]
    score = Unseen.score

    def broken(self: Unseen, windows: Windows, vocabulary: Vocabulary) -> Floats:
        texts = (vocabulary.templates[t].text for t in windows.events.template.tolist())
        if odd := [text for text in texts if "poison" in text]:
            raise ValueError(odd[0])
        return score(self, windows, vocabulary)

    monkeypatch.setattr(Unseen, "score", broken)
    feed = Lines("app", lines, 250, ends=True)
    place.run(feed, Maker(model, Settings(), None, place.said.append))
    assert place.left_out == [701, 1_401]
    assert sorted(place.heard.ids) == sorted(expected)
    assert len(expected) == 2
    assert all(text.isprintable() for text in place.said)
