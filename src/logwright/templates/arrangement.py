"""The arrangement: templates as the user's edits leave the miner's groups, and what covers a shape.

The miner's groups are called pieces here. A template that edits touch is made of whole pieces, of
what a split left of one (both keep the piece's pattern), and of shapes that were split out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from logwright.templates.edits import Edit
from logwright.templates.exemplars import exemplar
from logwright.templates.items import Lexer
from logwright.templates.patterns import Items, Matcher, Pattern, aligned
from logwright.templates.regrouping import Group, regroup
from logwright.templates.template import Template

__all__ = ["Arrangement", "Shapes", "made"]

Shapes = Mapping[bytes, Sequence[bytes]]
"""The lines kept of each shape, by its key."""

_WORDED_MAX = 64
"""Shapes of one template that are read to word its text: the smallest keys."""


def made(
    members: list[bytes],
    shapes: Shapes,
    wild: frozenset[int],
    lists: frozenset[int],
    worded: list[bytes] | None = None,
) -> Template:
    """The template of sorted `members`, its text from `worded` (from all, if not given)."""
    worded = members if worded is None else worded
    return Template(
        members,
        exemplar(shapes[worded[0]]),
        (),
        wild,
        lists,
        tuple([tuple(shapes[key]) for key in worded[:_WORDED_MAX]]),
    )


class Arrangement:
    """Templates by edits: `templates`, sorted by id, and `codes`, the place of each known shape."""

    def __init__(
        self,
        pieces: list[Template],
        shapes: Shapes,
        former: Mapping[bytes, Iterable[str]],
        edits: Sequence[Edit],
        lexer: Lexer,
    ) -> None:
        self.pieces = self.templates = pieces
        self._shapes, self._former, self._lexer = shapes, former, lexer
        self.number = {key: n for n, piece in enumerate(pieces) for key in piece.members}
        self.codes = self.number
        self._where: dict[bytes, Group] = {}
        self.touched: dict[int, Group] = {}
        if edits:
            self._where = regroup([p.members for p in pieces], self.number, edits)
            groups = dict.fromkeys(self._where.values())
            self.touched = {n: group for group in groups for n in group.patterns}
            self.templates = sorted(
                [p for n, p in enumerate(pieces) if n not in self.touched]
                + [self._edited(group) for group in groups if group.members],
                key=lambda t: t.members[0],
            )
            self.codes = {key: c for c, t in enumerate(self.templates) for key in t.members}
        self._matcher: Matcher | None = None
        self._leads: list[bytes] = []

    def _edited(self, group: Group) -> Template:
        template = self.united(sorted(group.members), group.patterns)
        return replace(template, name=group.name, muted=group.muted)

    def united(self, members: list[bytes], patterns: Iterable[int]) -> Template:
        """One template of these shapes, which have these pieces' patterns.

        Its text is worded from all where their delimiters agree, else from the part that its id is
        from.
        """
        mine = set(members)
        parts = []
        for n in sorted(patterns):
            piece = self.pieces[n]
            keys = [key for key in piece.members if key in mine]
            if len(keys) == len(members) == len(piece.members):
                return piece
            parts.append((keys, Pattern(self._items(keys[0]), piece.wild, piece.lists)))
            mine.difference_update(keys)
        parts += [([key], Pattern(self._items(key))) for key in sorted(mine)]
        common = aligned([pattern for _, pattern in parts])
        worded = members
        if common is None:
            worded, lead = min(parts, key=lambda part: part[0][0])
            common = lead.wild, lead.lists
        former = {i for key in members for i in self._former.get(key, ())} if self._former else ()
        return replace(made(members, self._shapes, *common, worded), former=tuple(sorted(former)))

    def _items(self, key: bytes) -> Items:
        return tuple(self._lexer.items(self._shapes[key][0]))

    def like(self, key: bytes, content: bytes) -> bytes | None:
        """The known shape that this one goes with; None where it is on its own.

        That is a shape which edits put together with it, or else one of the template whose pattern
        covers it.
        """
        if key in self.number:
            return key
        group = self._where.get(key)
        if group is not None and group.placed:
            return min(group.members, default=None)
        if self._matcher is None:
            self._matcher = Matcher(self._patterns())
        at = self._matcher.match(tuple(self._lexer.items(content)))
        return None if at < 0 else self._leads[at]

    def fresh(self, key: bytes, content: bytes) -> Template:
        """A template of its own for a shape that is like no other, with what edits say of it."""
        group = self._where.get(key)
        if group is None:
            return Template([key], content, lines=((content,),))
        keys = sorted(group.absent) if group.placed else [key]
        lines = ((content,),)
        return Template(keys, content, lines=lines, name=group.name, muted=group.muted)

    def _patterns(self) -> Iterable[Pattern]:
        """All patterns, and in `_leads` a shape for each: that of the piece, where still there."""
        self._leads = []
        for n, piece in enumerate(self.pieces):
            group = self.touched.get(n)
            keys = piece.members
            if group is not None:
                keys = [key for key in keys if key in group.members]
            if keys[0] in self._shapes:  # else evicted since the groups were made
                self._leads.append(keys[0])
                yield Pattern(self._items(keys[0]), piece.wild, piece.lists)
        for key, group in self._where.items():
            if key in group.members and self.number[key] not in group.patterns:
                self._leads.append(key)
                yield Pattern(self._items(key))
