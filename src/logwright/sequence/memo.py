"""`Memo`: what the model said last time these events came, so that it need not be asked again.

Logs repeat themselves: after the first minutes nearly every event comes behind ten others that it
has come behind before. The memo maps a hash of the last n events, the one in question included, to
its negative log-likelihood and rank. The hash also says whether those are all events of the
session, so that sessions of at most n events get exactly the model's answer; beyond, the answer is
that of another session with the same last n events. Below n = 8 answers changed measurably, which
is why n is at least `LEAST`; at 10 one odd session can answer for hundreds, at `LAST` it does not.

Memory is fixed: sets of `WAYS` entries, in which the oldest gives way, 16 bytes an entry. Two
histories are mistaken for each other where 63 bits of their hashes agree: with 10^6 entries about
once in 10^13 look-ups. Everything is done for whole batches in numpy; there is no object an event.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from logwright.errors import SettingsError
from logwright.logs.batch import Int32s
from logwright.sequence.scoring import Float32s

__all__ = ["LAST", "LEAST", "WAYS", "Memo", "fingerprint"]

UInt64s = NDArray[np.uint64]

LEAST = 10
"""The fewest events an answer may depend on."""

LAST = 16
"""How many it depends on, unless said otherwise."""

WAYS = 4
"""Entries of a set: a hash has this many places it may be kept in."""

_ODD = np.uint64(0x9E37_79B9_7F4A_7C15)
_MIX1, _MIX2 = np.uint64(0xBF58_476D_1CE4_E5B9), np.uint64(0x94D0_49BB_1331_11EB)


def fingerprint(histories: NDArray[np.int64], whole: NDArray[np.bool_]) -> UInt64s:
    """A hash of each row.

    Args:
        histories: [m, n], the last n events of a session, -1 before its beginning.
        whole: [m], True where they are all events the session has had.

    >>> rows = np.array([[1, 2], [2, 1], [1, 2]])
    >>> len(np.unique(fingerprint(rows, np.array([True, True, True]))))
    2
    >>> len(np.unique(fingerprint(rows, np.array([True, True, False]))))
    3
    """
    mixed = whole.astype(np.uint64)
    for column in histories.T:
        # The finaliser of splitmix64 after each event, so that their order matters.
        mixed = (mixed ^ column.astype(np.uint64)) * _ODD
        mixed ^= mixed >> np.uint64(30)
        mixed *= _MIX1
        mixed ^= mixed >> np.uint64(27)
    mixed *= _MIX2
    return mixed ^ (mixed >> np.uint64(31))


class Memo:
    """Answers by hash, at most `most` of them (rounded up to a power of two).

    `asked` and `found` count look-ups.

    >>> memo = Memo(1_000)
    >>> some = np.array([7, 8], np.uint64)
    >>> memo.put(some, np.array([0.5, 2.0], np.float32), np.array([1, 9], np.int32))
    >>> found, nll, rank = memo.get(np.array([8, 9], np.uint64))
    >>> found.tolist(), float(nll[0]), int(rank[0])
    ([True, False], 2.0, 9)
    """

    def __init__(self, most: int = 1 << 18) -> None:
        if most < 1:
            raise SettingsError(f"A memo of {most} answers is none: name 1 or more")
        sets = 1 << max(0, (most - 1).bit_length() - 2)
        self._mask = np.uint64(sets - 1)
        self._tags = np.zeros((sets, WAYS), np.uint64)
        self._nll = np.zeros((sets, WAYS), np.float32)
        self._rank = np.zeros((sets, WAYS), np.int32)
        self._next = np.zeros(sets, np.uint8)
        self.asked = self.found = 0

    @property
    def nbytes(self) -> int:
        """Memory, in bytes."""
        return self._tags.nbytes + self._nll.nbytes + self._rank.nbytes + self._next.nbytes

    def get(self, hashes: UInt64s) -> tuple[NDArray[np.bool_], Float32s, Int32s]:
        """Which are known, and their answers; where not known, what the answer says is void."""
        at = (hashes & self._mask).astype(np.intp)
        same = self._tags[at] == (hashes | np.uint64(1))[:, None]
        way = same.argmax(axis=1)
        found = same[np.arange(len(at)), way]
        self.asked += len(at)
        self.found += int(np.count_nonzero(found))
        return found, self._nll[at, way], self._rank[at, way]

    def put(self, hashes: UInt64s, nll: Float32s, rank: Int32s) -> None:
        """Keep answers; those of one hash in one call are taken to be the same."""
        tags, first = np.unique(hashes | np.uint64(1), return_index=True)
        # The lowest bit is set in every tag, so the set is chosen by the hash as it was given.
        at = (hashes[first] & self._mask).astype(np.intp)
        new = ~(self._tags[at] == tags[:, None]).any(axis=1)
        at, tags, first = at[new], tags[new], first[new]
        order = np.argsort(at, kind="stable")
        at, tags, first = at[order], tags[order], first[order]
        begins = np.flatnonzero(np.diff(at, prepend=-1))
        sizes = np.diff(begins, append=len(at))
        turn = np.arange(len(at)) - np.repeat(begins, sizes)
        # Where more of one call share a set than it has ways, the last ones written stay.
        way = (self._next[at] + turn) % WAYS
        self._tags[at, way] = tags
        self._nll[at, way] = nll[first]
        self._rank[at, way] = rank[first]
        self._next[at] = (way + 1) % WAYS
