"""`Recall`: a sequence model that is not asked twice about what is to be told of a sequence.

Findings come right after scores, of few among many: which entries were not expected, and what was
expected in their place. What the last call computed is at hand until the next one, if it is no more
than a few MB. And what was told of a sequence is kept, as sessions with an anomaly are alike, too.

Memory: the outputs of one call, 4 MB (`Runtime.looked`), and about 4,000 sequences that were told
of; when these are too many, all are let go.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from logwright.logs.batch import Int32s
from logwright.sequence.scoring import Float32s, Tokens
from logwright.sequence.sequences import Sequences

__all__ = ["Recall", "Scorer"]

_MOST = 1 << 18  # entries
_EACH = 64  # entries that a sequence counts for beside its own


class Scorer(Protocol):
    """What scores sequences of event codes (`sequence.runtime.Runtime`)."""

    def looked(self, sequences: Sequences) -> tuple[Tokens, Float32s | None]:
        """The surprise of every event, and of the end, of sequences that differ; and the output
        before each, where that is not too much to keep."""

    def likeliest(self, h: Float32s, n: int) -> list[tuple[int, float]]:
        """The `n` most probable events after an output, with their probabilities."""

    def expected(self, sequence: Int32s, position: int, n: int) -> list[tuple[int, float]]:
        """The `n` most probable events at a position of a sequence, with their probabilities."""


@dataclass(slots=True)
class _Call:
    """What one call gave, and which of its sequences is which."""

    tokens: Tokens
    outputs: Float32s | None
    rows: dict[bytes, int]


@dataclass(slots=True)
class _Told:
    nll: Float32s
    likely: dict[tuple[int, int], list[tuple[int, float]]] = field(default_factory=dict)


class Recall:
    """A scorer, and what it said of late; of what was told, so many entries are kept at `most`.

    >>> from logwright.sequence.scoring import Tokens
    >>> class Even:
    ...     asked = 0
    ...     def looked(self, sequences):
    ...         self.asked += 1
    ...         return Tokens.of_lists([[1.0] * (n + 1) for n in sequences.lengths], []), None
    ...     def expected(self, sequence, position, n):
    ...         self.asked += 1
    ...         return [(2, 0.5)]
    >>> recall, one = Recall(Even()), np.array([2, 3], np.int32)
    >>> for _ in range(2):
    ...     print(recall.surprises(one), recall.expected(one, 1, 1), recall.scorer.asked)
    [1. 1. 1.] [(2, 0.5)] 2
    [1. 1. 1.] [(2, 0.5)] 2
    """

    def __init__(self, scorer: Scorer, most: int = _MOST) -> None:
        self.scorer, self._most = scorer, most
        self._together: _Call | None = None  # what scores were asked for, at last
        self._alone: _Call | None = None  # the sequence that was told of last, where not in there
        self._told: dict[bytes, _Told] = {}
        self._held = 0

    def score(self, sequences: Sequences) -> Tokens:
        """The surprise of every event, and of the end, of sequences that differ."""
        call = self._called(sequences)
        self._together = call if call.outputs is not None else None
        return call.tokens

    def surprises(self, sequence: Int32s) -> Float32s:
        """The surprise of every event of one sequence, and of its end; not to be written to."""
        return self._of(sequence).nll

    def expected(self, sequence: Int32s, position: int, n: int) -> list[tuple[int, float]]:
        """The `n` most probable events at a position of a sequence, with their probabilities."""
        likely = self._of(sequence).likely
        if (position, n) not in likely:
            call = self._call_with(sequence.tobytes())
            if call is None or call.outputs is None:
                likely[position, n] = self.scorer.expected(sequence, position, n)
            else:
                row = call.rows[sequence.tobytes()]
                h = call.outputs[int(call.tokens.bounds[row]) + position]
                likely[position, n] = self.scorer.likeliest(h, n)
        return likely[position, n]

    def _of(self, sequence: Int32s) -> _Told:
        key = sequence.tobytes()
        found = self._told.get(key)
        if found is None:
            call = self._call_with(key)
            if call is None:
                bounds, once = np.array([0, len(sequence)]), np.ones(1, np.int64)
                call = self._alone = self._called(Sequences(sequence, bounds, once))
            row, bounds = call.rows[key], call.tokens.bounds
            found = _Told(call.tokens.nll[bounds[row] : bounds[row + 1]].copy())
            self._held += len(found.nll) + _EACH
            if self._held > self._most:
                self._told.clear()
                self._held = len(found.nll) + _EACH
            self._told[key] = found
        return found

    def _called(self, sequences: Sequences) -> _Call:
        tokens, outputs = self.scorer.looked(sequences)
        keys = (sequences.one(i).tobytes() for i in range(len(sequences)))
        return _Call(tokens, outputs, {key: i for i, key in enumerate(keys)})

    def _call_with(self, key: bytes) -> _Call | None:
        """The call that gave a sequence."""
        calls = (self._together, self._alone)
        return next((call for call in calls if call is not None and key in call.rows), None)
