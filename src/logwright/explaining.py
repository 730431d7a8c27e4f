"""Explaining: a finding, a pattern or an incident becomes material that a reasoner can answer from.

The lines are those that were cited. Where a cited line still stands in its file at the same place
and says the same, lines around it are taken as well. What the finding says in words is not put to a
reasoner: it was made of log lines, which strangers write; that history did not have the cited lines
is said by their numbers.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from logwright.asking import Asked, hidden, keep, put, reasoner
from logwright.errors import InputError
from logwright.findings.finding import CitedLine, Finding
from logwright.findings.run import parse_time, ranked
from logwright.reasoning.answer import Answer
from logwright.reasoning.material import Material, Part
from logwright.reasoning.reasoner import Options, Reasoner
from logwright.reasoning.task import Task
from logwright.settings import load_settings
from logwright.store import open_store
from logwright.store.base import Store

__all__ = ["Subject", "asked_about", "explain", "material_of", "question_of", "subject_of"]

BEFORE, AFTER = 30, 15
"""Lines that are taken before and after a cited line: causes come before what they cause."""

_MOST_FINDINGS = 50
_MOST_CITED = 200
_WHOLE = 4096
"""Characters of a line that are cited; a longer one is known by its beginning."""
_ROOM = 256 << 10

_HISTORY = {
    "unseen": "lines of a kind that history does not have",
    "rare": "lines of a kind that is rare in history",
    "rate": "a kind of line that came more or less often than in history",
    "timing": "lines that came at other times than in history",
    "parameters": "values that history does not have",
    "counts": "a mix of lines that history does not have",
    "rules": "what a rule calls abnormal",
    "sequence": "an order of lines that history does not have",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be explained: findings, in order of time, under the id that was meant."""

    id: str
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Finding:
        """The finding that deserves attention most."""
        return ranked(self.findings)[0]


def subject_of(store: Store, wanted: str) -> Subject:
    """The finding (f-...), pattern (p-...) or incident (i-...) of this id, or that begins so."""
    kind = wanted[:2]
    if kind == "p-":
        row = store.pattern(wanted)
        if row.finding is None:
            raise InputError(f"no finding of pattern {row.id} is kept any more")
        return Subject(row.id, (store.finding(row.finding),))
    if kind == "i-":
        ids = [row.id for row in store.incidents() if row.id.startswith(wanted)]
        if not ids:
            raise InputError(f"no incident has an id that begins with {wanted!r:.60}")
        if len(ids) > 1 and wanted not in ids:
            raise InputError(f"{wanted!r:.60} begins more than one incident: {', '.join(ids[:5])}")
        name = wanted if wanted in ids else ids[0]
        latest = datetime.max.replace(tzinfo=UTC)
        found = sorted(
            store.findings(incident=name),
            key=lambda f: (parse_time(f.first_seen or "") or latest, f.id),
        )
        return Subject(name, tuple(found[:_MOST_FINDINGS]))
    if kind == "f-":
        finding = store.finding(wanted)
        return Subject(finding.id, (finding,))
    raise InputError(
        f"{wanted!r:.60}: expected the id of a finding, pattern or incident: f-, p-, i-"
    )


def material_of(findings: Sequence[Finding]) -> Material:
    """The lines of findings, source by source in the order in which these come up, with what stands
    around them as far as that can still be read."""
    cited: dict[str, dict[int, CitedLine]] = {}
    taken = 0
    for finding in findings:
        for line in finding.lines:
            if taken < _MOST_CITED and line.line_no not in cited.setdefault(line.source, {}):
                cited[line.source][line.line_no] = line
                taken += 1
    emails = load_settings().emails
    lines: list[str] = []
    parts: list[Part] = []
    for source, its in cited.items():
        known = {n + i: t for n, c in its.items() for i, t in enumerate((c.text, *c.more))}
        for number, text in _around(source, list(its.values()), emails).items():
            known.setdefault(number, text)
        before = None
        for number in sorted(known):
            if before is None or number != before + 1:
                parts.append(Part(source, len(lines) + 1, number))
            lines.append(known[number])
            before = number
    if not any(lines):
        raise InputError("no line of it is kept: there is nothing to answer from")
    return Material(tuple(lines), tuple(parts))


def question_of(subject: Subject, material: Material) -> str:
    """What a reasoner is told besides the lines: which of them were found, and as what. No word of
    it comes from a log."""
    at = {material.where(number): number for number in range(1, len(material) + 1)}
    found: dict[str, list[int]] = {}
    for finding in subject.findings:
        lines = [line for line in finding.lines if line.highlight] or list(finding.lines)
        numbers = (at.get(f"{line.source}:{line.line_no}") for line in lines)
        told = found.setdefault(finding.detector, [])
        told += [n for n in numbers if n is not None and n not in told]
    parts = [
        f"line{'s' if len(numbers) > 1 else ''} {', '.join(map(str, sorted(numbers)[:20]))}: "
        f"{_HISTORY.get(detector, 'what history does not lead to expect')}"
        for detector, numbers in found.items()
        if numbers
    ]
    return f"Found against this log's history: {'; '.join(parts)}."


def asked_about(
    subject: Subject, task: Task | None, engine: Reasoner, *, fast: bool = False
) -> Asked:
    """The answer to a task about a subject. Without a task it is what started it; where the lines
    do not tell, what they say."""
    material = material_of(subject.findings)
    options = Options(fast=fast, question=question_of(subject, material))
    asked = put(task or Task.ROOT_CAUSE, material, options, engine, subject.id)
    if task is None and not asked.answer.enough:
        asked = put(Task.INTERPRET, material, options, engine, subject.id)
    return asked


def explain(
    what: str | Finding | Sequence[Finding],
    *,
    task: str | None = None,
    fast: bool = False,
    llm: str | None = None,
    llm_model: str | None = None,
    budget: str | None = None,
    price: str | None = None,
    store: Path | None = None,
) -> Answer:
    """What started a finding, or several that belong together; or the answer to another task.

    `what` is findings, or with a `store` also an id in it, which the answer is then kept in.
    """
    if isinstance(what, str):
        if store is None:
            raise InputError(f"{what!r:.60} is an id: name the store that it is in")
        with open_store(store, write=False) as there:
            subject = subject_of(there, what)
    else:
        found = (what,) if isinstance(what, Finding) else tuple(what)
        if not found:
            raise InputError("there is no finding to explain")
        subject = Subject((len(found) > 1 and found[0].incident) or found[0].id, found)
    with reasoner(llm, llm_model, budget=budget, price=price, store=store) as engine:
        asked = asked_about(subject, Task.of(task) if task else None, engine, fast=fast)
    if store is not None:
        keep(asked, store)
    return asked.answer


def _around(source: str, cited: Sequence[CitedLine], emails: bool) -> dict[int, str]:
    """Lines of a file around the cited ones, by their number. Empty where it is no plain file, or
    not the file any more that was read."""
    if not os.path.isfile(source):  # no pipe, no device: a store may come from a stranger
        return {}
    found: dict[int, str] = {}
    try:
        with open(source, "rb") as file:
            for line in cited:
                begin = max(line.offset - _ROOM // 2, 0)
                file.seek(begin)
                block = file.read(_ROOM)
                found.update(_near(block, line.offset - begin, line, begin == 0, emails))
    except (OSError, ValueError):
        return {}
    return found


def _near(block: bytes, at: int, line: CitedLine, whole: bool, emails: bool) -> dict[int, str]:
    """Lines of a block around the one at a position, if that is the cited one. The block's first
    line is a part of one unless it is `whole`, and so may be its last one."""
    if at and block[at - 1 : at] != b"\n":
        return {}
    ahead = block[:at].split(b"\n")[:-1][0 if whole else 1 :][-BEFORE:]
    after = block[at:].split(b"\n")
    if not after[-1] or (len(block) == _ROOM and len(after) > 1):
        after.pop()
    if not after:
        return {}
    after = after[: len(line.more) + AFTER + 1]
    numbers = range(line.line_no - len(ahead), line.line_no + len(after))
    raw = [each.removesuffix(b"\r").decode("utf-8", "surrogateescape") for each in (*ahead, *after)]
    texts = dict(zip(numbers, hidden(Material.of_lines(raw), emails).lines, strict=True))
    here = texts[line.line_no]
    same = here == line.text or (len(line.text) >= _WHOLE // 2 and here.startswith(line.text))
    return texts if same and min(texts) >= 1 else {}
