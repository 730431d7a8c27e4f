"""Asking: a task about files, lines or a finding is put to a reasoner, and its answer kept.

Secrets are taken out of lines before anything else sees them, so that no answer, no request to a
language model and no store can hold one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from logwright.errors import InputError
from logwright.findings.clean import clean
from logwright.logs.redaction import redact_all
from logwright.reasoning.answer import ANSWER_VERSION, Answer, Citation, problems
from logwright.reasoning.asked import About, material_of
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options, Reasoner, Rendering
from logwright.reasoning.task import Task
from logwright.settings import load_settings
from logwright.store import open_store
from logwright.store.kept_answers import AnswerRow, Correction, KeptMaterial, answer_id

if TYPE_CHECKING:
    from logwright.llm import Chat

__all__ = [
    "AnswerRecord",
    "Asked",
    "Place",
    "ask",
    "correction_of",
    "hidden",
    "keep",
    "put",
    "reasoner",
    "record_of",
    "schema",
    "speaking",
]

_SECRET = re.compile(r"\[redacted [a-z ]{1,40}\]")


class Place(BaseModel):
    """Where a cited line stands. Raw log text: escape it before showing it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line: int = Field(ge=1, description="Number of the line in the material, as citations have it.")
    source: str = Field(description="Source name, such as a file path; '-' is standard input.")
    line_no: int = Field(ge=1, description="1-based line number in the source.")
    text: str = Field(description="The whole line; secrets are taken out.")


class AnswerRecord(Answer):
    """An answer as it is printed with --json: with its id, and where the cited lines stand."""

    id: str = Field(description="Deterministic from question, lines and answer, 'a-' + 16 digits.")
    finding: str | None = Field(
        default=None, description="Id of the finding or incident that was explained."
    )
    places: tuple[Place, ...] = Field(
        default=(), description="Every cited line, once, in order of their numbers."
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, redacted, and what was answered."""

    material: Material
    options: Options
    answer: Answer
    finding: str | None = None

    @property
    def row(self) -> AnswerRow:
        """The answer as a store keeps it."""
        row = AnswerRow(
            id="",
            made=datetime.now(UTC),
            finding=self.finding,
            question=self.options.question,
            rendering=self.options.rendering,
            material=KeptMaterial.of(self.material),
            healthy=tuple(map(KeptMaterial.of, self.options.healthy)),
            answer=self.answer,
        )
        return row.model_copy(update={"id": answer_id(row)})

    @property
    def record(self) -> AnswerRecord:
        """The answer as it is printed."""
        return record_of(self.row)


def record_of(row: AnswerRow, answer: Answer | None = None) -> AnswerRecord:
    """An answer that is kept, as it is printed; `answer` in its place, such as a corrected one."""
    told, material = answer or row.answer, row.material.material
    places = []
    for number in sorted({each.line for each in told.every_citation()}):
        source, _, line_no = material.where(number).rpartition(":")
        text = material.text(number)
        places.append(Place(line=number, source=source, line_no=int(line_no), text=text))
    values: dict[str, Any] = {key: getattr(told, key) for key in Answer.model_fields}
    return AnswerRecord(**values, id=row.id, finding=row.finding, places=tuple(places))


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of what `logwright ask --json` prints.

    >>> schema()["$id"]
    'urn:logwright:answer:1'
    """
    body = AnswerRecord.model_json_schema(mode="serialization")
    body["properties"]["version"]["const"] = ANSWER_VERSION
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:logwright:answer:{ANSWER_VERSION}",
        **body,
    }


def hidden(material: Material, emails: bool = False) -> Material:
    r"""Material without well-known secrets, as Unicode.

    >>> hidden(Material.of_lines(["login password=hunter2", "caf\udce9"])).lines
    ('login password=[redacted secret]', 'caf\\xe9')
    """
    raw = [clean(line).encode() for line in material.lines]
    lines = tuple(line.decode() for line in redact_all(raw, emails))
    parts = tuple(replace(part, source=clean(part.source)) for part in material.parts)
    return Material(lines, parts)


def correction_of(
    row: AnswerRow,
    by: str,
    *,
    verdict: str | None = None,
    text: str | None = None,
    cited: Sequence[str] = (),
    note: str = "",
) -> Correction:
    """What an expert says instead of an answer; `cited` are lines as `12` or `12:words of it`.

    Raises:
        InputError: the answer as it would then be does not hold.
    """
    material = row.material.material
    said = Correction(
        answer=row.id,
        by=clean(by),
        time=datetime.now(UTC),
        verdict=None if verdict is None else _plain(verdict),
        text=None if text is None else _plain(text),
        citations=tuple(_citation(each, material) for each in cited) or None,
        note=_plain(note),
    )
    right = row.model_copy(update={"corrections": (*row.corrections, said)}).corrected
    assert right is not None
    if told := problems(right, material):
        raise InputError(f"{row.id} cannot be corrected so: {told[0]}")
    return said


def _citation(text: str, material: Material) -> Citation:
    number, _, quote = text.partition(":")
    if not number.strip().isdecimal() or not 1 <= int(number) <= len(material):
        raise InputError(
            f"{text!r:.80}: expected the number of a line, 1 to {len(material)}, such as '1' or "
            "'1: words of it'"
        )
    line = material.text(int(number))
    return Citation(line=int(number), quote=_plain(quote).strip() or line.strip())


def _plain(text: str) -> str:
    return "\n".join(hidden(Material.of_text(text), load_settings().emails).lines)


@contextmanager
def reasoner(
    llm: str | None = None,
    model: str | None = None,
    *,
    budget: str | None = None,
    price: str | None = None,
    store: Path | None = None,
) -> Iterator[Reasoner]:
    """The evidence reasoner, or where `llm` names one, a language model, as `llm.open_chat` takes
    it; what it answers is recorded beside a `store`, so that nothing is paid for twice."""
    if llm is None:
        from logwright.reasoning.evidence.reasoner import EvidenceReasoner

        yield EvidenceReasoner()
        return
    from logwright.llm import open_chat

    record = None if store is None else store.with_suffix(".llm.jsonl")
    with open_chat(llm, model, budget=budget, price=price, record=record) as chat:
        yield speaking(chat)


def speaking(chat: Chat) -> Reasoner:
    """A reasoner that asks a language model."""
    from logwright.reasoning.speaking import Speaking

    return Speaking(chat, chat.model)


def put(
    task: Task,
    material: Material,
    options: Options,
    engine: Reasoner,
    finding: str | None = None,
) -> Asked:
    """Put a task to a reasoner, with all secrets taken out."""
    emails = load_settings().emails
    healthy = tuple(hidden(run, emails) for run in options.healthy)
    (question,) = hidden(Material.of_lines([options.question]), emails).lines
    options = replace(options, healthy=healthy, question=question)
    shown = hidden(material, emails)
    answer = engine.answer(task, shown, options)
    if task is Task.PARSE:  # what was taken out is a value, whatever it was
        answer = answer.model_copy(update={"verdict": _SECRET.sub("<*>", answer.verdict)})
    return Asked(shown, options, answer, finding)


def keep(asked: Asked, path: Path) -> str:
    """Keep an answer in a store, which is made where it is absent; gives its id."""
    row = asked.row
    with open_store(path) as store:
        store.add_answer(row)
    return row.id


def ask(
    task: str,
    about: About,
    *,
    healthy: Sequence[About] = (),
    question: str = "",
    rendering: Rendering = "words",
    fast: bool = False,
    llm: str | None = None,
    llm_model: str | None = None,
    budget: str | None = None,
    price: str | None = None,
    store: Path | None = None,
) -> Answer:
    """The answer to a task about a file, lines or material; with a `store`, it is kept there.

    `healthy` is what the same thing looks like when it is well, run by run. Secrets are taken out
    of lines first: quotes are those of the redacted lines.

    >>> ask("anomaly", ["kernel: disk full on /dev/sda", "job 17 done"]).verdict
    'abnormal'
    """
    runs = tuple(map(material_of, healthy))
    options = Options(healthy=runs, rendering=rendering, fast=fast, question=question)
    named, material = Task.of(task), material_of(about)
    with reasoner(llm, llm_model, budget=budget, price=price, store=store) as engine:
        asked = put(named, material, options, engine)
    if store is not None:
        keep(asked, store)
    return asked.answer
