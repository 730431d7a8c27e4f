"""The report of results: one HTML page that needs nothing else, or Markdown.

Rows can be sorted by any column without a script: each column has a radio button, and the style
sheet holds the place that each row takes for each column. The page's policy allows nothing but that
sheet, named by its hash, and the pictures that are in the page itself.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from logwright.bench.curve import drawn
from logwright.bench.grids import Grid, Section, cell, flat, sections, times_of
from logwright.bench.markdown import markdown
from logwright.errors import LogwrightError

__all__ = ["page", "write_report"]

Result = Mapping[str, Any]
Renders = Callable[[Sequence[Result]], str]


def write_report(results: Sequence[Result], path: Path) -> None:
    """Write the report as what the file's name says it is."""
    kinds: dict[str, Renders] = {".html": page, ".htm": page, ".md": markdown}
    render = kinds.get(path.suffix.lower())
    if render is None:
        raise LogwrightError(f"-o {path}: expected a name that ends in .html or .md")
    try:
        path.write_text(render(results), encoding="utf-8", newline="\n")
    except OSError as error:
        raise LogwrightError(f"-o {path} cannot be written: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class _Table:
    """A grid with the name that it has on the page."""

    id: str
    grid: Grid

    def numeric(self, column: int) -> bool:
        """Whether a column is one of figures, which stand below each other."""
        held = [row[column] for row in self.grid.values if row[column] is not None]
        return bool(held) and all(isinstance(value, int | float) for value in held)

    def places(self) -> Iterator[list[int]]:
        """For each row: its place if sorted by the first column, by the second, and so on."""
        columns = zip(*self.grid.values, strict=True)
        by_column = [_places(list(column)) for column in columns]
        yield from (list(places) for places in zip(*by_column, strict=True))

    def sorted_by(self) -> int:
        """The column by which the rows stand at first; -1 where they stand as in the file."""
        return self.grid.heads.index("F1") if "F1" in self.grid.heads else -1


def _places(column: list[Any]) -> list[int]:
    """Figures from high to low, text by the alphabet, what is absent last; ties as they stand."""

    def rank(i: int) -> tuple[int, float, str]:
        value = column[i]
        if value is None:
            return 2, 0.0, ""
        if isinstance(value, int | float):
            return 0, -float(value), ""
        return 1, 0.0, cell(value).casefold()

    order = sorted(range(len(column)), key=rank)
    places = [0] * len(column)
    for place, i in enumerate(order):
        places[i] = place
    return places


def page(results: Sequence[Result]) -> str:
    """The report as one HTML page."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    here = resources.files("logwright.bench")
    suites = []
    tables: list[_Table] = []
    for result in results:
        parts: list[tuple[Section, list[_Table]]] = []
        for section in sections(result):
            first = len(tables)
            tables += (_Table(f"t{first + i}", grid) for i, grid in enumerate(section.grids))
            parts.append((section, tables[first:]))
        seconds = times_of(result)
        timed = None if seconds is None else _Table(f"t{len(tables)}", seconds)
        tables += [timed] if timed else []
        suites.append({"result": result, "parts": parts, "curve": _curve(result), "seconds": timed})
    style = here.joinpath("report.css").read_text("utf-8") + _placed(tables)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["cell"] = cell
    environment.filters["flat"] = _flat
    template = environment.from_string(here.joinpath("report.html").read_text("utf-8"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return template.render(suites=suites, style=Markup(style), style_hash=digest)


def _flat(value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return list(flat(value))


def _placed(tables: Sequence[_Table]) -> str:
    """The part of the style sheet that sorts: numbers of our own only, nothing out of a file."""
    most = max((len(table.grid.heads) for table in tables), default=0)
    rules = [
        f".by{i}:checked~.scroll tbody tr{{order:var(--c{i})}}"
        f".by{i}:checked~.scroll th:nth-child({i + 1}) label::after{{opacity:1}}"
        f".by{i}:focus-visible~.scroll th:nth-child({i + 1}) label"
        "{outline:2px solid var(--accent)}"
        for i in range(most)
    ]
    for table in tables:
        rules.append(f"#{table.id}{{--n:{len(table.grid.heads)}}}")
        for i, places in enumerate(table.places()):
            held = ";".join(f"--c{column}:{place}" for column, place in enumerate(places))
            rules.append(f"#{table.id}r{i}{{{held}}}")
    return "\n".join(rules) + "\n"


def _curve(result: Result) -> str:
    """The curves as the address of a picture, so that nothing in it can act on the page."""
    curves = {html.escape(name): points for name, points in result.get("curves", {}).items()}
    curves = {name: points for name, points in curves.items() if points}
    if not curves:
        return ""
    return "data:image/svg+xml;base64," + base64.b64encode(drawn(curves).encode()).decode()
