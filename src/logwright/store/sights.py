"""Sights: the columns that say of a finding what feedback looks at, and what is made of them.

What many findings share (hosts, sources, components) is kept once, in the table `places`.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from logwright.errors import StoreError
from logwright.findings.clean import clean
from logwright.findings.finding import SEVERITIES, Finding, WindowRef
from logwright.store.base import Sight
from logwright.store.rows import packed

__all__ = ["OLD_FINDINGS", "Place", "drop_places", "place_of", "put_places", "read", "span_of"]

Place = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""Hosts, sources and components."""

_PLACE: TypeAdapter[Place] = TypeAdapter(Place)
_SIGHTS = "SELECT id, pattern, severity, first_at, span, place, because FROM findings"
_OF_PATTERNS = " WHERE pattern IN (SELECT value FROM json_each(?))"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def span_of(window: WindowRef) -> int:
    """A number for a window: the same for findings of the same one, 64 bits with a sign.

    >>> span_of(WindowRef(kind="time", key="a", lines=1)) == span_of(
    ...     WindowRef(kind="time", key="a", lines=2)
    ... )
    True
    """
    return _span(window.kind, window.key, window.start)


def _span(kind: str, key: str, start: str | None) -> int:
    text = ascii((kind, key, start)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little", signed=True)


def place_of(finding: Finding) -> Place:
    """Hosts, sources and components that the lines of a finding name, each in their order."""
    hosts, sources, components = dict[str, None](), dict[str, None](), dict[str, None]()
    for line in finding.lines:
        sources[line.source] = None
        if line.host:
            hosts[line.host] = None
        if line.component:
            components[line.component] = None
    return tuple(hosts), tuple(sources), tuple(components)


def _json(place: Sequence[Sequence[str]]) -> str:
    return clean(json.dumps(place, ensure_ascii=False, separators=(",", ":")), "\\\\")


def put_places(db: sqlite3.Connection, places: Iterable[Place]) -> dict[Place, int]:
    """The keys of places, which are added where they are new."""
    texts = {place: _json(place) for place in places}
    rows = [(text,) for text in sorted(texts.values())]
    db.executemany("INSERT OR IGNORE INTO places (json) VALUES (?)", rows)
    query = "SELECT json, key FROM places WHERE json IN (SELECT value FROM json_each(?))"
    keys: dict[str, int] = dict(db.execute(query, (json.dumps([row[0] for row in rows]),)))
    return {place: keys[text] for place, text in texts.items()}


def drop_places(db: sqlite3.Connection) -> None:
    """Take away places that no finding has any more."""
    db.execute("DELETE FROM places WHERE key NOT IN (SELECT place FROM findings)")


def read(db: sqlite3.Connection, patterns: Iterable[str] | None) -> Iterator[Sight]:
    """The findings of all or some patterns, first seen first; those without a time are last."""
    given = () if patterns is None else (json.dumps([clean(p) for p in patterns]),)
    where = "" if patterns is None else _OF_PATTERNS
    names: dict[int, Place] = {}
    if patterns is None:
        names = {row[0]: _names(row[1]) for row in db.execute("SELECT key, json FROM places")}
    rows = db.execute(f"{_SIGHTS}{where} ORDER BY first_at IS NULL, first_at, id", given)
    for finding, pattern, severity, first, span, place, because in rows:
        there = names.get(place)
        if there is None:
            there = names[place] = _named(db, place)
        try:
            grave = SEVERITIES[severity]
            time = None if first is None else _EPOCH + timedelta(microseconds=first)
        except (IndexError, OverflowError):
            raise _damaged() from None
        yield Sight(finding, pattern, grave, time, span, *there, because)


def _named(db: sqlite3.Connection, place: int) -> Place:
    row = db.execute("SELECT json FROM places WHERE key = ?", (place,)).fetchone()
    if row is None:
        raise _damaged()
    return _names(row[0])


def _names(text: str) -> Place:
    try:
        return _PLACE.validate_json(text)
    except ValidationError:
        raise _damaged() from None


def _damaged() -> StoreError:
    return StoreError("is damaged: a row of its findings cannot be read")


def _old(text: str) -> dict[str, Any]:
    """A finding as version 2 of the store kept it; empty where it was damaged then already."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _old_place(text: str) -> str:
    lines = [line for line in _old(text).get("lines") or () if isinstance(line, dict)]
    named = [
        list(dict.fromkeys(str(line[key]) for line in lines if line.get(key)))
        for key in ("host", "source", "component")
    ]
    return _json(named)


def _old_span(text: str) -> int:
    found = _old(text).get("window")
    window = found if isinstance(found, dict) else {}
    return _span(window.get("kind", ""), window.get("key", ""), window.get("start"))


def _old_because(text: str) -> str | None:
    because = _old(text).get("because")
    return None if because is None else clean(str(because))


OLD_FINDINGS: dict[str, Callable[[str], Any]] = {
    "body_of": packed,
    "place_of": _old_place,
    "span_of": _old_span,
    "because_of": _old_because,
}
"""SQL functions by which migration 3 takes a finding's JSON apart."""
