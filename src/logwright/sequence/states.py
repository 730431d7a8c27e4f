"""`States`: what a sequence model remembers of open sessions, in arrays made once.

The arrays hold one row a slot. What a state is, `Part` says: either replaced whole at every event
(a recurrent layer), or a ring of the last events, of which an event overwrites the oldest (a layer
of attention); then only the new row is written, in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logwright.errors import SettingsError
from logwright.logs.batch import Int64s
from logwright.sequence.scoring import Float32s

__all__ = ["Part", "States"]


@dataclass(frozen=True, slots=True)
class Part:
    """One array of the state. `shape` is that of a session; `ring` whether its second to last axis
    is a ring of events, as in [heads, ring, each]."""

    name: str
    shape: tuple[int, ...]
    ring: bool


class States:
    """The states of `most` sessions.

    >>> states = States([Part("state_0", (1, 2, 1), True)], 10)
    >>> at = np.array([4])
    >>> for number in (5.0, 6.0, 7.0):
    ...     states.write(at, [np.full((1, 1, 1, 1), number, np.float32)])
    >>> states.read(at)[0].ravel(), states.seen[at]
    (array([7., 6.], dtype=float32), array([3]))
    """

    def __init__(self, parts: Sequence[Part], most: int) -> None:
        if most < 1:
            raise SettingsError(f"States of {most} sessions are none: name 1 or more")
        self.parts = list(parts)
        self.seen: Int64s = np.zeros(most, np.int64)
        """The events each slot's state has taken in."""
        self._arrays = [np.zeros((most, *part.shape), np.float32) for part in parts]
        self._buffers = [np.zeros((0, *part.shape), np.float32) for part in parts]

    @property
    def nbytes(self) -> int:
        """Memory of the states and of the room in which they are gathered, in bytes."""
        arrays = sum(array.nbytes for array in self._arrays)
        return arrays + sum(room.nbytes for room in self._buffers) + self.seen.nbytes

    def clear(self, slots: NDArray[np.intp]) -> None:
        """Forget what these slots held. Rings are not zeroed: what `seen` does not cover is not
        looked at."""
        self.seen[slots] = 0
        for part, array in zip(self.parts, self._arrays, strict=True):
            if not part.ring:
                array[slots] = 0

    def read(self, slots: NDArray[np.intp]) -> list[Float32s]:
        """The states of some slots, gathered; valid until the next call."""
        if len(slots) > len(self._buffers[0]):
            self._buffers = [np.empty((len(slots), *p.shape), np.float32) for p in self.parts]
        out = [buffer[: len(slots)] for buffer in self._buffers]
        for array, room in zip(self._arrays, out, strict=True):
            # With `clip` numpy writes into the room at once instead of by way of a copy.
            np.take(array, slots, axis=0, out=room, mode="clip")
        return out

    def first(self, number: int) -> list[Float32s]:
        """The states of the first slots, as they lie, without a copy."""
        return [array[:number] for array in self._arrays]

    def write_first(self, new: Sequence[Float32s]) -> None:
        """`write` for the first slots, as many as the graph gave rows."""
        number = len(new[0])
        if any(part.ring for part in self.parts):
            self.write(np.arange(number), new)
            return
        for array, rows in zip(self._arrays, new, strict=True):
            array[:number] = rows
        self.seen[:number] += 1

    def write(self, slots: NDArray[np.intp], new: Sequence[Float32s]) -> None:
        """Take in one event of each of these slots, all different: what the graph gave."""
        seen = self.seen[slots]
        for part, array, rows in zip(self.parts, self._arrays, new, strict=True):
            if part.ring:
                array[slots, :, seen % part.shape[-2]] = rows[:, :, 0]
            else:
                array[slots] = rows
        self.seen[slots] = seen + 1
