"""Results as Markdown: tables that stay readable where pages are narrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from logwright.bench.grids import Grid, cell, flat, sections, times_of

__all__ = ["markdown", "suite_markdown", "table"]

_FLOOR = "floor: "


def table(rows: Sequence[Sequence[str]]) -> str:
    r"""A Markdown table; the first row is the head.

    >>> print(table([("a", "b"), ("1|2", "<*> and `<*>`")]), end="")
    | a | b |
    |---|---|
    | 1\|2 | \<*> and `<*>` |
    """
    lines = ["| " + " | ".join(map(_escaped, row)) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """Text in which nothing ends the cell, and `<...>` outside of code is no HTML."""
    parts = " ".join(text.split()).replace("|", "\\|").split("`")
    return "`".join(p if i % 2 else p.replace("<", "\\<") for i, p in enumerate(parts))


def markdown(results: Sequence[Mapping[str, Any]], level: int = 2) -> str:
    """All results, one after the other, with what they were measured on at the end."""
    return "\n".join(part for result in results for part in suite_markdown(result, level))


def suite_markdown(result: Mapping[str, Any], level: int = 2) -> Iterator[str]:
    """The parts of one result."""
    head = "#" * level
    yield f"{head} {_escaped(result['suite'])}\n"
    yield f"Data: {_escaped(cell(result.get('data')))}.\n"
    if result.get("settings", {}).get("quick"):
        yield "A quick run: its figures mean nothing.\n"
    before = ""
    for section in sections(result):
        if section.title != before:
            before = section.title
            yield f"{head}# {_escaped(section.title)}\n"
            if section.note:
                yield f"> {section.note}\n" if section.apart else f"{section.note}\n"
        facts = "; ".join(f"{name} {value}" for name, value in section.facts)
        if section.caption:
            # With the name of the table, as the same windows are in several.
            yield f"{head}## {_escaped(section.caption)} ({_escaped(section.title)})\n"
        if facts:
            yield f"In all rows: {_escaped(facts)}.\n"
        for grid in section.grids:
            yield _folded(grid) if grid.name else table([grid.heads, *_rows(grid)])
        if section.notes:
            yield f"Beside published figures:\n\n{_listed(section.notes)}"
    yield from _summary(result["summary"])
    seconds = times_of(result)
    if seconds is not None:
        yield _folded(seconds)
    yield _measured(result)


def _folded(grid: Grid) -> str:
    """A table that is opened by a click where pages of Markdown are shown as HTML."""
    shown = table([grid.heads, *_rows(grid)])
    return f"<details><summary>{grid.name}</summary>\n\n{shown}\n</details>\n"


def _rows(grid: Grid) -> Iterator[Sequence[str]]:
    for cells, floor in zip(grid.cells, grid.floors, strict=True):
        at = grid.named
        if floor and not cells[at].startswith(_FLOOR):
            yield (*cells[:at], _FLOOR + cells[at], *cells[at + 1 :])
        else:
            yield cells


def _summary(summary: Mapping[str, Any]) -> Iterator[str]:
    """What the summary says in words; its figures are in the rows."""
    words = [(key, value) for key, value in summary.items() if isinstance(value, str)]
    if words:
        yield _listed(f"{key}: {value}" for key, value in words)
    for key, value in summary.items():
        for name, said in value.items() if isinstance(value, Mapping) else ():
            if isinstance(said, list):  # such as the ladder's reasons
                yield f"{_escaped(key)}, {_escaped(name)}:\n"
                yield _listed(map(cell, said))
            else:
                yield f"{_escaped(key)}, {_escaped(name)}: {_escaped(cell(said))}.\n"


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {_escaped(line)}" for line in lines) + "\n"


def _measured(result: Mapping[str, Any]) -> str:
    said = {
        "Machine": result["machine"],
        "Settings": result.get("settings", {}),
    }
    lines = [
        f"{name}: " + _escaped("; ".join(f"{key} {cell(one)}" for key, one in flat(values))) + "."
        for name, values in said.items()
        if values
    ]
    return "\\\n".join(lines) + "\n"
