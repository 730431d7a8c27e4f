"""Series: data sets in order of time, as the protocol cuts them: ready-made windows, or lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from logwright.bench.labelled import LabelledLines, learn_templates, windows_of
from logwright.bench.parts import Bools, Part, Split
from logwright.bench.protocol import Cut, roles, seen_first
from logwright.logs.batch import Int64s
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
        return self._split([role == i for i in range(3)], 0.0, "split at random")

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
        rows = [self.lines.rows(where.start, where.stop, self.window) for where in cut.parts]
        vocabulary = learn_templates(self.lines, rows[0])
        return self._split([self._part(r, vocabulary) for r in rows], vocabulary, cut.offset)

    def chosen(self, seed: int) -> Split:
        """Parts by chance, of windows made from the whole log."""
        every = np.arange(len(self.lines), dtype=np.int64)
        bare = windows_of(self.lines, every, self.window)[0]
        role = roles(len(bare), seed)
        vocabulary = learn_templates(self.lines, np.sort(bare.select(role == 0).events.row))
        whole = self._part(every, vocabulary)
        parts = [whole.select(role == i) for i in range(3)]
        return self._split(parts, vocabulary, 0.0, "split at random")

    def _part(self, rows: Int64s, vocabulary: Vocabulary) -> Part:
        windows, truth, kinds, corrected = windows_of(self.lines, rows, self.window, vocabulary)
        return Part(windows, truth, kinds if any(kinds) else None, corrected)

    def _split(
        self, parts: Sequence[Part], vocabulary: Vocabulary, offset: float, note: str = ""
    ) -> Split:
        texts = [template.text for template in vocabulary.templates]
        train, validation, test = parts
        held = vocabulary, texts
        return seen_first(Split(train, validation, test, *held, len(vocabulary), offset, note))
