"""`Miner`: from shapes to templates.

Grouping is a pure function of the set of shapes and of the user's edits: it does not see how often,
in which order, in which batches or with which digits shapes came. Kept lines only word the masked
tokens of a text. Memory is bounded by `max_shapes` and `EXEMPLARS_MAX`.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from logwright.logs.shapes import mask
from logwright.templates.arrangement import Arrangement, made
from logwright.templates.edits import Edit
from logwright.templates.exemplars import EXEMPLARS_MAX, LONG, exemplar, kept
from logwright.templates.grouping import grouped
from logwright.templates.items import Lexer
from logwright.templates.learned import Learned
from logwright.templates.template import Template, template_id

__all__ = ["EXEMPLARS_MAX", "Miner", "Template"]

Keys = NDArray[np.uint64]
Codes = NDArray[np.int32]

_ID = re.compile(r"t-[0-9a-f]{16}")

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("types", pa.list_(pa.string())),
        ("parts", pa.list_(pa.binary())),
        ("former", pa.list_(pa.string())),
        ("wild", pa.list_(pa.int32())),
        ("lists", pa.list_(pa.int32())),
        ("keys", pa.list_(pa.string())),
        ("lines", pa.list_(pa.list_(pa.binary()))),
        ("learned", pa.list_(pa.string())),
    ]
)
"""A row per group of the miner's own, before edits. `learned` holds the id of each key's template
when detectors learned, and nothing where these are the row's own."""


class Miner:
    """Collects shapes and groups them into templates.

    `max_shapes`: shapes held; beyond it those with the largest keys are forgotten, which keeps the
    result a function of the set of shapes. Who knows better which to forget calls `evict`. `edits`
    are the user's, in order: see `templates.regrouping`.

    >>> import numpy as np
    >>> from logwright.logs.shapes import mask, shape_key
    >>> lines = [f"user {u} logged in".encode() for u in ("ann", "bob", "cy", "dot")]
    >>> miner = Miner()
    >>> miner.add(np.array([shape_key(mask(x)) for x in lines], np.uint64), lines)
    >>> [t.text for t in miner.group()]
    ['user <*> logged in']
    """

    def __init__(self, max_shapes: int = 1_000_000, edits: Sequence[Edit] = ()) -> None:
        self.max_shapes = max_shapes
        self.edits = tuple(edits)
        self.templates: list[Template] = []
        self._shapes: dict[bytes, list[bytes]] = {}
        self._former: dict[bytes, set[str]] = {}
        self._pending: list[tuple[Keys, Sequence[bytes]]] = []
        self._waiting = 0
        self._lexer = Lexer()
        self._learned_ids: dict[bytes, str] = {}  # where they are not those of the miner's groups
        self._learned: Learned | None = None
        self._arrange([])

    def __len__(self) -> int:
        self._settle()
        return len(self._shapes)

    def add(self, keys: Keys, contents: Sequence[bytes]) -> None:
        """Take new shapes, each with the content of one line; a known key adds an exemplar."""
        if len(keys) != len(contents):
            raise ValueError(f"{len(keys)} keys but {len(contents)} contents")
        self._pending.append((keys, contents))
        self._waiting += len(contents)
        if self._waiting > self.max_shapes:
            self._settle()

    def _settle(self) -> None:
        """Put what was added into the store, and keep the store's bounds."""
        pending, self._pending, self._waiting = self._pending, [], 0
        shapes = self._shapes
        for keys, contents in pending:
            for key, content in zip(_bytes_of(keys), contents, strict=True):
                known = shapes.get(key)
                if known is None:
                    shapes[key] = [content]
                elif content not in known:
                    known.append(content)
                    if len(known) > EXEMPLARS_MAX or max(len(known[0]), len(content)) > LONG:
                        shapes[key] = kept(known)
        if len(shapes) > self.max_shapes:
            for key in sorted(shapes)[self.max_shapes :]:
                del shapes[key]

    def group(self) -> list[Template]:
        """Group all shapes anew into templates, as edits leave them, sorted by id.

        Detectors are to learn these.
        """
        # Hundreds of thousands of tuples are made that all stay: looking through them for cycles
        # again and again would take a fifth of the time.
        collecting = gc.isenabled()
        gc.disable()
        try:
            return self._grouped()
        finally:
            if collecting:
                gc.enable()

    def _grouped(self) -> list[Template]:
        self._settle()
        keys = sorted(self._shapes)
        items = (self._lexer.items(self._shapes[key][0]) for key in keys)
        pieces = [
            self._piece([keys[i] for i in group.rows], group.wild, group.lists)
            for group in grouped(items)
        ]
        self._learned, self._learned_ids = None, {}
        self._arrange(pieces)
        if self._arranged.touched:
            for template in self.templates:
                for key in template.members:
                    if template.id != pieces[self._arranged.number[key]].id:
                        self._learned_ids[key] = template.id
        return self.templates

    def _piece(self, keys: list[bytes], wild: frozenset[int], lists: frozenset[int]) -> Template:
        piece = made(keys, self._shapes, wild, lists)
        if self._former:
            piece.former = tuple(sorted({i for k in keys for i in self._former.get(k, ())}))
        return piece

    def _arrange(self, pieces: list[Template]) -> None:
        shapes, former, lexer = self._shapes, self._former, self._lexer
        self._arranged = Arrangement(pieces, shapes, former, self.edits, lexer)
        self.templates = self._arranged.templates

    def edit(self, edits: Sequence[Edit]) -> list[Template]:
        """The templates of the last `group` with these edits instead of those it had.

        What detectors have learned goes on to hold: see `learned`.
        """
        self.edits = tuple(edits)
        self._arrange(self._arranged.pieces)
        self._relate()
        return self.templates

    def _relate(self) -> None:
        """Relate templates to what detectors have learned."""
        self._learned = None
        if self._arranged.touched or self._learned_ids:
            learned = Learned(self._arranged, self._learned_ids)
            self._learned = None if learned.same else learned

    def of(self, keys: Keys) -> Codes:
        """The place in `templates` of each key's template, -1 where unknown."""
        get = self._arranged.codes.get
        return np.array([get(key, -1) for key in _bytes_of(keys)], np.int32)

    def learned(self) -> tuple[list[str], list[Template]]:
        """Ids under which detectors know the templates, sorted, and the templates to show for them.

        These are `templates` and their ids, unless `edit` has changed groups since the last
        `group`: then several of the former groups may be one template, and are shown as such.
        """
        if self._learned is None:
            return [t.id for t in self.templates], self.templates
        return self._learned.ids, self._learned.shown

    def learned_of(self, keys: Keys) -> Codes:
        """The place of each key's template in the lists of `learned`, -1 where unknown."""
        if self._learned is None:
            return self.of(keys)
        return np.array([self._learned.of(key) for key in _bytes_of(keys)], np.int32)

    def learned_ids(self, template: Template) -> list[str] | None:
        """The ids under which detectors know one of `templates`: several after a merge, None where
        they know it only together with what it was split from."""
        if self._learned is None:
            return [template.id]
        return self._learned.of_template(template.members)

    def edits_of(self, template: Template) -> list[Edit]:
        """The edits that had a part in one of `templates`: those of shapes that the miner's own
        groups have together with its shapes."""
        number, pieces = self._arranged.number, self._arranged.pieces
        near = {key for n in {number[k] for k in template.members} for key in pieces[n].members}
        return [edit for edit in self.edits if not near.isdisjoint(edit.shape_keys())]

    def holds(self, key: bytes) -> bool:
        """Whether a shape is known."""
        return key in self._shapes

    def lines(self, key: bytes) -> tuple[bytes, ...]:
        """The lines kept of a known shape."""
        return tuple(self._shapes[key])

    def merge(self, other: Miner) -> Miner:
        """A new miner with the shapes of both and this one's edits; call `group` on it."""
        result = Miner(max(self.max_shapes, other.max_shapes), self.edits)
        for miner in (self, other):
            miner._settle()
            for key, lines in miner._shapes.items():
                known = result._shapes.get(key, [])
                result._shapes[key] = kept([*known, *(x for x in lines if x not in known)])
            for key, ids in miner._former.items():
                result._former[key] = result._former.get(key, set()) | ids
        result._settle()
        return result

    def evict(self, keys: Keys) -> None:
        """Forget shapes. Their templates lose them with the next `group`.

        A template without members goes. One that loses its smallest member changes its id and keeps
        the old one as an alias. `of` gives -1 for them from now on.
        """
        self._settle()
        gone = set(_bytes_of(keys))
        for key in gone:
            self._shapes.pop(key, None)
        arranged = self._arranged
        codes = {arranged.codes[k] for k in gone if k in arranged.codes}
        for key in gone:
            arranged.codes.pop(key, None)
            arranged.number.pop(key, None)
        for code in codes:
            template = self.templates[code]
            ids = {template.id}.union(*(self._former.pop(k, ()) for k in template.members))
            left = [k for k in template.members if k in self._shapes]
            if left and ids != {template_id(left[0])}:
                self._former[left[0]] = ids

    def assign(self, key: tuple[int, int], content: bytes) -> Template:
        """The template of one shape, by the frozen groups of the last `group`.

        A shape the groups know gives its own template; one that edits put together with a known
        shape gives that shape's; one that a template's generalisation covers gives that template
        (the most specific, then the smallest id); any other a fresh template made from this line
        alone. Nothing is remembered, so answers never depend on each other.
        """
        name = _bytes_of_key(key)
        like = self._arranged.like(name, content)
        if like is None:
            return self._arranged.fresh(name, content)
        return self.templates[self._arranged.codes[like]]

    def meet(self, key: tuple[int, int], content: bytes) -> tuple[str, Template]:
        """The same for detectors: the id under which they know the template, and what to show."""
        name = _bytes_of_key(key)
        like = self._arranged.like(name, content)
        if like is None:
            template = self._arranged.fresh(name, content)
        elif self._learned is not None:
            at = self._learned.of(like)
            return self._learned.ids[at], self._learned.shown[at]
        else:
            template = self.templates[self._arranged.codes[like]]
        return template.id, template

    def to_table(self, exemplars: bool = True) -> pa.Table:
        """The groups of the last `group`, and all else that restores this miner but its edits.

        Without `exemplars` only masked lines are kept: ids and texts stay, and so do the ids after
        another `group`, but its texts then know less about masked tokens.
        """
        rows: list[dict[str, Any]] = []
        for template in self._arranged.pieces:
            members = [key for key in template.members if key in self._shapes]
            if not members:  # all were evicted since the last `group`
                continue
            lines = [self._shapes[key] for key in members]
            rows.append(
                {
                    "id": template_id(members[0]),
                    "text": template.text,
                    "types": list(template.types),
                    "parts": list(template.parts),
                    "former": sorted({*template.former, *self._former.get(members[0], ())}),
                    "wild": sorted(template.wild),
                    "lists": sorted(template.lists),
                    "keys": [key.hex() for key in members],
                    "lines": lines if exemplars else [[mask(x[0])] for x in lines],
                    "learned": self._learned_as(members, template.id),
                }
            )
        return pa.Table.from_pylist(rows, schema=SCHEMA)

    def _learned_as(self, members: list[bytes], own: str) -> list[str]:
        ids = [self._learned_ids.get(key, own) for key in members]
        return [] if ids == [own] * len(ids) else ids

    @classmethod
    def from_table(
        cls, table: pa.Table, max_shapes: int = 1_000_000, edits: Sequence[Edit] = ()
    ) -> Miner:
        """The miner that `to_table` wrote, grouped as it was, with these edits."""
        miner = cls(max_shapes, edits)
        pieces = []
        for row in table.to_pylist():
            keys = [bytes.fromhex(k) for k in row["keys"]]
            miner._shapes.update(zip(keys, row["lines"], strict=True))
            if row["former"]:
                miner._former[keys[0]] = set(row["former"])
            learned = row.get("learned") or ()  # older models have none
            if learned:
                if not all(map(_ID.fullmatch, learned)):
                    raise ValueError(f"learned: expected ids of templates, not {learned[0]!r:.40}")
                miner._learned_ids.update(zip(keys, learned, strict=True))
            pieces.append(
                Template(
                    keys,
                    exemplar(row["lines"][0]),
                    tuple(row["former"]),
                    frozenset(row["wild"]),
                    frozenset(row["lists"]),
                    form=(tuple(row["parts"]), tuple(row["types"])),
                )
            )
        miner._arrange(pieces)
        miner._relate()
        return miner


def _bytes_of(keys: Keys) -> list[bytes]:
    """Keys as 16 bytes each, which sort as the 128-bit numbers do."""
    raw = np.ascontiguousarray(keys, ">u8").reshape(-1, 2).tobytes()
    return [raw[i : i + 16] for i in range(0, len(raw), 16)]


def _bytes_of_key(key: tuple[int, int]) -> bytes:
    return (key[0] << 64 | key[1]).to_bytes(16, "big")
