"""A result as plain text for a terminal: what is asked of it first. All else is in the file that
`--json` writes and on the page of `bench report`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import TextWrapper
from typing import Any

from logwright.bench.grids import Grid, cell, flat, sections

__all__ = ["text"]

_WIDE = 100
_CELL = 48


def text(result: Mapping[str, Any]) -> str:
    """Its tables, with what holds for all their rows above them, then what is said in the end."""
    lines: list[str] = []
    for section in sections(result):
        title = " | ".join(part for part in (section.title, section.caption) if part)
        lines += [title] if title else []
        lines += _wrapped(section.note)
        lines += _wrapped("; ".join(f"{name} {value}" for name, value in section.facts))
        lines += ["", *_aligned(section.grids[0]), ""]
        lines += [part for note in section.notes for part in _wrapped(f"- {note}", 2)]
        lines += [""] if section.notes else []
    lines += _summary(result["summary"])
    return "\n".join(lines).rstrip() + "\n"


def _aligned(grid: Grid) -> Iterator[str]:
    """A table whose columns are as wide as their widest cell; what is longer is cut."""
    rows = [tuple(_cut(c) for c in row) for row in (grid.heads, *grid.cells)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    numbers = [_numeric(column) for column in zip(*grid.values, strict=True)]
    for i, row in enumerate(rows):
        cells = (
            c.rjust(w) if right else c.ljust(w)
            for c, w, right in zip(row, widths, numbers, strict=True)
        )
        yield "  ".join(cells).rstrip()
        if not i:
            yield "  ".join("-" * w for w in widths)


def _cut(told: str) -> str:
    return told if len(told) <= _CELL else f"{told[: _CELL - 3]}..."


def _numeric(column: Sequence[Any]) -> bool:
    return all(value is None or isinstance(value, int | float) for value in column)


def _summary(summary: Mapping[str, Any]) -> Iterator[str]:
    for key, value in summary.items():
        if isinstance(value, Mapping) and any(isinstance(v, list) for v in value.values()):
            for name, said in value.items():
                yield f"{key}, {name}:"
                for one in said if isinstance(said, list) else [said]:
                    yield from _wrapped(f"  {cell(one)}", 4)
        elif isinstance(value, Mapping):
            for name, said in flat(value):
                yield from _wrapped(f"{key}, {name}: {cell(said)}", 2)
        else:
            yield from _wrapped(f"{key}: {cell(value)}", 2)


def _wrapped(told: str, indent: int = 0) -> list[str]:
    wrapper = TextWrapper(
        _WIDE, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )
    return wrapper.wrap(told)
