"""What a network thinks of every event of distinct sessions, computed on whole sessions at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from logwright.bench.parts import Bools
from logwright.detectors.base import Floats
from logwright.logs.batch import Int64s
from logwright.sequence.scoring import Tokens
from logwright.sequence.sequences import Sequences
from logwright.sequence.vocabulary import END, START

if TYPE_CHECKING:
    from logwright.sequence.network import EventNetwork

__all__ = ["Scored", "scored"]

_BATCH = 1 << 14
"""Events in one forward pass, marks and padding included: some ten MB of ratings."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What was said of every event, the end of a session last; `sure` is the probability of what
    was the likeliest, whether it came or not."""

    tokens: Tokens
    sure: Floats

    @property
    def right(self) -> Bools:
        """Where the likeliest is what came."""
        right: Bools = self.tokens.rank == 1
        return right

    @property
    def lowest(self) -> Int64s:
        """The rank of what was least expected in each session."""
        tokens = self.tokens
        return np.maximum.reduceat(tokens.rank, tokens.bounds[:-1]).astype(np.int64)

    @property
    def owner(self) -> Int64s:
        """The session of each event."""
        return np.repeat(np.arange(len(self.tokens)), self.tokens.lengths)


def scored(network: EventNetwork, sequences: Sequences) -> Scored:
    """All sessions; the network must have met their events. An event met after training competes
    with those learned, not with others met: so what a session scores does not depend on these."""
    import torch

    from logwright.sequence.network import token_nll

    sizes = sequences.lengths + 1
    bounds = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    nll, sure = np.empty(bounds[-1], np.float32), np.empty(bounds[-1])
    rank = np.empty(bounds[-1], np.int32)
    network.eval()
    with torch.inference_mode():
        for which in _batches(sizes):
            codes, held, at = _padded(sequences, which, bounds)
            gaps = None if sequences.gaps is None else torch.from_numpy(_gaps(sequences, which))
            ratings = network(torch.from_numpy(codes[:, :-1]), gaps)[torch.from_numpy(held)]
            came = torch.from_numpy(codes[:, 1:][held])
            own = ratings.gather(-1, came[:, None])
            learned = ratings[:, : network.learned]
            nll[at] = token_nll(ratings, came, network.learned).numpy()
            rank[at] = (learned > own).sum(-1).numpy() + 1
            sure[at] = torch.exp(learned.amax(-1) - learned.logsumexp(-1)).numpy()
    return Scored(Tokens(nll, rank, bounds), sure)


def _batches(sizes: Int64s) -> list[NDArray[np.intp]]:
    """Sessions by length, so that little is padded, in groups of so many events."""
    order = np.argsort(sizes, kind="stable")
    out, start = [], 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and (stop + 1 - start) * sizes[order[stop]] <= _BATCH:
            stop += 1
        out.append(order[start:stop])
        start = stop
    return out


def _padded(
    sequences: Sequences, which: NDArray[np.intp], bounds: Int64s
) -> tuple[Int64s, Bools, Int64s]:
    """Codes [B, T + 1] from the mark of the start on, which of [B, T] are to be scored, and where
    these belong in the flat columns."""
    part = sequences.take(which)
    sizes = part.lengths
    codes = np.full((len(which), int(sizes.max()) + 2), END, np.int64)
    codes[:, 0] = START
    place = np.arange(codes.shape[1] - 1)
    codes[:, 1:][place < sizes[:, None]] = part.events
    held = place <= sizes[:, None]
    return codes, held, (bounds[which][:, None] + place)[held]


def _gaps(sequences: Sequences, which: NDArray[np.intp]) -> NDArray[np.int8]:
    part = sequences.take(which)
    assert part.gaps is not None
    out = np.zeros((len(which), int(part.lengths.max()) + 1), np.int8)
    out[:, 1:][np.arange(out.shape[1] - 1) < part.lengths[:, None]] = part.gaps
    return out
