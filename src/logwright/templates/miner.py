"""`Miner`: from shapes to templates.

Grouping is a pure function of the set of shapes: it does not see how often, in which order, in
which batches or with which digits they came. Kept lines only word the masked tokens of a text.
Memory is bounded by `max_shapes` and `EXEMPLARS_MAX`.
"""

from __future__ import annotations

import gc
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from logwright.logs.shapes import mask
from logwright.templates.grouping import grouped, is_delimiter
from logwright.templates.items import Lexer
from logwright.templates.template import Template, template_id

__all__ = ["EXEMPLARS_MAX", "Miner", "Template"]

_LONG = 4096
EXEMPLARS_MAX = 8
"""Distinct lines kept per shape: those with the smallest checksums, so that order is irrelevant."""

_WORDED_MAX = 64
"""Shapes of one template that are read to word its text: the smallest keys."""

_ANY, _LIST = b"\x00*", b"\x00+"

Keys = NDArray[np.uint64]
Codes = NDArray[np.int32]
Items = tuple[bytes, ...]

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
    ]
)


class Miner:
    """Collects shapes and groups them into templates.

    `max_shapes`: shapes held; beyond it those with the largest keys are forgotten, which keeps the
    result a function of the set of shapes. Who knows better which to forget calls `evict`.

    >>> import numpy as np
    >>> from logwright.logs.shapes import mask, shape_key
    >>> lines = [f"user {u} logged in".encode() for u in ("ann", "bob", "cy", "dot")]
    >>> miner = Miner()
    >>> miner.add(np.array([shape_key(mask(x)) for x in lines], np.uint64), lines)
    >>> [t.text for t in miner.group()]
    ['user <*> logged in']
    """

    def __init__(self, max_shapes: int = 1_000_000) -> None:
        self.max_shapes = max_shapes
        self.templates: list[Template] = []
        self._shapes: dict[bytes, list[bytes]] = {}
        self._former: dict[bytes, set[str]] = {}
        self._pending: list[tuple[Keys, Sequence[bytes]]] = []
        self._waiting = 0
        self._codes: dict[bytes, int] = {}
        self._lexer = Lexer()
        self._frozen: dict[Items, int] | None = None
        self._patterns: dict[Items, list[tuple[frozenset[int], frozenset[int]]]] = {}

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
                    if len(known) > EXEMPLARS_MAX or max(len(known[0]), len(content)) > _LONG:
                        shapes[key] = _kept(known)
        if len(shapes) > self.max_shapes:
            for key in sorted(shapes)[self.max_shapes :]:
                del shapes[key]

    def group(self) -> list[Template]:
        """Group all shapes anew into templates, sorted by id."""
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
        self.templates = [
            self._template([keys[i] for i in group.rows], group.wild, group.lists)
            for group in grouped(items)
        ]
        self._reindex()
        return self.templates

    def _template(self, keys: list[bytes], wild: frozenset[int], lists: frozenset[int]) -> Template:
        former: set[str] = set()
        if self._former:
            former = former.union(*(self._former.get(k, ()) for k in keys))
        return Template(
            keys,
            _exemplar(self._shapes[keys[0]]),
            tuple(sorted(former)),
            wild,
            lists,
            tuple([tuple(self._shapes[key]) for key in keys[:_WORDED_MAX]]),
        )

    def _reindex(self) -> None:
        self._codes = {
            key: code for code, template in enumerate(self.templates) for key in template.members
        }
        self._frozen = None

    def of(self, keys: Keys) -> Codes:
        """The place in `group()`'s last list of each key's template, -1 where unknown."""
        get = self._codes.get
        return np.array([get(key, -1) for key in _bytes_of(keys)], np.int32)

    def merge(self, other: Miner) -> Miner:
        """A new miner with the shapes of both; call `group` on it."""
        result = Miner(max(self.max_shapes, other.max_shapes))
        for miner in (self, other):
            miner._settle()
            for key, lines in miner._shapes.items():
                known = result._shapes.get(key, [])
                result._shapes[key] = _kept([*known, *(x for x in lines if x not in known)])
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
        for code in {self._codes.pop(k) for k in gone if k in self._codes}:
            template = self.templates[code]
            ids = {template.id}.union(*(self._former.pop(k, ()) for k in template.members))
            left = [k for k in template.members if k in self._shapes]
            if left and ids != {template_id(left[0])}:
                self._former[left[0]] = ids

    def assign(self, key: tuple[int, int], content: bytes) -> Template:
        """The template of one shape, by the frozen groups of the last `group`.

        A shape the groups know gives its own template; one that a template's generalisation covers
        gives that template (the most specific, then the smallest id); any other a fresh template
        made from this line alone. Nothing is remembered, so answers never depend on each other.
        """
        name = (key[0] << 64 | key[1]).to_bytes(16, "big")
        code = self._codes.get(name, -1)
        if code < 0:
            items = tuple(self._lexer.items(content))
            code = self._match(items)
        if code >= 0:
            return self.templates[code]
        return Template([name], content, lines=((content,),))

    def _match(self, items: Items) -> int:
        if self._frozen is None:
            self._freeze()
        assert self._frozen is not None
        for wild, lists in self._patterns.get(_skeleton(items), ()):
            code = self._frozen.get(_masked(items, wild, lists))
            if code is not None:
                return code
        return -1

    def _freeze(self) -> None:
        """Index the templates: by skeleton the wild positions in use, by masked items the code."""
        self._frozen = {}
        patterns: dict[Items, set[tuple[frozenset[int], frozenset[int]]]] = {}
        for code, template in enumerate(self.templates):
            lines = self._shapes.get(template.members[0])
            if lines is None:  # evicted since the last `group`
                continue
            items = tuple(self._lexer.items(lines[0]))
            self._frozen.setdefault(_masked(items, template.wild, template.lists), code)
            patterns.setdefault(_skeleton(items), set()).add((template.wild, template.lists))
        self._patterns = {
            key: sorted(found, key=lambda p: (len(p[0]) + len(p[1]), sorted(p[0]), sorted(p[1])))
            for key, found in patterns.items()
        }

    def to_table(self, exemplars: bool = True) -> pa.Table:
        """The templates of the last `group` and all that restores this miner, a row per template.

        Without `exemplars` only masked lines are kept: ids and texts stay, and so do the ids after
        another `group`, but its texts then know less about masked tokens.
        """
        rows: list[dict[str, Any]] = []
        for template in self.templates:
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
                }
            )
        return pa.Table.from_pylist(rows, schema=SCHEMA)

    @classmethod
    def from_table(cls, table: pa.Table, max_shapes: int = 1_000_000) -> Miner:
        """The miner that `to_table` wrote, grouped as it was."""
        miner = cls(max_shapes)
        for row in table.to_pylist():
            keys = [bytes.fromhex(k) for k in row["keys"]]
            miner._shapes.update(zip(keys, row["lines"], strict=True))
            if row["former"]:
                miner._former[keys[0]] = set(row["former"])
            miner.templates.append(
                Template(
                    keys,
                    _exemplar(row["lines"][0]),
                    tuple(row["former"]),
                    frozenset(row["wild"]),
                    frozenset(row["lists"]),
                    form=(tuple(row["parts"]), tuple(row["types"])),
                )
            )
        miner._reindex()
        return miner


def _bytes_of(keys: Keys) -> list[bytes]:
    """Keys as 16 bytes each, which sort as the 128-bit numbers do."""
    raw = np.ascontiguousarray(keys, ">u8").reshape(-1, 2).tobytes()
    return [raw[i : i + 16] for i in range(0, len(raw), 16)]


def _order(line: bytes) -> tuple[bool, int, bytes]:
    """Long lines last, then by checksum: a sample that does not depend on order."""
    return len(line) > _LONG, zlib.crc32(line), line


def _kept(lines: list[bytes]) -> list[bytes]:
    """The exemplars to keep: `EXEMPLARS_MAX`; a long line only alone, for want of shorter ones."""
    best = sorted(lines, key=_order)[:EXEMPLARS_MAX]
    return best[:1] + [line for line in best[1:] if len(line) <= _LONG]


def _exemplar(lines: Sequence[bytes]) -> bytes | None:
    """The line to show. A line with a NUL stands for one whose text was not kept."""
    return min((line for line in lines if b"\x00" not in line), key=_order, default=None)


def _skeleton(items: Items) -> Items:
    """The delimiters of a row, all else being alike."""
    return tuple([i if is_delimiter(i) else b"" for i in items])


def _masked(items: Items, wild: frozenset[int], lists: frozenset[int]) -> Items:
    result = list(items)
    for at in wild:
        result[at] = _ANY
    for at in lists:
        if result[at][:1] == b"\x00":
            result[at] = _LIST
    return tuple(result)
