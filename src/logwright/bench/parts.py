"""Parts: stretches of a data set in order of time, as windows, and the guards between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from logwright.errors import LogwrightError
from logwright.logs.batch import NO_TIME, Int32s, Int64s
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows, mix

__all__ = ["Counted", "Guard", "LeakError", "Marks", "Part", "Split", "Train"]

Bools = NDArray[np.bool_]


class LeakError(LogwrightError):
    """Something of the test part reached what learns: the numbers would mean nothing."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What labels say of each line of windows: `kind` is a code into `kinds`, whose first is ""."""

    truth: Bools
    kind: Int32s
    kinds: Sequence[str]


@dataclass(frozen=True, slots=True)
class Part:
    """Windows with what the labels say of them. `kinds` names the anomaly of each window ("" where
    it is normal), `corrected` the labels as corrected later, None where nobody did. The numbers of
    `windows.events.row` are those of the data set's lines, so they tell parts apart. `marks` are
    the labels of single lines, None where only windows have labels."""

    windows: Windows
    truth: Bools
    kinds: Sequence[str] | None = None
    corrected: Bools | None = None
    marks: Marks | None = None

    def __len__(self) -> int:
        return len(self.windows)

    def select(self, which: Bools) -> Part:
        """The windows for which the mask is true.

        >>> part = Part(Windows.of_sequences([[0], [1]]), np.array([False, True]))
        >>> len(part.select(~part.truth))
        1
        """
        kinds = self.kinds
        if kinds is not None:
            kinds = [kind for kind, mine in zip(kinds, which.tolist(), strict=True) if mine]
        corrected = None if self.corrected is None else self.corrected[which]
        marks = self.marks
        if marks is not None:
            lines = np.repeat(which, self.windows.sizes)
            marks = Marks(marks.truth[lines], marks.kind[lines], marks.kinds)
        return Part(self.windows.select(which), self.truth[which], kinds, corrected, marks)

    def holds(self, kind: str) -> Bools:
        """The windows that hold a line of this kind; those of this kind, where lines have none.

        >>> windows = Windows.of_sequences([[0], [0, 0]])
        >>> marks = Marks(np.array([0, 1, 1]) > 0, np.array([0, 1, 2], np.int32), ["", "a", "b"])
        >>> Part(windows, np.array([False, True]), ["", "a"], marks=marks).holds("b").tolist()
        [False, True]
        """
        held: Bools = np.array([one == kind for one in self.kinds or [""] * len(self)], bool)
        if self.marks is not None and kind in self.marks.kinds:
            mine = self.marks.kind == list(self.marks.kinds).index(kind)
            held[self.windows.owner[mine]] = True
        return held


@dataclass(slots=True)
class Counted:
    """Windows as distinct count vectors: `matrix` (distinct, templates), `inverse` the row of each
    window, `times` how often each comes. Logs repeat themselves, so this is small.

    >>> c = Counted.of(Windows.of_sequences([[0, 1], [1, 0], [1, 1]]), 2)
    >>> c.matrix.tolist(), c.inverse.tolist(), c.times.tolist()
    ([[1, 1], [0, 2]], [0, 0, 1], [2, 1])
    """

    matrix: Int64s
    inverse: NDArray[np.intp]
    times: Int64s

    @staticmethod
    def of(windows: Windows, templates: int) -> Counted:
        """Of windows whose template indices are below `templates`; in order of first sight."""
        hashes = mix(np.arange(1, templates + 1, dtype=np.uint64))
        sums = np.concatenate(
            (np.zeros(1, np.uint64), np.cumsum(hashes[windows.events.template], dtype=np.uint64))
        )
        keys = mix(sums[windows.bounds[1:]] - sums[windows.bounds[:-1]])
        _, first, inverse, times = np.unique(
            keys, return_index=True, return_inverse=True, return_counts=True
        )
        order = np.argsort(first, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        pick = np.zeros(len(windows), bool)
        pick[first] = True
        owner, template, number = windows.select(pick).counts()
        matrix = np.zeros((len(first), templates), np.int64)
        matrix[owner, template] = number
        return Counted(matrix, place[inverse], times[order].astype(np.int64))


@dataclass(frozen=True, slots=True)
class Train:
    """What a method may learn from. `truth` is there only for methods that use labels; else the
    windows are those that history takes for normal. `texts` are the templates' texts by index,
    where the set has any; indices from `known` on were never seen in training. Texts, here and in
    the vocabulary, that neither the windows nor validation hold are under a seal until test windows
    are scored (`bench.seal`)."""

    windows: Windows
    truth: Bools | None
    validation: Windows
    vocabulary: Vocabulary
    texts: Sequence[str] | None
    known: int
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """Train, then validation, then a gap, then test, in order of time; `by_time` is false where
    the parts were drawn at random, or test is of another system. `parsed` are the lines that
    templates were learned from, None where the set came with its templates."""

    train: Part
    validation: Part
    test: Part
    vocabulary: Vocabulary
    texts: Sequence[str] | None
    known: int
    offset: float = 0.0
    note: str = ""
    by_time: bool = True
    parsed: Int64s | None = None


@dataclass(slots=True)
class Guard:
    """Hands out what may be learned from, and remembers it; `check` fails if any of it is test.

    >>> split_test = Part(Windows.of_sequences([[0], [1]]), np.array([False, True]))
    >>> guard = Guard()
    >>> guard.see(split_test.windows)
    >>> guard.check(split_test)
    Traceback (most recent call last):
    ...
    logwright.bench.parts.LeakError: 2 of 2 lines of the test part were learned from
    """

    _seen: Bools = field(default_factory=lambda: np.zeros(0, bool))
    _newest: int = NO_TIME
    _sessions: set[int] = field(default_factory=set)

    def see(self, windows: Windows) -> None:
        """Note that these windows are learned from."""
        self.see_rows(windows.events.row)
        self._newest = max(self._newest, int(windows.events.ts.max(initial=NO_TIME)))
        if windows.kind == "session":
            self._sessions.update(np.unique(windows.events.session).tolist())

    def see_rows(self, rows: Int64s) -> None:
        """Note that these lines are learned from, by a parser or a tokenizer."""
        top = int(rows.max(initial=-1)) + 1
        if top > len(self._seen):
            self._seen = np.concatenate((self._seen, np.zeros(top - len(self._seen), bool)))
        self._seen[rows] = True

    def check(self, test: Part) -> None:
        """`LeakError` where a line of the test part was learned from."""
        held = np.zeros(int(test.windows.events.row.max(initial=-1)) + 1, bool)
        held[test.windows.events.row] = True
        both = min(len(held), len(self._seen))
        leaked = int(np.count_nonzero(held[:both] & self._seen[:both]))
        if leaked:
            lines = int(np.count_nonzero(held))
            raise LeakError(f"{leaked:,} of {lines:,} lines of the test part were learned from")

    def check_sessions(self, test: Part) -> None:
        """`LeakError` where a session that was learned from has lines in the test part, or goes on
        after that begins. Windows of lines follow one another as lines do, whatever session each
        line is of and however clocks jump: they are not looked at."""
        events = test.windows.events
        if test.windows.kind != "session":
            return
        both = self._sessions.intersection(np.unique(events.session).tolist())
        if both:
            raise LeakError(f"{len(both):,} sessions of the test part were learned from")
        times = events.ts[events.ts != NO_TIME]
        if len(times) and self._newest > int(times.min()):
            raise LeakError("sessions that were learned from go on after the test part begins")
