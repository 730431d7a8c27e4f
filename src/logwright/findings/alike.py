"""Alike: findings that would have one id are told apart by counting them.

A stream that never ends brings ever-new findings, so the counts are arrays, 24 bytes each, and
end with `MOST` findings between two that are alike.
"""

from __future__ import annotations

import hashlib

import numpy as np

from logwright.logs.batch import Int64s
from logwright.snapshot import State

__all__ = ["MOST", "Alike"]

MOST = 100_000
_YOUNG = 4_096


class Alike:
    """How many findings before one had the same of everything that names it: findings that are
    `most` or further apart are not compared.

    >>> alike = Alike()
    >>> alike.before("a", 1), alike.before("a", 2), alike.before("a", 1), alike.before("a", 1)
    (0, 0, 1, 2)
    """

    def __init__(self, most: int = MOST) -> None:
        self._most, self._met = most, 0
        self._young: dict[int, tuple[int, int]] = {}  # how many, and which finding was the last
        self._keys = np.empty(0, np.uint64)  # sorted; older ones, unless they are among the young
        self._count = np.empty(0, np.int64)
        self._last = np.empty(0, np.int64)

    def before(self, *same: object) -> int:
        """How many there were; now there is one more."""
        named = repr(same).encode("utf-8", "backslashreplace")
        key = int.from_bytes(hashlib.blake2b(named, digest_size=8).digest(), "little")
        self._met += 1
        found = self._young.get(key) or self._old(key)
        count = 0 if found is None or self._met - found[1] >= self._most else found[0]
        self._young[key] = (count + 1, self._met)
        if len(self._young) >= _YOUNG:
            self._age()
        return count

    def _old(self, key: int) -> tuple[int, int] | None:
        at = int(np.searchsorted(self._keys, np.uint64(key)))
        if at == len(self._keys) or int(self._keys[at]) != key:
            return None
        return int(self._count[at]), int(self._last[at])

    def _age(self) -> None:
        """The young go among the old, and those that are too old go."""
        keys = np.array(list(self._young), np.uint64)
        count, last = np.array(list(self._young.values()), np.int64).reshape(-1, 2).T
        self._young = {}
        stays = self._met - self._last < self._most
        at = np.minimum(np.searchsorted(self._keys, keys), max(len(self._keys) - 1, 0))
        if len(self._keys):
            stays[at[self._keys[at] == keys]] = False
        order = np.argsort(keys)
        kept = self._keys[stays]
        to = np.searchsorted(kept, keys[order])

        def put(old: Int64s, new: Int64s) -> Int64s:
            return np.insert(old[stays], to, new[order])

        self._keys = np.insert(kept, to, keys[order])
        self._count, self._last = put(self._count, count), put(self._last, last)

    def paused(self) -> State:
        """What was counted, and how many findings ago."""
        self._age()
        columns = {"key": self._keys, "number": self._count, "last": self._last}
        return State({"met": self._met}, {"alike": columns})

    def resume(self, state: State) -> None:
        """Go on from there."""
        table = state.tables["alike"]
        order = np.argsort(table["key"].astype(np.uint64))
        self._young, self._met = {}, int(state.meta["met"])
        self._keys = table["key"].astype(np.uint64)[order]
        self._count = table["number"].astype(np.int64)[order]
        self._last = table["last"].astype(np.int64)[order]
