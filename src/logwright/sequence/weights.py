"""`Weights`: what stands beside the step graph of a sequence model, as plain arrays.

The graph (`export`) turns an embedding and a state into an output. Which embedding an event has,
and how an output rates the events, is outside of it: so an event met after training gets a row
without touching the graph, the mean of the rows of its words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from logwright.errors import ModelError
from logwright.logs.batch import Int8s, Int32s
from logwright.sequence.scoring import Float32s, surprise
from logwright.sequence.sequences import BUCKETS_OF_TIME
from logwright.sequence.vocabulary import BUCKETS, FIRST, EventVocabulary

__all__ = ["Weights"]

_BLOCK = 32


@dataclass(slots=True)
class Weights:
    """V codes, of which the first `learned` were trained; d numbers each.

    `matrix` [V, d] reads events in and rates them; `bias` [V] is added to the ratings; `met_bias`
    is that of every event met later. `words` [2,048, d] are the rows of words; `gaps` [16, d] what
    the time since the event before adds, zeros in row 0.
    """

    matrix: Float32s
    bias: Float32s
    met_bias: float
    words: Float32s
    gaps: Float32s
    learned: int

    def __len__(self) -> int:
        return len(self.matrix)

    @property
    def width(self) -> int:
        """d, the size of an embedding."""
        return int(self.matrix.shape[1])

    def meet(self, vocabulary: EventVocabulary) -> None:
        """Give a row to each event the vocabulary has met since: the mean of its words' rows."""
        if len(vocabulary) <= len(self):
            return
        flat, bounds = vocabulary.pieces
        begins = bounds[len(self) :]
        sums = np.add.reduceat(self.words[flat[begins[0] :]], begins[:-1] - begins[0], axis=0)
        rows = sums / np.diff(begins)[:, None].astype(np.float32)
        self.matrix = np.concatenate([self.matrix, rows])
        self.bias = np.concatenate([self.bias, np.full(len(rows), self.met_bias, np.float32)])

    def read(self, codes: Int32s, gaps: Int8s | None = None) -> Float32s:
        """x [n, d]: what the graph is fed for events of these codes and buckets of time."""
        x = self.matrix[codes]
        if gaps is not None and gaps.any():
            x += self.gaps[gaps]
        return x

    def logits(self, h: Float32s) -> Float32s:
        """How likely each event learned is after each output: h [n, d] gives [n, learned].

        Products of matrices of another size may differ in the last digit. So all are of one size,
        and an output is rated alike alone and in company.
        """
        blocks = -(-len(h) // _BLOCK)
        filled = np.zeros((blocks * _BLOCK, self.width), np.float32)
        filled[: len(h)] = h
        product = filled.reshape(blocks, _BLOCK, self.width) @ self.matrix[: self.learned].T
        return product.reshape(len(filled), self.learned)[: len(h)] + self.bias[: self.learned]

    def rate(self, h: Float32s, codes: Int32s) -> tuple[Float32s, Int32s]:
        """Negative log-likelihood and rank of the events `codes` [n] after the outputs h [n, d].

        An event is measured against those learned and itself, so that what it scores does not
        depend on which others have been met.
        """
        logits = self.logits(h)
        apart = codes >= self.learned
        own = logits[np.arange(len(codes)), np.where(apart, 0, codes)]
        if apart.any():
            at = codes[apart]
            own[apart] = np.einsum("nd,nd->n", h[apart], self.matrix[at]) + self.bias[at]
        return surprise(logits, own, apart)

    def to_tables(self) -> dict[str, Float32s]:
        """Named tables of rows of float32, for a columnar file; without events met later."""
        learned = slice(0, self.learned)
        return {
            "events": np.column_stack([self.matrix[learned], self.bias[learned]]),
            "words": self.words,
            "gaps": self.gaps,
            "met": np.array([[self.met_bias]], np.float32),
        }

    @staticmethod
    def from_tables(tables: Mapping[str, Float32s]) -> Weights:
        """Weights from what `to_tables` gave."""
        wanted = {"events", "words", "gaps", "met"}
        if absent := sorted(wanted - set(tables)):
            raise ModelError(f"The sequence model's weights lack {absent[0]!r}: train it again")
        for name in sorted(wanted):
            if not np.isfinite(tables[name]).all():
                raise ModelError(
                    f"The sequence model's weights hold numbers that are not finite, in {name!r}:"
                    " train it again"
                )
        events = np.ascontiguousarray(tables["events"], np.float32)
        words = np.ascontiguousarray(tables["words"], np.float32)
        gaps = np.ascontiguousarray(tables["gaps"], np.float32)
        d = events.shape[1] - 1
        shapes = (words.shape, gaps.shape, tables["met"].shape)
        if len(events) < FIRST or shapes != ((BUCKETS, d), (BUCKETS_OF_TIME, d), (1, 1)):
            raise ModelError("The sequence model's weights are of shapes that do not fit together")
        return Weights(
            np.ascontiguousarray(events[:, :d]),
            np.ascontiguousarray(events[:, d]),
            float(tables["met"][0, 0]),
            words,
            gaps,
            len(events),
        )
