"""Hard negatives: normal sessions corrupted a little, so that they are abnormal but look normal.

A model that has seen normal sessions only has never been told what to refuse. A session in which
events are missing, doubled or out of place, or which ends too early, is a cheap stand-in for a real
abnormal one. What happens to be a normal session of the history is never given as a negative, nor,
where the make-ups of sessions last (`makeups`), one of a known make-up: another order is no fault
there.
Corruptions are made-up faults: a threshold is never set on them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from logwright.sequence.makeups import Makeups
from logwright.sequence.sequences import Sequences

__all__ = ["KINDS", "Negatives", "corrupt"]

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]

KINDS = ("drop", "insert", "swap", "truncate", "repeat")
_LONGEST_RUN = 3  # events that one corruption drops or repeats
_MOST_REPEATS = 3
_TRIES = 8


def corrupt(session: Int32s, kind: str, pool: Int32s, rng: np.random.Generator) -> Int32s:
    """A copy with one corruption of a kind: a run dropped, an event of `pool` inserted, two events
    swapped, the tail cut off, or a run repeated. Too short a session can come back unchanged.

    >>> rng = np.random.default_rng(1)
    >>> session = np.array([3, 4, 5, 6, 7], np.int32)
    >>> [len(corrupt(session, kind, session, rng)) for kind in ("drop", "insert", "swap")]
    [3, 6, 5]
    """
    n = len(session)
    if n == 0:
        return session
    start = int(rng.integers(n))
    run = slice(start, start + int(rng.integers(1, _LONGEST_RUN + 1)))
    if kind == "drop":
        return np.concatenate([session[: run.start], session[run.stop :]])
    if kind == "insert":
        return np.insert(session, int(rng.integers(n + 1)), pool[rng.integers(len(pool))])
    if kind == "swap":
        other = session.copy()
        end = int(rng.integers(n))
        other[[start, end]] = other[[end, start]]
        return other
    if kind == "truncate":
        return session[: max(start, 1)]
    if kind == "repeat":
        times = int(rng.integers(1, _MOST_REPEATS + 1))
        again = np.tile(session[run], times)
        return np.concatenate([session[: run.stop], again, session[run.stop :]])
    raise ValueError(f"unknown corruption {kind!r}")


class Negatives:
    """Draws corruptions of a history's sessions that are no sessions of that history.

    >>> history = Sequences.of_lists([[3, 4, 5, 6], [3, 5, 4, 6]])
    >>> made = Negatives(history, seed=0).draw(np.array([0, 0, 0, 1]))
    >>> len(made), any(made.one(i).tolist() == [3, 5, 4, 6] for i in range(4))
    (4, False)
    """

    def __init__(self, history: Sequences, seed: int, makeups: Makeups | None = None) -> None:
        self._history = history
        self._makeups = makeups
        self._rng = np.random.default_rng(seed)
        self._known = {history.one(i).tobytes() for i in range(len(history))}
        # Every event that occurs is inserted as often as any other: rare ones are the telling ones.
        self._pool = np.unique(history.events)

    def draw(self, which: Int64s) -> Sequences:
        """One for each session whose number `which` gives; a session that does not become abnormal
        in a few tries is left out, so that fewer can come back.
        """
        out: list[list[int]] = []
        for number in which.tolist():
            session = self._history.one(number)
            for _ in range(_TRIES):
                kind = KINDS[int(self._rng.integers(len(KINDS)))]
                made = corrupt(session, kind, self._pool, self._rng)
                if len(made) and not self._is_known(made):
                    out.append(made.tolist())
                    break
        return Sequences.of_lists(out)

    def _is_known(self, session: Int32s) -> bool:
        if self._makeups is None:
            return session.tobytes() in self._known
        return bool(self._makeups.knows(Sequences.of_lists([session.tolist()]))[0])
