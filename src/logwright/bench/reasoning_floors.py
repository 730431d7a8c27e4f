"""Floors of the reasoning suite: what needs no thought, below which no engine should be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice

from logwright.bench.reasoning_asked import Asked, floor
from logwright.bench.reasoning_sets import Item
from logwright.reasoning.answer import Citation
from logwright.reasoning.task import Task
from logwright.templates.wording import SYMPTOM, trouble

__all__ = ["SIMILAR", "floors"]

_SIMILAR = "text of the most similar seen item"
SIMILAR = f"floor: {_SIMILAR}"
"""The floor that learns from labels of seen items."""

_NUMBER = re.compile(r"\d+(?:[.:]\d+)*")
_WORSE = re.compile(r"\b(?:WARN|WARNING|ERROR|FATAL)\b")
_CITED = 3
_GRADE = re.compile(r"\s*[\w-]+/(\d)/")
_WARNING = 4
_WORD = re.compile(r"[^\W\d_]{3,}")

Say = Callable[[Item], str]


def floors(items: Sequence[Item], seen: Sequence[Item]) -> Iterator[tuple[str, list[Asked]]]:
    """Each floor of the items' task with what it says; `seen` are the items that may be learned
    from."""
    cite = _worse if items[0].task is Task.ROOT_CAUSE and items[0].right == "verdict" else None
    for name, say in _of(items[0], items, seen):
        yield f"floor: {name}", floor(items, say, cite)


def _of(one: Item, items: Sequence[Item], seen: Sequence[Item]) -> Iterator[tuple[str, Say]]:
    if one.task is Task.PARSE:
        yield "the line as it is", lambda item: item.lines[0]
        yield "numbers masked", lambda item: _NUMBER.sub("<*>", item.lines[0])
    elif one.task.verdicts:
        positive, negative = one.task.verdicts
        yield "flag all", lambda _: positive
        yield "flag none", lambda _: negative
        yield "keyword list", lambda item: positive if _grave(item) else negative
        if one.task is Task.FAILURE:
            yield (
                "grade of the head, 4 or worse",
                lambda item: positive if _graded(item) else negative,
            )
    elif one.right == "text":
        yield "the lines as they are", lambda item: "\n".join(item.lines)
        if nearest := _Nearest(seen):
            yield _SIMILAR, nearest
    else:
        for truth in sorted({item.truth for item in items}):
            yield f"always {truth}, first {_CITED} WARN lines", partial(_always, truth)


def _always(truth: str, _: Item) -> str:
    return truth


def _worse(item: Item) -> Iterator[Citation]:
    """The first lines of level WARN or worse: what a person looks at first."""
    bad = (n for n, line in enumerate(item.lines, 1) if _WORSE.search(line))
    for number in islice(bad, _CITED):
        yield Citation(line=number, quote=item.material.text(number).strip())


def _grave(item: Item) -> bool:
    """Whether a line holds a word for trouble (`templates.wording`)."""
    return any(trouble(line) >= SYMPTOM for line in item.lines)


def _graded(item: Item) -> bool:
    """Whether the head of a switch's message (MODULE/4/NAME) grades it as a warning or worse."""
    found = _GRADE.match(item.lines[0])
    return found is not None and int(found[1]) <= _WARNING


class _Nearest:
    """Looks up the seen item that shares most words, and says what is right for it. An item is
    never its own neighbour."""

    def __init__(self, seen: Sequence[Item]) -> None:
        self._seen = [(item.name, _words(item), item.truth) for item in seen]

    def __bool__(self) -> bool:
        return len(self._seen) > 1

    def __call__(self, item: Item) -> str:
        mine, name = _words(item), item.name
        others = (one for one in self._seen if one[0] != name)
        return max(others, key=lambda one: len(one[1] & mine) / max(len(one[1] | mine), 1))[2]


def _words(item: Item) -> frozenset[str]:
    return frozenset(word.lower() for line in item.lines for word in _WORD.findall(line))
