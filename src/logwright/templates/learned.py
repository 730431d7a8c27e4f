"""Learned groups: templates as detectors know them, where edits came after they had learned.

Detectors keep hashes of template ids. When a loaded model's templates are edited, what was counted
in history was counted in the former groups; so windows go on to be judged by these, under their
former ids, and nothing that history held becomes new. What is shown is the edited template: its
id, name and mute, with the former group's text, since that is what a finding speaks of. A group
that a split divided is shown as it was learned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from logwright.templates.arrangement import Arrangement
from logwright.templates.template import Template

__all__ = ["Learned"]


class Learned:
    """The groups that detectors know: `ids`, sorted, and the templates to show for them.

    `ids_of` gives the learned id of each shape for which it is not its piece's id.
    """

    def __init__(self, arranged: Arrangement, ids_of: Mapping[bytes, str]) -> None:
        self._arranged = arranged
        pieces, number = arranged.pieces, arranged.number
        changed = set(arranged.touched)
        if ids_of:
            changed.update(number[key] for key in ids_of if key in number)
            united = set(ids_of.values())
            changed.update(n for n, piece in enumerate(pieces) if piece.id in united)
        groups: dict[str, list[bytes]] = {}
        for n in changed:
            own = pieces[n].id
            for key in pieces[n].members:
                groups.setdefault(ids_of.get(key, own), []).append(key)
        self.same = True
        shown = {p.id: p for n, p in enumerate(pieces) if n not in changed}
        self._divided: set[str] = set()
        for name, keys in groups.items():
            shown[name] = self._shown(name, sorted(keys))
        self.ids = sorted(shown)
        self.shown = [shown[name] for name in self.ids]
        at = {name: i for i, name in enumerate(self.ids)}
        self._at = {key: at[name] for name, keys in groups.items() for key in keys}
        self._at_piece = [at[p.id] if n not in changed else -1 for n, p in enumerate(pieces)]

    def _shown(self, name: str, keys: list[bytes]) -> Template:
        arranged = self._arranged
        templates = {arranged.codes[key]: arranged.templates[arranged.codes[key]] for key in keys}
        now = arranged.templates[arranged.codes[keys[0]]]
        if len(templates) == 1 and len(now.members) == len(keys):
            return now
        self.same = False
        mine = set(keys)
        numbers = {arranged.number[key] for key in keys}
        whole = {n for n in numbers if mine.issuperset(arranged.pieces[n].members)}
        then = arranged.united(keys, whole)
        if len(templates) == 1:
            members, former = now.members, now.former
            return replace(then, members=members, former=former, name=now.name, muted=now.muted)
        self._divided.add(name)
        return replace(then, name=now.name, muted=all(t.muted for t in templates.values()))

    def of(self, key: bytes) -> int:
        """The place in `ids` of a known shape's group; -1 for unknown shapes."""
        n = self._arranged.number.get(key)
        return -1 if n is None else self._at.get(key, self._at_piece[n])

    def of_template(self, members: Sequence[bytes]) -> list[str] | None:
        """The ids under which detectors know a template; None where a split made it from a part."""
        ids = sorted({self.ids[self.of(key)] for key in members})
        return None if self._divided.intersection(ids) else ids
