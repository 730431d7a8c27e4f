"""`Labelled`: a piece of log with what is right about it, and the file that says so.

A file of labels is JSON Lines, or a table with tabs whose first line names the columns. Each item
has `task`, `lines` and `answer`; `lines` is FILE:FROM-TO in one of the logs, or (JSON only) a list
of lines. It may have `system` (else the file's name), `time` (ISO 8601; else the order of the file
of labels is taken for that of time), `question`, `rendering`, and (JSON only) `healthy`: a list of
FILE or FILE:FROM-TO, what the same thing looks like when it is well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from logwright.errors import InputError, LogwrightError
from logwright.reasoning.building.trajectories import Form
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options, Rendering
from logwright.reasoning.task import Task

__all__ = ["Labelled", "form_of", "read_labels", "whole"]

_KEYS = frozenset({"task", "lines", "answer", "system", "time", "question", "rendering", "healthy"})
_MOST_ITEMS = 1_000_000


@dataclass(frozen=True, slots=True)
class Labelled:
    """`form` tells whether `truth` is a verdict or a text; `time` is the order in its system;
    `source` says where to find it again."""

    task: Task
    system: str
    time: int
    material: Material
    truth: str
    form: Form
    options: Options = field(default_factory=Options)
    source: str = ""


def whole(material: Material) -> Material:
    """The same with bytes that are no UTF-8 replaced: training data is text.

    >>> whole(Material.of_lines(["bad \\udcff byte"])).lines
    ('bad ? byte',)
    """
    lines = tuple(line.encode("utf-8", "replace").decode() for line in material.lines)
    return Material(lines, material.parts)


def form_of(task: Task, answer: str) -> Form:
    """Whether an answer is a verdict: by its task, or, where a cause is asked for, if it is a name
    and no sentence.

    >>> form_of(Task.ROOT_CAUSE, "disk full"), form_of(Task.ROOT_CAUSE, "The disk was full.")
    ('verdict', 'text')
    """
    if task is Task.ROOT_CAUSE:
        told = answer.strip()
        return "text" if told.endswith(".") or "\n" in told else "verdict"
    return "text" if task in (Task.INTERPRET, Task.SOLUTION) else "verdict"


def read_labels(path: Path, logs: Sequence[Path]) -> Iterator[Labelled]:
    """The items of a file of labels about logs: files, or folders of them.

    Raises:
        InputError: the file or a log cannot be read, or an item is not as it should be.
    """
    try:
        text = path.read_text("utf-8-sig", "replace")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    files = _Files(logs)
    many = 0
    for number, record in _records(text, str(path)):
        many += 1
        if many > _MOST_ITEMS:
            raise InputError(f"{path} holds more than {_MOST_ITEMS:,} items: divide it")
        try:
            yield _item(record, many, f"{path.name}:{number}", files)
        except LogwrightError as error:
            raise InputError(f"{path}:{number}: {error}") from error
    if not many:
        raise InputError(f"{path} holds no items: expected JSON Lines or a table with a head line")


def _records(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    lines = [(at, line) for at, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        return
    if lines[0][1].lstrip().startswith("{"):
        for number, line in lines:
            try:
                told = json.loads(line)
            except json.JSONDecodeError as error:
                told = f"{error.msg} at column {error.colno}"
                raise InputError(f"{name}:{number}: this is not JSON: {told}") from error
            if not isinstance(told, dict):
                raise InputError(f"{name}:{number}: expected an object with task, lines, answer")
            yield number, told
        return
    head = [key.strip() for key in lines[0][1].split("\t")]
    if not {"task", "lines", "answer"} <= set(head):
        raise InputError(
            f"{name}: expected JSON Lines, or a first line that names the columns task, lines and "
            "answer with tabs between them"
        )
    for number, line in lines[1:]:
        cells = line.split("\t")
        if len(cells) != len(head):
            raise InputError(f"{name}:{number}: {len(cells)} columns, expected {len(head)}")
        yield number, {key: cell for key, cell in zip(head, cells, strict=True) if cell}


def _item(record: Mapping[str, Any], place: int, source: str, files: _Files) -> Labelled:
    odd = sorted(set(record) - _KEYS)
    if odd:
        raise InputError(f"unknown key {odd[0]!r:.60}: expected {', '.join(sorted(_KEYS))}")
    answer = _text(record, "answer")
    if not answer:
        raise InputError("no answer: an item needs task, lines and answer")
    task = Task.of(_text(record, "task"))
    if task.verdicts and answer not in task.verdicts:
        raise InputError(f"the answer is {answer!r:.60}: expected {' or '.join(task.verdicts)}")
    told = record.get("lines")
    if isinstance(told, list):
        material = Material.of_lines([str(line) for line in told])
        system = "log"
    else:
        material, system = files.read(_text(record, "lines"))
    if not any(line.strip() for line in material.lines):
        raise InputError("no lines: an item needs task, lines and answer")
    healthy = record.get("healthy", [])
    if not isinstance(healthy, list):
        raise InputError("healthy: expected a list of FILE or FILE:FROM-TO")
    return Labelled(
        task,
        _text(record, "system") or system,
        _time(record, place),
        material,
        answer,
        form_of(task, answer),
        Options(
            healthy=tuple(files.read(str(given))[0] for given in healthy),
            rendering=_rendering(_text(record, "rendering")),
            question=_text(record, "question"),
        ),
        source,
    )


def _rendering(told: str) -> Rendering:
    if told in ("", "words"):
        return "words"
    if told == "characters":
        return "characters"
    raise InputError(f"rendering {told!r:.60}: expected words or characters")


def _text(record: Mapping[str, Any], key: str) -> str:
    told = record.get(key, "")
    if not isinstance(told, str):
        raise InputError(f"{key} is {told!r:.60}: expected a text")
    return told.strip()


def _time(record: Mapping[str, Any], place: int) -> int:
    told = _text(record, "time")
    if not told:
        return place
    try:
        when = datetime.fromisoformat(told)
    except ValueError:
        raise InputError(f"time {told!r:.60}: expected ISO 8601, as 2026-01-31T23:59:00") from None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return int(when.timestamp() * 1e9)


class _Files:
    """The logs that items may name: by the whole path, or the end of it."""

    def __init__(self, logs: Sequence[Path]) -> None:
        self._known: list[Path] = []
        for log in logs:
            if log.is_dir():
                self._known += sorted(path for path in log.rglob("*") if path.is_file())
            elif log.is_file():
                self._known.append(log)
            else:
                raise InputError(f"{log} is not there")

    def read(self, given: str) -> tuple[Material, str]:
        """The lines of FILE or FILE:FROM-TO, and what the file is called."""
        for cut in (given, given.rpartition(":")[0]):
            want = Path(cut).parts
            fits = [path for path in self._known if want and path.parts[-len(want) :] == want]
            if len(fits) > 1:
                raise InputError(f"{cut!r:.120} may be {fits[0]} or {fits[1]}: name more of it")
            if fits:
                rest = given[len(cut) :]
                return Material.read([f"{fits[0]}{rest}"]), fits[0].stem
        raise InputError(f"{given!r:.120} is in none of the logs that were given")
