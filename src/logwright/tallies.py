"""Tallies: what each side of a comparison holds of each template, from two passes over its rows.

The first pass counts. The second looks at the templates that are worth it: how many of their lines
fall into each stretch of the side, and an evenly spread sample of their rows, to read values from.
A side that is a model has counts, and what its rate detector knows of how lines came in bursts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo

import numpy as np
from numpy.typing import NDArray

from logwright.compare import SLOTS, Floats, spread
from logwright.detectors.rate import Rate
from logwright.findings.run import parse_time
from logwright.logs.batch import Int64s
from logwright.model import Model
from logwright.sides import Piece, Side, SidedRecording
from logwright.templates.vocabulary import Vocabulary

__all__ = ["NO_ROW", "Tallies", "Tally"]

NO_ROW = -1

_MOST_LINES, _MOST_OF_TEMPLATE, _LEAST_OF_TEMPLATE = 40_000, 500, 32
_LEVELS = 8


@dataclass(slots=True)
class Tally:
    """One side, per template: lines, the highest level, first and last row (`NO_ROW` for none).

    `seconds` is the time covered (0 without times); `bursts` are the lines per burst of the
    templates of the second pass, NaN where a model does not know.
    """

    count: Int64s
    level: Int64s
    first: Int64s
    last: Int64s
    lines: int = 0
    seconds: float = 0.0
    is_model: bool = False
    side: Side = field(default_factory=Side)
    bursts: Floats = field(default_factory=lambda: np.empty(0))

    @staticmethod
    def empty(templates: int) -> Tally:
        """A side without lines."""
        rows = np.full(templates, NO_ROW, np.int64)
        none = np.zeros(templates, np.int64)
        return Tally(none, none.copy(), rows, rows.copy())

    def add(self, template: Int64s, piece: Piece) -> None:
        """Count rows of this side; `template` is that of each."""
        templates = len(self.count)
        levels = np.bincount(template * _LEVELS + piece.level, minlength=templates * _LEVELS)
        levels = levels.reshape(-1, _LEVELS)
        self.count += levels.sum(axis=1)
        highest = _LEVELS - 1 - np.argmax(levels[:, ::-1] > 0, axis=1)
        self.level = np.maximum(self.level, np.where(levels.any(axis=1), highest, 0))
        first = np.full(templates, NO_ROW, np.int64)
        first[template[::-1]] = piece.row[::-1]
        self.first = np.where(self.first == NO_ROW, first, self.first)
        self.last[template] = piece.row


class Tallies:
    """Both sides of a recording, whose shapes stand in `vocabulary`."""

    def __init__(self, rows: SidedRecording, vocabulary: Vocabulary, zone: tzinfo) -> None:
        self._rows, self._vocabulary, self._zone = rows, vocabulary, zone
        templates = len(vocabulary)
        self.a, self.b = Tally.empty(templates), Tally.empty(templates)
        # Muted by a user, or not counted by a model: nothing is said of these.
        self.left_out = np.array([t.muted for t in vocabulary.templates], bool)
        for code, template, piece in self._pieces():
            (self.a, self.b)[code].add(template, piece)
        for tally, side in zip((self.a, self.b), rows.sides(zone), strict=True):
            tally.side, tally.lines, tally.seconds = side, side.lines, side.seconds

    @property
    def timed(self) -> bool:
        """Whether both sides have times, so that rates compare."""
        return self.a.seconds > 0 and self.b.seconds > 0

    @property
    def exposures(self) -> tuple[float, float]:
        """What rates refer to: seconds, or lines where there are no times."""
        if self.timed:
            return self.a.seconds, self.b.seconds
        return float(self.a.lines), float(self.b.lines)

    def _pieces(self) -> Iterator[tuple[int, Int64s, Piece]]:
        """The rows of one side after the other: its code, their templates, and the rows."""
        for piece in self._rows.pieces(self._zone):
            template = self._vocabulary.of(piece.shape).astype(np.int64)
            for code in (0, 1):
                mine = np.flatnonzero(piece.side == code)
                if len(mine):
                    yield code, template[mine], piece.of(mine)

    def enter(self, model: Model, code: int) -> None:
        """Make a model side A (0) or B (1)."""
        tally = (self.a, self.b)[code]
        tally.is_model = True
        tally.bursts = np.full(len(tally.count), np.nan)
        place = {key: i for i, t in enumerate(self._vocabulary.templates) for key in t.members}
        for template, count in zip(model.templates, model.counts(), strict=True):
            at = place.get(template.members[0], -1)
            if at >= 0 and count is None:
                self.left_out[at] = True
            elif at >= 0 and count:
                tally.count[at] += count
                tally.bursts[at] = np.fmax(tally.bursts[at], _bursts(model, template.id, count))
        tally.lines = int(tally.count.sum())
        history = model.history
        first = parse_time(history.first) if history.first else None
        last = parse_time(history.last) if history.last else None
        if first and last:
            tally.seconds = (last - first).total_seconds()
            times = [int(t.timestamp() * 1e6) * 1000 for t in (first, last)]
            tally.side.spans[0] = (times[0], times[1])

    def look(
        self, templates: NDArray[np.intp], sampled: NDArray[np.intp]
    ) -> dict[tuple[int, int], list[tuple[int, int]]]:
        """The second pass: fills `bursts` for `templates`; gives, by (template, side), the times
        and rows of an evenly spread sample of the lines of `sampled` ones."""
        place = np.full(len(self._vocabulary), -1, np.int64)
        place[templates] = np.arange(len(templates))
        chosen = np.zeros(len(self._vocabulary), bool)
        chosen[sampled] = True
        most = _MOST_LINES // max(2 * len(sampled), 1)
        most = min(max(most, _LEAST_OF_TEMPLATE), _MOST_OF_TEMPLATE)
        tables = [np.zeros((len(templates), SLOTS), np.int64) for _ in (0, 1)]
        covers = [tally.side.cover() for tally in (self.a, self.b)]
        passed = [0, 0]
        met = [np.zeros(len(self._vocabulary), np.int64) for _ in (0, 1)]
        samples: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for code, template, piece in self._pieces():
            tally = (self.a, self.b)[code]
            clock = passed[code] + np.arange(len(template), dtype=np.int64)
            whole = tally.lines
            passed[code] += len(template)
            if self.timed:
                begins, before = covers[code]
                at = np.maximum(np.searchsorted(begins, piece.ts, side="right") - 1, 0)
                whole = int(before[-1]) + 1
                # Lines before the first time stand at the beginning.
                ts = np.maximum(piece.ts, begins[0])
                clock = np.minimum(before[at] + ts - begins[at], whole - 1)
            slot = np.minimum((clock / whole * SLOTS).astype(np.int64), SLOTS - 1)
            keep = place[template] >= 0
            key = place[template[keep]] * SLOTS + slot[keep]
            tables[code] += np.bincount(key, minlength=tables[code].size).reshape(-1, SLOTS)
            looked = np.flatnonzero(chosen[template])
            turn = _turns(template[looked], met[code])
            number = tally.count[template[looked]]
            room = np.minimum(number, most)
            taken = looked[(turn + 1) * room // number != turn * room // number]
            for t, time, row in zip(
                template[taken].tolist(),
                clock[taken].tolist(),
                piece.row[taken].tolist(),
                strict=True,
            ):
                samples.setdefault((t, code), []).append((time, row))
        for tally, table in zip((self.a, self.b), tables, strict=True):
            tally.bursts = tally.bursts[templates] if tally.is_model else spread(table)
        return samples


def _turns(template: Int64s, met: Int64s) -> Int64s:
    """The how-many-eth line of its template each is, from 0; `met` counts on."""
    order = np.argsort(template, kind="stable")
    ordered = template[order]
    new = np.flatnonzero(np.diff(ordered, prepend=-1))
    size = np.diff(np.append(new, len(ordered)))
    turn = np.empty(len(template), np.int64)
    turn[order] = np.arange(len(ordered)) - np.repeat(new, size) + met[ordered]
    met[ordered[new]] += size
    return turn


def _bursts(model: Model, template: str, count: int) -> float:
    """Lines per burst of a template in history, at the least; NaN where the model does not know.

    Of the counts per interval a model keeps how many there are and the largest: the others are
    taken as alike.
    """
    for rung in model.ladder.rungs:
        if not isinstance(rung.detector, Rate):
            continue
        state = rung.detector.save()
        columns, slots = state.tables["templates"], int(state.meta["slots"])
        at = np.flatnonzero(columns["hash"] == np.uint64(int(template[2:], 16)))
        if not len(at) or slots < 2:
            break
        active, largest = (float(columns[c][at[0]]) for c in ("active", "largest"))
        mean, rest = count / slots, (count - largest) / max(active - 1, 1)
        squares = (largest - mean) ** 2 + (active - 1) * (rest - mean) ** 2
        squares += (slots - active) * mean**2
        return max(squares / (slots - 1) / mean, 1.0)
    return float("nan")
