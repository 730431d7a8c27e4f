"""Series: data sets in order of time, as the protocol cuts them: ready-made windows, or lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from logwright.bench.labelled import (
    SESSION,
    LabelledLines,
    learn_templates,
    parsed_rows,
    windows_of,
)
from logwright.bench.parts import Bools, Marks, Part, Split
from logwright.bench.protocol import Cut, roles, seen_first
from logwright.errors import LogwrightError
from logwright.logs.batch import NO_TIME, Int64s
from logwright.logs.coder import BLANK
from logwright.templates.vocabulary import Vocabulary

__all__ = ["Lines", "Ready"]


@dataclass(frozen=True, slots=True)
class Ready:
    """A set that comes as windows of event ids: sessions, or windows made by somebody else."""

    part: Part
    vocabulary: Vocabulary
    texts: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.part)

    def after_gap(self, at: int) -> int:
        """One window further."""
        return min(at + 1, len(self))

    def split(self, cut: Cut) -> Split:
        """The parts at this cut, templates of train first."""
        at = np.arange(len(self))
        return self._split(
            [(at >= where.start) & (at < where.stop) for where in cut.parts], cut.offset
        )

    def chosen(self, seed: int) -> Split:
        """Parts by chance."""
        role = roles(len(self), seed)
        split = self._split([role == i for i in range(3)], 0.0, "split at random")
        return replace(split, by_time=False)

    def _split(self, which: Sequence[Bools], offset: float, note: str = "") -> Split:
        train, validation, test = (self.part.select(mask) for mask in which)
        size = len(self.vocabulary)
        return seen_first(
            Split(train, validation, test, self.vocabulary, self.texts, size, offset, note)
        )


@dataclass(frozen=True, slots=True)
class Lines:
    """A raw log: cut by lines (by sessions, where these are the windows), templates learned from
    the lines of train alone, windows made within each part."""

    lines: LabelledLines
    window: str

    def __len__(self) -> int:
        return self.lines.units(self.window)

    def after_gap(self, at: int) -> int:
        """The first line that is a window away from all lines before."""
        return self.lines.after_gap(at, self.window)

    def split(self, cut: Cut) -> Split:
        """The parts at this cut."""
        train, validation, test = (
            self.lines.rows(where.start, where.stop, self.window) for where in cut.parts
        )
        note = ""
        if self.window == SESSION:
            train, late = self._ended(train, test)
            validation, more = self._ended(validation, test)
            if not len(train):
                raise LogwrightError(
                    f"all {late:,} sessions of train go on after the test part begins: "
                    "nothing is left to learn from"
                )
            if late or more:
                note = (
                    "sessions that go on after the test part begins are left out: "
                    f"{late:,} of train, {more:,} of validation"
                )
        vocabulary = learn_templates(self.lines, train)
        parts = [self._part(rows, vocabulary) for rows in (train, validation, test)]
        return self._split(parts, vocabulary, train, cut.offset, note)

    def _ended(self, rows: Int64s, test: Int64s) -> tuple[Int64s, int]:
        """The rows of sessions that end before the test part begins, and how many others there
        are: what was not written yet cannot be learned from. Without times all are kept."""
        times = self.lines.ts[test]
        times = times[times != NO_TIME]
        if not len(times):
            return rows, 0
        session = self.lines.session[rows]
        late = np.unique(session[self.lines.ts[rows] > times.min()])
        return rows[~np.isin(session, late)], len(late)

    def chosen(self, seed: int) -> Split:
        """Parts by chance, of windows made from the whole log."""
        every = np.arange(len(self.lines), dtype=np.int64)
        bare = windows_of(self.lines, every, self.window)[0]
        role = roles(len(bare), seed)
        train = np.sort(bare.select(role == 0).events.row)
        vocabulary = learn_templates(self.lines, train)
        whole = self._part(every, vocabulary)
        parts = [whole.select(role == i) for i in range(3)]
        split = self._split(parts, vocabulary, train, 0.0, "split at random")
        return replace(split, by_time=False)

    def _part(self, rows: Int64s, vocabulary: Vocabulary) -> Part:
        windows, truth, kinds, corrected = windows_of(self.lines, rows, self.window, vocabulary)
        at = windows.events.row
        marks = Marks(self.lines.truth[at], self.lines.kind[at], self.lines.kinds)
        return Part(windows, truth, kinds if any(kinds) else None, corrected, marks)

    def _split(
        self, parts: Sequence[Part], vocabulary: Vocabulary, rows: Int64s, offset: float, note: str
    ) -> Split:
        """The parts, and which lines the templates come from, given those of train."""
        texts = [template.text for template in vocabulary.templates]
        train, validation, test = parts
        codes = np.flatnonzero(np.bincount(self.lines.shape)).astype(np.int32)
        codes = codes[codes != BLANK]
        learned = codes[vocabulary.miner.learned_of(self.lines.keys[codes]) >= 0]
        parsed = parsed_rows(self.lines, rows, learned)
        held = vocabulary, texts, len(vocabulary), offset, note
        return seen_first(Split(train, validation, test, *held, parsed=parsed))
