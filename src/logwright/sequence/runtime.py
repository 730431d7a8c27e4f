"""`Runtime`: a sequence model at work, on numpy and ONNX Runtime alone.

The step graph (`export`) takes one event of each of many sessions. Whole sequences are scored by
columns: sessions sorted by length, the first event of all of them, then the second, and so on, so
that states lie at the front of their arrays and nothing is gathered. All but the step itself is
done for many columns at once. Only distinct sequences are computed. Open sessions, whose events
come mixed, are the business of `streams`.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.errors import InputError, MissingExtraError, ModelError
from logwright.logs.batch import Int8s, Int32s, Int64s
from logwright.sequence.graph import FORMAT
from logwright.sequence.providers import Choice, choose, granted, padded
from logwright.sequence.scoring import Float32s, Tokens
from logwright.sequence.sequences import Sequences
from logwright.sequence.states import Part, States
from logwright.sequence.vocabulary import END, START
from logwright.sequence.weights import Weights

__all__ = ["Runtime"]

_ROWS = 256
_PIECE = 1_024
_NUMBERS = 1 << 20  # held at once of outputs and ratings, and kept of outputs: 4 MB


class Runtime:
    """A step graph with its weights.

    Args:
        graph: The bytes of the ONNX file.
        weights: What stands beside it.
        engines: The folder in which TensorRT keeps its engines.
        provider: `auto`, `tensorrt`, `cuda` or `cpu`.
    """

    def __init__(
        self, graph: bytes, weights: Weights, engines: Path | None = None, provider: str = "auto"
    ) -> None:
        self.weights = weights
        self._session, self.choice = _session(graph, engines, provider)
        self.parts = _parts(self._session, weights.width)
        self._ringed = any(part.ring for part in self.parts)
        self._inputs = ["x", *(part.name for part in self.parts)]
        if self._ringed:
            self._inputs.append("seen")
        self._outputs = ["h", *(f"new_{part.name}" for part in self.parts)]
        with np.errstate(all="ignore"):
            begun = self.step(weights.read(np.array([START], np.int32)), *self._empty())
        self.begin: list[Float32s] = begun
        """The output after a session's start, and what it changes of the state."""
        if not all(np.isfinite(array).all() for array in begun):
            raise ModelError("The sequence model gives no numbers (NaN): train it again")

    @property
    def span(self) -> int | None:
        """How many events back an output can depend on, besides the present one; None for all."""
        if not self._ringed:
            return None
        return sum(part.shape[-2] for part in self.parts) // 2

    def step(self, x: Float32s, states: list[Float32s], seen: Int64s) -> list[Float32s]:
        """One event of each of B sessions: x [B, d], their states and how many events those hold.

        Returns:
            h [B, d] and, for each part of the state, what the event changes.
        """
        rows = len(x)
        size = padded(rows, self.choice.sizes) if self.choice.sizes else rows
        arrays: list[NDArray[Any]] = [x, *states, seen] if self._ringed else [x, *states]
        if size > rows:
            arrays = [np.concatenate([a, np.zeros((size - rows, *a.shape[1:]), a.dtype)])
                      for a in arrays]  # fmt: skip
        feeds = dict(zip(self._inputs, arrays, strict=True))
        out: list[Float32s] = self._session.run(self._outputs, feeds)
        return [array[:rows] for array in out] if size > rows else out

    def score(self, sequences: Sequences) -> Tokens:
        """Negative log-likelihood and rank of every event of every sequence, and of its end."""
        self._check(sequences.events)
        distinct, inverse = sequences.distinct()
        tokens = self._score(distinct)
        return tokens.take(inverse)

    def looked(self, sequences: Sequences) -> tuple[Tokens, Float32s | None]:
        """What `score` says of sequences that differ, and the output before each of its entries
        [entries, d], which says what was expected there (`likeliest`); None where that is large."""
        self._check(sequences.events)
        entries = len(sequences.events) + len(sequences)
        if entries * self.weights.width > _NUMBERS:
            return self._score(sequences), None
        outputs = np.empty((entries, self.weights.width), np.float32)
        return self._score(sequences, outputs), outputs

    def expected(self, sequence: Int32s, position: int, n: int) -> list[tuple[int, float]]:
        """The `n` likeliest events at `position` of a sequence, as (code, probability).

        Args:
            sequence: Codes without marks; only those before `position` are looked at.
            position: 0 for the first event, its length for what comes after the last.
            n: How many at most.
        """
        if not 0 <= position <= len(sequence):
            raise InputError(f"A sequence of {len(sequence)} events has no position {position}")
        self._check(sequence[:position])
        tokens = np.concatenate([[START], sequence[:position]]).astype(np.int32)
        if self.span is not None:
            tokens = tokens[-(self.span + 1) :]
        states = States(self.parts, 1)
        h = self.begin[0]
        for code in tokens:
            h = self._advance(states, self.weights.read(np.array([code], np.int32)))
        return self.likeliest(h[0], n)

    def likeliest(self, h: Float32s, n: int) -> list[tuple[int, float]]:
        """The `n` likeliest events after an output h [d], as (code, probability)."""
        logits = self.weights.logits(h[None])[0]
        share = np.exp(logits - logits.max())
        share /= share.sum()
        order = np.argsort(-share, kind="stable")[:n]
        return [(int(code), float(share[code])) for code in order]

    def _empty(self) -> tuple[list[Float32s], Int64s]:
        return [np.zeros((1, *p.shape), np.float32) for p in self.parts], np.zeros(1, np.int64)

    def _check(self, codes: Int32s) -> None:
        if len(codes) and not (codes.min() >= 0 and codes.max() < len(self.weights)):
            wrong = int(codes.max()) if codes.max() >= len(self.weights) else int(codes.min())
            raise InputError(
                f"The sequence model has no event of code {wrong}, only 0 to"
                f" {len(self.weights) - 1}: let it meet events before they are scored"
            )

    def _score(self, sequences: Sequences, outputs: Float32s | None = None) -> Tokens:
        """`outputs` takes the output before every entry, where it is given."""
        lengths = sequences.lengths
        bounds = np.concatenate([[0], np.cumsum(lengths + 1)]).astype(np.int64)
        nll, rank = np.zeros(bounds[-1], np.float32), np.zeros(bounds[-1], np.int32)
        gaps = sequences.gaps
        if gaps is None:
            gaps = np.zeros(len(sequences.events), np.int8)
        owner, begin, warm = self._pieces(lengths)
        last = np.minimum(begin + (_PIECE if self._ringed else lengths[owner] + 1),
                          lengths[owner] + 1)  # fmt: skip
        order = np.argsort(warm - last, kind="stable")
        states = States(self.parts, max(1, min(_ROWS, len(order))))
        wide = self.weights.width + self.weights.learned
        for at in range(0, len(order), _ROWS):
            rows = order[at : at + _ROWS]
            states.clear(np.arange(len(rows)))
            steps, done = (last - warm)[rows], 0
            while done < steps[0]:
                some = rows[: np.searchsorted(-steps, -done)]
                until = done + max(1, _NUMBERS // (wide * len(some)))
                sizes = np.minimum(steps[: len(some)], until) - done
                row, column, edges = _columns(sizes)
                # The entry of a sequence that is rated after its token: event, event, ..., end.
                own, entry = owner[some[row]], warm[some[row]] + done + column
                place = sequences.bounds[own] + entry
                x = self.weights.read(*_tokens(sequences.events, gaps, place - 1, entry > 0, START))
                h = np.empty_like(x)
                for a, b in pairwise(edges):
                    h[a:b] = self._advance(states, x[a:b])
                rated = entry >= begin[some[row]]
                if not rated.all():
                    h, place, own, entry = h[rated], place[rated], own[rated], entry[rated]
                following, _ = _tokens(sequences.events, gaps, place, entry < lengths[own], END)
                to = bounds[own] + entry
                nll[to], rank[to] = self.weights.rate(h, following)
                if outputs is not None:
                    outputs[to] = h
                done = until
        return Tokens(nll, rank, bounds)

    def _pieces(self, lengths: Int64s) -> tuple[Int64s, Int64s, Int64s]:
        """Which stretches are computed: their sequence, first entry, and the token to begin at.

        Where outputs depend on the last `span` events only, long sequences are cut in pieces, each
        begun so much earlier: the same numbers, and a session of 10^6 events fills a batch.
        """
        owner = np.arange(len(lengths), dtype=np.int64)
        if self.span is None:
            return owner, np.zeros_like(owner), np.zeros_like(owner)
        number = lengths // _PIECE + 1
        owner = np.repeat(owner, number)
        turn = np.arange(len(owner)) - np.repeat(np.cumsum(number) - number, number)
        begin = (turn * _PIECE).astype(np.int64)
        return owner, begin, np.maximum(0, begin - self.span)

    def _advance(self, states: States, x: Float32s) -> Float32s:
        """Step the first slots of some states by an event each; h."""
        h, *new = self.step(x, states.first(len(x)), states.seen[: len(x)])
        states.write_first(new)
        return h


def _columns(sizes: Int64s) -> tuple[Int64s, Int64s, list[int]]:
    """Rows of these sizes, the longest first, gone through by columns: the row and the column of
    every place, and where each column begins and ends.

    >>> row, column, edges = _columns(np.array([3, 1]))
    >>> row.tolist(), column.tolist(), edges
    ([0, 1, 0, 0], [0, 0, 1, 2], [0, 2, 3, 4])
    """
    high = np.searchsorted(-sizes, -np.arange(sizes[0]))
    edges = np.concatenate(([0], np.cumsum(high))).astype(np.int64)
    row = np.arange(edges[-1]) - np.repeat(edges[:-1], high)
    return row, np.repeat(np.arange(sizes[0]), high), edges.tolist()


def _tokens(
    events: Int32s, gaps: Int8s, place: Int64s, inside: NDArray[np.bool_], mark: int
) -> tuple[Int32s, Int8s]:
    """The events at some places and their gaps, or a mark where the place is outside."""
    codes, spent = np.full(len(place), mark, np.int32), np.zeros(len(place), np.int8)
    codes[inside], spent[inside] = events[place[inside]], gaps[place[inside]]
    return codes, spent


def _session(graph: bytes, engines: Path | None, provider: str) -> tuple[Any, Choice]:
    try:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as causes
    except ImportError:
        raise MissingExtraError("sequence", "onnxruntime") from None
    options = onnxruntime.SessionOptions()
    # One thread a worker: two on a busy machine wait for one another, up to 300 ms.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    bad = (causes.InvalidProtobuf, causes.InvalidGraph, causes.Fail, causes.InvalidArgument,
           causes.NotImplemented, causes.RuntimeException)  # fmt: skip
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except bad:
        raise ModelError(
            "The sequence model's ONNX file cannot be read, it is damaged or cut short:"
            " copy or train it again"
        ) from None
    facts = session.get_modelmeta().custom_metadata_map
    if facts.get("logwright.step") != FORMAT:
        found = facts.get("logwright.step")
        raise ModelError(
            f"The sequence model's ONNX file is of format {found}, this version reads {FORMAT}:"
            " train it again" if found else
            "The ONNX file is not a sequence model that Logwright wrote: train one"
        )  # fmt: skip
    shapes = {one.name: tuple(one.shape[1:]) for one in session.get_inputs()}
    choice = choose(onnxruntime.get_available_providers(), shapes, engines, provider)
    if choice.providers[0][0] != "CPUExecutionProvider":
        session = onnxruntime.InferenceSession(graph, options, providers=choice.providers)
    return session, granted(choice, session.get_providers())


def _parts(session: Any, width: int) -> list[Part]:
    """The parts of the state, from the graph's inputs."""
    parts = []
    for one in session.get_inputs():
        shape = tuple(one.shape[1:])
        if one.name == "x" and shape != (width,):
            raise ModelError(
                f"The sequence model's graph takes {shape[0]} numbers an event, its weights hold"
                f" {width}: they are of two models"
            )
        if one.name.startswith("state_"):
            parts.append(Part(one.name, shape, ring=len(shape) == 3))
    return parts
