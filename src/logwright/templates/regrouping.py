"""Regrouping: what a user's edits make of the groups that the miner finds.

The result is a function of the miner's groups (a partition of shape keys) and of the edits that
stand, replayed in order:

* *name* and *mute* hold for the whole groups that the shapes are in, now and whatever joins them;
* *merge* unites all groups that hold any of its shapes. The merged group has the name that was
  given last, and is muted only if all of them were: a merge silences nothing;
* *split* takes its shapes out of their groups, into one of their own. A group that loses none of
  its mute, but the name stays with what is left.

A group's *pattern*, which covers shapes that history did not hold, stays with what a split leaves.
Shapes of edits that history does not hold are replayed as groups of one, so that they have their
place when they come up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from logwright.templates.edits import Edit, MergeEdit, NameEdit, SplitEdit

__all__ = ["Group", "regroup"]


@dataclass(slots=True, eq=False)
class Group:
    """A group as edits leave it.

    `members` are known shape keys, `absent` ones that only edits name; `patterns` the numbers of
    the miner's groups whose pattern is this group's. `apart` says that a split made it.
    """

    members: set[bytes] = field(default_factory=set)
    absent: set[bytes] = field(default_factory=set)
    patterns: set[int] = field(default_factory=set)
    name: str | None = None
    muted: bool = False
    apart: bool = False
    named: int = -1

    @property
    def placed(self) -> bool:
        """Whether edits say where this group's absent shapes belong."""
        return self.apart or len(self.members) + len(self.absent) > 1


def regroup(
    pieces: Sequence[Sequence[bytes]], number: Mapping[bytes, int], edits: Iterable[Edit]
) -> dict[bytes, Group]:
    """The group of each shape key that edits touch, and of all that share a group with one.

    `pieces` are the miner's groups, `number` says in which a key is.

    >>> from logwright.templates.edits import MergeEdit
    >>> a, b = bytes([1] * 16), bytes([2] * 16)
    >>> edits = [MergeEdit(groups=[[a.hex()], [b.hex()]])]
    >>> sorted(regroup([[a], [b]], {a: 0, b: 1}, edits)[a].patterns)
    [0, 1]
    """
    replay = _Replay(pieces, number)
    for n, edit in enumerate(edits):
        keys = edit.shape_keys()
        touched = list(dict.fromkeys(map(replay.group, keys)))
        if isinstance(edit, NameEdit):
            for group in touched:
                group.name, group.named = edit.name or None, n
        elif isinstance(edit, MergeEdit):
            replay.merge(touched)
        elif isinstance(edit, SplitEdit):
            replay.split(touched, set(keys))
        else:
            for group in touched:
                group.muted = edit.action == "mute"
    return replay.where


class _Replay:
    """The groups touched so far; all others are as the miner made them."""

    def __init__(self, pieces: Sequence[Sequence[bytes]], number: Mapping[bytes, int]) -> None:
        self.pieces, self.number = pieces, number
        self.where: dict[bytes, Group] = {}

    def group(self, key: bytes) -> Group:
        found = self.where.get(key)
        if found is not None:
            return found
        at = self.number.get(key)
        if at is None:
            group = Group(absent={key})
        else:
            group = Group(members=set(self.pieces[at]), patterns={at})
        self._enter(group)
        return group

    def _enter(self, group: Group) -> None:
        for keys in (group.members, group.absent):
            self.where.update(dict.fromkeys(keys, group))

    def merge(self, groups: list[Group]) -> None:
        into = max(groups, key=lambda g: len(g.members))
        into.name, into.named = _name(groups)
        into.muted, into.apart = _muted(groups), False
        for group in groups:
            if group is not into:
                into.members |= group.members
                into.absent |= group.absent
                into.patterns |= group.patterns
                self.where.update(dict.fromkeys(group.members | group.absent, into))

    def split(self, groups: list[Group], keys: set[bytes]) -> None:
        new = Group(apart=True, muted=_muted(groups))
        emptied = []
        for group in groups:
            known = bool(group.members)
            new.members |= group.members & keys
            new.absent |= group.absent & keys
            group.members -= keys
            group.absent -= keys
            gone = {p for p in group.patterns if group.members.isdisjoint(self.pieces[p])}
            group.patterns -= gone
            new.patterns |= gone
            if not group.members and (known or not group.absent):
                emptied.append(group)
        new.name, new.named = _name(emptied)
        self._enter(new)


def _name(groups: Iterable[Group]) -> tuple[str | None, int]:
    """The name that was given last."""
    named = [(g.named, g.name) for g in groups if g.name is not None]
    last = max(named, default=(-1, None))
    return last[1], last[0]


def _muted(groups: Sequence[Group]) -> bool:
    """Whether all groups that history holds are muted; where it holds none, all groups."""
    return all(g.muted for g in [g for g in groups if g.members] or groups)
