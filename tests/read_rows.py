"""Reading for tests: all rows of a run as plain values, and lines to read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from logwright.logs.reader import Reader
from logwright.logs.sources import open_sources
from logwright.settings import Settings

BGL = (
    "{} {} 2005.06.03 R02-M1-N0-C:J12-U11 2005-06-03-15.42.50.675872 "
    "R02-M1-N0-C:J12-U11 RAS KERNEL {} {}\n"
)


class Read:
    """All rows of a run, as plain values that do not depend on this process's codes."""

    def __init__(self, *paths: Path | str, **options: object) -> None:
        given_settings = Settings(**options)
        self.reader = Reader(open_sources([str(p) for p in paths], given_settings), given_settings)
        self.batches = list(self.reader.batches())
        self.shapes = self.reader.take_shapes()
        r, rows = self.reader, [(b, i) for b in self.batches for i in range(len(b))]
        self.text = [b.text(i) for b, i in rows]
        self.content = [b.content(i) for b, i in rows]
        self.codes = [int(b.shape[i]) for b, i in rows]
        self.keys = [tuple(k) for k in r.shapes.keys(np.array(self.codes, np.int32)).tolist()]
        self.ts = [int(b.ts[i]) for b, i in rows]
        self.level = [int(b.level[i]) for b, i in rows]
        self.place = [(b.source_id, int(b.line_no[i]), int(b.offset[i])) for b, i in rows]
        self.host, self.component, self.label = (
            [None if (c := int(getattr(b, name)[i])) < 0 else names.values[c] for b, i in rows]
            for name, names in (
                ("host", r.hosts),
                ("component", r.components),
                ("label", r.labels),
            )
        )
        coded = np.array([int(b.session[i]) for b, i in rows], np.int32)
        self.session: list[tuple[int, int] | None] = [None] * len(coded)
        if r.session is not None:
            for at in np.flatnonzero(coded >= 0).tolist():
                self.session[at] = tuple(r.session.table.keys(coded[at : at + 1])[0].tolist())

    def same_rows(self, other: Read) -> None:
        for name in ("text", "content", "keys", "ts", "level", "place", "host", "component"):
            assert getattr(self, name) == getattr(other, name), name
        assert self.session == other.session


def timed(number: int, message: str) -> str:
    return f"2024-05-01 10:{number // 60 % 60:02}:{number % 60:02},000 INFO app.main: {message}\n"
