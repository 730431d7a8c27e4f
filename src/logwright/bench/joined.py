"""One data set after another, as one: lines, or windows, of which no two share a number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from logwright.bench.labelled import LabelledLines
from logwright.bench.parts import Bools, Part
from logwright.logs.coder import OVERFLOW
from logwright.windows.window import Events, Windows

__all__ = ["joined_lines", "joined_parts", "moved"]


def moved(part: Part, rows: int) -> Part:
    """The same windows as if so many lines had come before: numbers that no other set has."""
    w, e = part.windows, part.windows.events
    events = Events(e.template, e.ts, e.level, e.session, e.row + rows)
    return replace(part, windows=Windows(w.kind, w.bounds, events, w.key, w.end, w.late))


def joined_parts(first: Part, second: Part) -> Part:
    """One part after another, of the same templates."""
    second = moved(second, int(first.windows.events.row.max(initial=-1)) + 1)
    a, b = first.windows, second.windows
    windows = Windows(
        a.kind,
        np.concatenate((a.bounds, b.bounds[1:] + a.bounds[-1])),
        Events.concat([a.events, b.events]),
        np.concatenate((a.key, b.key)),
        np.concatenate((a.end, b.end)),
        np.concatenate((a.late, b.late)),
    )
    return Part(
        windows,
        np.concatenate((first.truth, second.truth)),
        None if first.kinds is None or second.kinds is None else [*first.kinds, *second.kinds],
        _corrected(first.corrected, second.corrected),
    )


def _corrected(first: Bools | None, second: Bools | None) -> Bools | None:
    """Corrected labels of both, where both have them."""
    return None if first is None or second is None else np.concatenate((first, second))


def joined_lines(first: LabelledLines, second: LabelledLines) -> LabelledLines:
    """One log after another. Their codes differ, their shapes' keys do not: a shape that both hold
    gets the code of the first, so that it is one shape to all that learns and guards."""
    held = {key.tobytes(): code for code, key in enumerate(first.keys) if code > OVERFLOW}
    code = np.arange(len(second.keys), dtype=np.int32)
    fresh: list[int] = []
    for old in range(OVERFLOW + 1, len(second.keys)):
        key = second.keys[old].tobytes()
        if key not in held:
            held[key] = len(first.keys) + len(fresh)
            fresh.append(old)
        code[old] = held[key]
    kinds = list(dict.fromkeys([*first.kinds, *second.kinds]))
    recoded = np.array([kinds.index(kind) for kind in second.kinds], np.int32)
    shifted = second.session >= 0
    session = np.where(shifted, second.session + len(first.sessions), -1).astype(np.int32)
    return replace(
        first,
        shape=np.concatenate((first.shape, code[second.shape])),
        session=np.concatenate((first.session, session)),
        kind=np.concatenate((first.kind, recoded[second.kind])),
        keys=np.concatenate((first.keys, second.keys[fresh])),
        contents=[*first.contents, *(second.contents[old] for old in fresh)],
        kinds=kinds,
        sessions=[*first.sessions, *second.sessions],
        corrected=_corrected(first.corrected, second.corrected),
        notes=[*first.notes, *second.notes],
        **{
            name: np.concatenate((getattr(first, name), getattr(second, name)))
            for name in ("ts", "level", "source", "line_no", "truth", "joined")
        },
    )
