"""A function for each task, for Python: what is asked about is a file, lines, or material.

What they answer with is told in `Answer`. A line is cited by its number in what was asked about,
from 1 on, in the order in which it was given. Lines are taken as they are: `logwright.ask` is the
same with secrets taken out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from logwright.errors import InputError
from logwright.reasoning.answer import Answer
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options, Reasoner, Rendering
from logwright.reasoning.task import Task

__all__ = [
    "About",
    "anomaly",
    "failure_prediction",
    "interpret",
    "material_of",
    "parse",
    "root_cause",
    "solution",
]

About = str | Path | Material | Sequence[str] | Sequence[Path]
"""What is asked about: a file's name (with `:LINES` where not all are meant), several files as
paths, lines as a list of texts, or text of several lines."""


def material_of(about: About) -> Material:
    """What is asked about, as material.

    >>> material_of(["all well", "disk full"]).lines
    ('all well', 'disk full')
    >>> material_of("all well\\ndisk full\\n").lines
    ('all well', 'disk full')
    """
    if isinstance(about, Material):
        return about
    if isinstance(about, Path):
        return Material.read([str(about)])
    if isinstance(about, str):
        return Material.of_text(about) if "\n" in about else Material.read([about])
    paths = [str(each) for each in about if isinstance(each, Path)]
    if paths and len(paths) != len(about):
        raise InputError("expected lines or paths, not both in one list")
    return Material.read(paths) if paths else Material.of_lines(map(str, about))


def parse(
    about: About,
    *,
    rendering: Rendering = "words",
    reasoner: Reasoner | None = None,
) -> Answer:
    """The template of each line: which parts vary. The verdict has them in order, a line each.

    >>> parse(["job 17 done"]).verdict
    'job <*> done'
    """
    return _put(Task.PARSE, about, Options(rendering=rendering), reasoner)


def anomaly(
    about: About,
    *,
    healthy: Sequence[About] = (),
    question: str = "",
    reasoner: Reasoner | None = None,
) -> Answer:
    """Whether something is abnormal: the verdict is "abnormal" or "normal"."""
    return _put(Task.ANOMALY, about, _options(healthy, question), reasoner)


def interpret(about: About, *, question: str = "", reasoner: Reasoner | None = None) -> Answer:
    """What lines say, in words."""
    return _put(Task.INTERPRET, about, _options((), question), reasoner)


def root_cause(
    about: About,
    *,
    healthy: Sequence[About] = (),
    question: str = "",
    reasoner: Reasoner | None = None,
) -> Answer:
    """What started it; `healthy` is the same thing when it is well, run by run."""
    return _put(Task.ROOT_CAUSE, about, _options(healthy, question), reasoner)


def solution(
    about: About,
    *,
    healthy: Sequence[About] = (),
    question: str = "",
    reasoner: Reasoner | None = None,
) -> Answer:
    """What to do about it."""
    return _put(Task.SOLUTION, about, _options(healthy, question), reasoner)


def failure_prediction(
    about: About,
    *,
    healthy: Sequence[About] = (),
    question: str = "",
    reasoner: Reasoner | None = None,
) -> Answer:
    """Whether it leads to a failure: the verdict is "failure" or "no failure"."""
    return _put(Task.FAILURE, about, _options(healthy, question), reasoner)


def _options(healthy: Sequence[About], question: str) -> Options:
    return Options(healthy=tuple(map(material_of, healthy)), question=question)


def _put(task: Task, about: About, options: Options, reasoner: Reasoner | None) -> Answer:
    if reasoner is None:
        # The evidence reasoner loads what it knows: not before it is asked.
        from logwright.reasoning.evidence.reasoner import EvidenceReasoner

        reasoner = EvidenceReasoner()
    return reasoner.answer(task, material_of(about), options)
