"""Splits: which items train, which choose between trained models, and which judge them.

No system is judged that was trained on where there are systems enough: whole systems are test until
that holds its share. Within the others time decides: what came first trains, what came later
validates. A system that is alone is cut into all three by time. The same lines are in one part,
that of the first time they came; what another system has in an earlier part is in none.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

from logwright.reasoning.building.trajectories import PARTS, PartName

__all__ = ["Placed", "parts_of"]

_SHARE = 0.1


class Placed(NamedTuple):
    """What decides about an item: its system, its time in it, and what it says."""

    system: str
    time: int
    content: str


def parts_of(items: Sequence[Placed], seed: int = 0) -> list[PartName | None]:
    """The part of each item; None for those whose lines another system has in an earlier part.

    >>> items = [Placed("only", time, str(time)) for time in range(10)]
    >>> [part[:3] for part in parts_of(items) if part]
    ['tra', 'tra', 'tra', 'tra', 'tra', 'tra', 'tra', 'tra', 'val', 'tes']
    """
    systems: dict[str, list[int]] = {}
    for at, item in enumerate(items):
        systems.setdefault(item.system, []).append(at)
    tested = _tested({name: len(held) for name, held in systems.items()}, seed)
    parts: list[PartName | None] = [None] * len(items)
    for name, held in systems.items():
        # Two tasks may ask about the same lines.
        first: dict[str, int] = {}
        for at in sorted(held, key=lambda at: items[at].time):
            first.setdefault(items[at].content, items[at].time)
        ranks = {time: at for at, time in enumerate(sorted(set(first.values())))}
        for at in held:
            since = ranks[first[items[at].content]]
            parts[at] = "test" if name in tested else _by_time(since, len(ranks), bool(tested))
    seen: dict[str, int] = {}
    for rank, part in enumerate(PARTS):
        for at, item in enumerate(items):
            if parts[at] == part and seen.setdefault(item.content, rank) != rank:
                parts[at] = None
    return parts


def _by_time(rank: int, of: int, two: bool) -> PartName:
    """The part of the moment of this rank, rounded in favour of training.

    >>> [_by_time(rank, 5, two=True) for rank in (3, 4)], _by_time(0, 1, two=False)
    (['train', 'train'], 'train')
    """
    ends = [1.0 - _SHARE] if two else [1.0 - 2 * _SHARE, 1.0 - _SHARE]
    return PARTS[sum(rank >= math.ceil(round(end * of, 6)) for end in ends)]


def _tested(sizes: dict[str, int], seed: int) -> frozenset[str]:
    """The systems that are test alone: drawn by the seed, as long as they are not too many items.
    One system at least is left to train on."""
    names = sorted(sizes)
    random.Random(seed).shuffle(names)
    room = 2 * _SHARE * sum(sizes.values())
    tested: list[str] = []
    for name in names[: max(len(names), 1)]:
        if sizes[name] <= room and len(tested) < len(names) - 1:
            tested.append(name)
            room -= sizes[name]
        if room <= _SHARE * sum(sizes.values()):
            break
    return frozenset(tested)
