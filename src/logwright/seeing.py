"""Seeing: the windows of a run as rules see them, with text, made when they are asked for.

Rules that are compiled need none of this (`rules.engine` reads batches); rules that run plainly do,
and so does whoever is shown which lines a rule points at.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from logwright.intake import Intake
from logwright.logs.batch import NO_TIME, Int64s
from logwright.logs.coder import BLANK
from logwright.rules.engine.classing import Naming
from logwright.rules.language.plain import Line, Window
from logwright.templates.parameters import LINE, Parameter
from logwright.templates.template import Template
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows

__all__ = ["Seer"]

_MOST_LINES = 10_000


class Seer:
    """Gives windows as rules see them, and names for the codes of batches: without a vocabulary,
    which `scan` has only when all was read, those of hosts and components."""

    def __init__(self, given: Intake, vocabulary: Vocabulary | None = None) -> None:
        self._given, self._vocabulary = given, vocabulary
        self._limit = given.settings.max_line_bytes  # rules see what was read of a line

    def naming(self) -> Naming:
        """What codes of batches mean, as far as that is known by now."""
        reader = self._given.reader
        if self._vocabulary is None:
            return Naming(reader.hosts.values, reader.components.values)
        return Naming(reader.hosts.values, reader.components.values, self._template, self._params)

    def _of_shape(self, shape: int) -> Template:
        assert self._vocabulary is not None
        return self._vocabulary.templates[int(self._vocabulary.of(np.array([shape], np.int32))[0])]

    def _template(self, shape: int) -> str:
        return "" if shape == BLANK else self._of_shape(shape).id

    def _params(self, shape: int, content: bytes) -> Sequence[str]:
        return [] if shape == BLANK else _texts(self._of_shape(shape).parameters(content))

    def messages(self, rows: Int64s) -> list[str]:
        """What records hold after their headers, by row."""
        recording, reader = self._given.recording, self._given.reader
        places = (recording.place(row, self._limit) for row in rows.tolist())
        return [
            reader.message(place.source_id, place.text).decode("utf-8", "surrogateescape")
            for place in places
        ]

    def keys(self, windows: Windows) -> list[str]:
        """The windows' keys: those of sessions, "" for other windows."""
        return [self.key(windows, i) for i in range(len(windows))]

    def key(self, windows: Windows, i: int) -> str:
        """One window's key."""
        reader = self._given.reader
        if windows.kind != "session" or reader.session is None:
            return ""
        first = int(windows.events.row[windows.bounds[i]])
        place = self._given.recording.place(first, self._limit)
        key = reader.session.key_of(reader.message(place.source_id, place.text))
        return "" if key is None else key.decode("utf-8", "surrogateescape")

    def window(self, windows: Windows, i: int) -> Window:
        """One window; of a very long one the first lines."""
        span = windows.span(i)
        at = range(span.start, min(span.stop, span.start + _MOST_LINES))
        return Window([self._line(windows, j) for j in at], self.key(windows, i))

    def _line(self, windows: Windows, at: int) -> Line:
        assert self._vocabulary is not None
        events, reader = windows.events, self._given.reader
        place = self._given.recording.place(int(events.row[at]), self._limit)
        message = reader.message(place.source_id, place.text)
        host, component = reader.names_at(place.source_id, place.text)
        template = self._vocabulary.templates[int(events.template[at])]
        ts = int(events.ts[at])
        return Line(
            message.decode("utf-8", "surrogateescape"),
            float("nan") if ts == NO_TIME else ts / 1e9,
            int(events.level[at]),
            template.id,
            _texts(template.parameters(message)),
            component.decode("utf-8", "surrogateescape"),
            host.decode("utf-8", "surrogateescape"),
        )


def _texts(parameters: Sequence[Parameter]) -> list[str]:
    return [p.value.decode("utf-8", "surrogateescape") for p in parameters if p.type != LINE]
