"""An answer in a terminal: the verdict, what it means, and the lines that show it.

`render` makes a string and touches no stream. A cited line is shown with its number, which the
texts go by, with where it stands, and with its quote marked. All text goes through `safe` into
`rich.text.Text`, so neither a terminal code nor rich markup in a log line does anything.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from logwright.findings.escape import clip, fit, safe
from logwright.findings.run import many, source_name
from logwright.reasoning.answer import Answer, Citation, Rival, Step
from logwright.reasoning.material import Material
from logwright.reasoning.task import Task

__all__ = ["confidence", "render"]

_TITLES = {
    Task.PARSE: "template",
    Task.ANOMALY: "anomaly",
    Task.INTERPRET: "what it says",
    Task.ROOT_CAUSE: "root cause",
    Task.SOLUTION: "what to do",
    Task.FAILURE: "failure",
}
_STYLES = {
    "abnormal": "bold red",
    "failure": "bold red",
    "normal": "bold green",
    "no failure": "bold green",
}
_WORDS = ((0.85, "high"), (0.6, "fair"), (0.35, "low"), (0.0, "very low"))
_NUMBER = re.compile(r"(\d\.) ")
_NOT_ENOUGH = "not enough evidence"
_TITLE = 14
_INDENT = 2
_LINES, _RIVALS, _STEPS, _TEMPLATES = 8, 5, 12, 10  # shown of each
_TALL = 12  # lines that a text may take before its middle is cut
_STEP_TALL = 4


def render(answer: Answer, material: Material, *, width: int = 80, color: bool = False) -> str:
    r"""The answer as text of `width` columns (at least 40).

    >>> material = Material.of_lines(["all well", "disk full on /var"], "app.log", 41)
    >>> answer = Answer(task=Task.ROOT_CAUSE, verdict="disk full", text="/var is full.",
    ...     citations=(Citation(line=2, quote="disk full"),), confidence=0.9)
    >>> print(render(answer, material), end="")
    root cause    disk full
    confidence    high (0.90)
    <BLANKLINE>
      /var is full.
    <BLANKLINE>
    lines
      2  app.log:42  disk full on /var
    """
    output, width = io.StringIO(), max(width, 40)
    console = Console(
        file=output,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        legacy_windows=False,
        highlight=False,
    )
    for part in _parts(answer, material, width):
        console.print(part)
    lines = output.getvalue().splitlines()
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def confidence(value: float) -> str:
    """A confidence in a word and as a number.

    >>> confidence(0.9), confidence(0.5)
    ('high (0.90)', 'low (0.50)')
    """
    return f"{next(word for least, word in _WORDS if value >= least)} ({value:.2f})"


def _parts(answer: Answer, material: Material, width: int) -> Iterator[RenderableType]:
    yield from _head(answer, width)
    if "\n" in answer.verdict:
        yield from _templates(answer.verdict.split("\n"), width)
    if said := _text(answer):
        yield ""
        for text in _paragraphs(said, (width - _INDENT) * _TALL):
            lead = _NUMBER.match(text)
            rest = text[lead.end() :] if lead else text
            yield _indented(Text(rest), _INDENT, lead[1] if lead else "")
    cited = list({each.line: each for each in reversed(list(answer.every_citation()))})
    if cited:
        yield ""
        yield from _lines(answer, material, width)
    if steps := _steps(answer):
        yield ""
        yield Text("steps", "bold")
        room = (width - _INDENT - 4) * _STEP_TALL
        for number, step in enumerate(steps[:_STEPS], start=1):
            told = Text(fit(step.text.strip(), room))
            _refer(told, step.citations)
            yield _indented(told, _INDENT, f"{number}.")
        yield from _more(len(steps) - _STEPS, "step")
    if answer.rivals and answer.rivals != (_alone(answer),):
        yield ""
        yield Text("possible causes" if answer.task is Task.ROOT_CAUSE else "rivals", "bold")
        yield _rivals(answer.rivals[:_RIVALS], width)
        yield from _more(len(answer.rivals) - _RIVALS, "rival")


def _alone(answer: Answer) -> Rival | None:
    """The only rival, where it says nothing that the answer does not say."""
    only = answer.rivals[0] if len(answer.rivals) == 1 else None
    return only if only is not None and only.text == answer.verdict else None


def _text(answer: Answer) -> str:
    """The text, without what the head says already."""
    text = answer.text.strip()
    if not answer.enough and text.lower().startswith(_NOT_ENOUGH):
        text = text[len(_NOT_ENOUGH) :].lstrip(" .:;")
        text = text[:1].upper() + text[1:]
    return "" if text == answer.verdict else text


def _steps(answer: Answer) -> list[Step]:
    """The steps that say more than the text."""
    said = answer.text.lower()
    return [step for step in answer.steps if step.text.strip().rstrip(".").lower() not in said]


def _templates(templates: Sequence[str], width: int) -> Iterator[RenderableType]:
    """Templates of several lines, each once with the number of its lines, the commonest first."""
    counts = Counter(template for template in templates if template.strip())
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=_INDENT + len(f"{max(counts.values(), default=0):,}"), justify="right")
    table.add_column(overflow="fold")
    for template, number in counts.most_common(_TEMPLATES):
        table.add_row(Text(f"{number:,}", "cyan"), Text(fit(template, width * 2)))
    yield ""
    yield table
    yield from _more(len(counts) - _TEMPLATES, "template")


def _head(answer: Answer, width: int) -> Iterator[Text]:
    title = _TITLES[answer.task]
    if not answer.enough:
        told, style = _NOT_ENOUGH, "bold yellow"
    elif "\n" in answer.verdict:
        lines = [line for line in answer.verdict.split("\n") if line.strip()]
        distinct = len(set(lines))
        told, style = f"{many(distinct, 'template')} of {many(len(lines), 'line')}", "bold"
    else:
        told, style = answer.verdict.strip(), _STYLES.get(answer.verdict, "bold")
    if told:
        yield (
            Text()
            .append(f"{title:<{_TITLE}}", "dim")
            .append(fit(told, (width - _TITLE) * 2), style)
        )
    else:
        yield Text(title, "bold")
    if answer.enough:
        line = (
            Text().append(f"{'confidence':<{_TITLE}}", "dim").append(confidence(answer.confidence))
        )
        by = [] if answer.engine == "evidence" else [f"by {answer.engine}"]
        if answer.tokens:
            by.append(f"{answer.tokens:,} tokens")
        left = width - line.cell_len - 3
        yield line.append(f" · {fit(', '.join(by), left)}", "dim") if by else line


def _paragraphs(text: str, most: int) -> Iterator[str]:
    """The lines of a text, harmless, up to a number of characters in all."""
    for line in text.strip().splitlines():
        if most <= 0:
            yield "…"
            return
        yield fit(line.strip(), max(most, 40))
        most -= len(line) + 40


def _lines(answer: Answer, material: Material, width: int) -> Iterator[RenderableType]:
    # Those that the answer rests on come first, then those that only a step or a rival names.
    quotes: dict[int, list[str]] = {}
    for each in answer.every_citation():
        quotes.setdefault(each.line, []).append(each.quote)
    shown = list(quotes)[:_LINES]
    places = {number: _place(material.where(number)) for number in shown}
    wide = max(map(cell_len, places.values()), default=0)
    digits = max((len(str(number)) for number in shown), default=1)
    stacked = wide > width // 4  # the line itself matters more than where it stands
    room = max(width - _INDENT - digits - 2 - (0 if stacked else wide + 2), 16)
    yield Text("lines", "bold")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=_INDENT + digits, justify="right")
    if not stacked:
        table.add_column(width=wide)
    table.add_column(overflow="fold")
    for number in shown:
        text = _marked(material.text(number), quotes[number], max(room * 2, 60))
        place = Text().append(clip(places[number], room), "dim")
        told = (place.append("\n").append(text),) if stacked else (place, text)
        table.add_row(Text(str(number), "cyan"), *told)
    yield table
    yield from _more(len(quotes) - _LINES, "line")


def _place(where: str) -> str:
    source, _, number = where.rpartition(":")
    return f"{source_name(source.rstrip('/').rpartition('/')[2] or source)}:{number}"


def _marked(line: str, quotes: Sequence[str], room: int) -> Text:
    """A line with its quotes marked; of one that is too long, what stands around the first."""
    begin = 0
    if len(line) > room:
        at = line.find(quotes[0].strip())
        begin = max(min(at - room // 4, len(line) - room), 0)
        begin = max(line.find(" ", begin, begin + 20) + 1, begin) if begin else 0
    end = len(line) if len(line) - begin <= room else begin + room - 2
    part = ("…" if begin else "") + line[begin:end] + ("…" if end < len(line) else "")
    text = Text(fit(part, room + 2))
    for quote in quotes:
        shown = safe(quote.strip()[:room])
        at = text.plain.find(shown)
        # A quote that is the whole line needs no mark: nothing stands beside it.
        if at >= 0 and shown and len(shown) < len(text.plain):
            text.stylize("bold yellow", at, at + len(shown))
    return text


def _refer(text: Text, citations: Sequence[Citation]) -> None:
    """Add the numbers of cited lines that the text does not name by itself."""
    numbers = sorted({each.line for each in citations})
    if numbers:
        shown = ", ".join(map(str, numbers[:6])) + (", …" if len(numbers) > 6 else "")
        text.append(f" [{shown}]", "cyan")


def _rivals(rivals: Sequence[Rival], width: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=_INDENT + 4, justify="right")
    table.add_column(overflow="fold")
    side = 16 if width >= 70 else 9
    table.add_column(width=side, overflow="fold")
    table.add_column(width=side, overflow="fold")
    table.add_row("", "", Text("for", "dim"), Text("against", "dim"))
    room = max(width - _INDENT - 4 - 2 * side - 8, 12)
    for rival in rivals:
        table.add_row(
            f"{rival.confidence:.2f}",
            Text(fit(rival.text, room * 3)),
            Text(_numbers(rival.supporting), "green"),
            Text(_numbers(rival.contradicting), "red" if rival.contradicting else "dim"),
        )
    return table


def _numbers(citations: Sequence[Citation]) -> str:
    numbers = sorted({each.line for each in citations})
    shown = ", ".join(map(str, numbers[:4])) or "-"
    return f"{shown}, …" if len(numbers) > 4 else shown


def _indented(text: Text, by: int, lead: str = "") -> Table:
    # A grid, so that what does not fit in one line hangs under its own text.
    row = Table.grid()
    row.add_column(width=by + (3 if lead else 0))
    row.add_column(overflow="fold")
    row.add_row(" " * by + lead, text)
    return row


def _more(number: int, noun: str) -> Iterator[Text]:
    if number > 0:
        yield Text(f"{' ' * _INDENT}and {many(number, f'more {noun}')}", "dim")
