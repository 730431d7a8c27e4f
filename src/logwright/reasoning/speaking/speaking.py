"""`Speaking`: the reasoner that asks a language model, and gives out nothing it did not check.

A question is asked once, and once more with the reason where the answer does not hold: a tag is
missing, a verdict is not one, a quote does not stand in its line. Lines that look like instructions
to a model are named in the answer; an all-clear over such lines is not taken.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from logwright.errors import InputError
from logwright.llm.chat import Answer as Said
from logwright.llm.chat import ChatModel
from logwright.llm.errors import ContextError, ModelAnswerError
from logwright.llm.fence import visible
from logwright.llm.guard import suspicion
from logwright.llm.request import Message
from logwright.reasoning.answer import Answer, Citation, Step, problems
from logwright.reasoning.evidence.reasoner import EvidenceReasoner
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options
from logwright.reasoning.speaking.condense import condense, entire, kinds
from logwright.reasoning.speaking.plans import plan_for
from logwright.reasoning.speaking.prompts import Shown, again, opening
from logwright.reasoning.speaking.tags import MisfitError, parse
from logwright.reasoning.task import Task

__all__ = ["Speaking"]

_BYTES_PER_TOKEN = 3
"""Of log text, with its many digits."""
_MOST_PER_TOKEN = 64
"""Characters: a text with more of them is none of so many tokens."""
_AROUND = 900
"""Tokens of a prompt besides lines: instructions, form, plan."""
_WELL_SHARE = 0.2
"""Of the room, for what healthy runs look like."""
_LEAST_ROOM = 300
_FAST_TOKENS = 200
_STOP = ("</answer>",)
_ALL_CLEAR = frozenset({"normal", "no failure"})
_DOUBTED = 0.5
"""Confidence at most where lines tried to instruct the model."""
_MOST_TOLD = 5
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class _Asked:
    task: Task
    material: Material
    options: Options


class Speaking:
    """A reasoner with a language model. `budget` is the tokens of a question at most, `most` those
    of an answer; material beyond that is condensed."""

    def __init__(
        self, chat: ChatModel, name: str, *, budget: int = 6_000, most: int = 1_500
    ) -> None:
        if budget < 1 or most < 1:
            raise ValueError("budget and most are at least 1")
        self._chat = chat
        self._budget = budget
        self._most = most
        self.name = name

    def answer(self, task: Task, material: Material, options: Options | None = None) -> Answer:
        """An answer whose citations hold.

        Raises:
            InputError: there is nothing in the material.
            ModelAnswerError: no answer came, or none that holds.
        """
        if not any(line.strip() for line in material.lines):
            raise InputError("there is nothing to answer from: every line is empty")
        began = time.perf_counter()
        asked = _Asked(task, material, options or Options())
        plan = plan_for(task, material, asked.options)
        shown = self._shown(asked, self._budget)
        messages = opening(task, shown, asked.options, plan)
        try:
            said = self._say(messages, asked)
        except ContextError as error:
            shown = self._shown(asked, self._smaller(error))
            messages = opening(task, shown, asked.options, plan)
            said = self._say_shorter(messages, asked)
        tokens = said.usage.completion
        answer, problem = self._read(said, asked)
        if answer is None:
            said = self._say(again(messages, problem), asked)
            tokens += said.usage.completion
            answer, problem = self._read(said, asked)
        if answer is None:
            raise ModelAnswerError(
                f"{visible(self.name)} gave no answer that holds, asked twice: {visible(problem)}."
            )
        wary = _wary(answer, material, shown, bool(said.suspicious))
        return wary.model_copy(
            update={
                "strategy": plan.name,
                "engine": self.name,
                "tokens": tokens,
                "seconds": time.perf_counter() - began,
            }
        )

    def _room(self, budget: int) -> int:
        return max((budget - _AROUND) * _BYTES_PER_TOKEN, _LEAST_ROOM)

    def _shown(self, asked: _Asked, budget: int) -> Shown:
        """What of the material and of the healthy runs is shown in a question of so many tokens.
        Where not all lines fit, those that the evidence tells of come first."""
        room = self._room(budget)
        well: tuple[str, ...] = ()
        if asked.options.healthy:
            share = int(room * _WELL_SHARE)
            well = kinds(Material.joined(asked.options.healthy), share)
            room -= share
        shown = entire(asked.material, room)
        if shown is None:
            evidence = EvidenceReasoner().answer(asked.task, asked.material, asked.options)
            shown = condense(asked.material, room, [one.line for one in evidence.every_citation()])
        return Shown(shown, well)

    def _say(self, messages: list[Message], asked: _Asked) -> Said:
        fast = asked.options.fast
        return self._chat.ask(
            messages,
            max_tokens=min(self._most, _FAST_TOKENS) if fast else self._most,
            purpose=f"an answer to: {asked.task}",
            stop=_STOP if fast else (),
        )

    def _smaller(self, error: ContextError) -> int:
        """The budget after a question was too long: what the model can take, where it is known."""
        if error.most is None:
            return self._budget // 4
        return min(self._budget // 2, (error.most - self._most) * 3 // 4)

    def _say_shorter(self, messages: list[Message], asked: _Asked) -> Said:
        try:
            return self._say(messages, asked)
        except ContextError as error:
            raise ModelAnswerError(
                f"{visible(self.name)} cannot take the question, even with its lines condensed: "
                f"ask about fewer lines, such as app.log:100-180."
            ) from error

    def _read(self, said: Said, asked: _Asked) -> tuple[Answer | None, str]:
        """The answer, or why it does not hold."""
        task, material = asked.task, asked.material
        if said.problem == "refused":
            raise ModelAnswerError(f"{visible(self.name)} refused to answer the task {task}.")
        if said.problem == "cut":
            return None, "it was cut off at its most of tokens: be shorter"
        text = _whole(said, asked.options.fast)
        if not text.strip():
            return None, "it is empty"
        if len(text) > self._most * _MOST_PER_TOKEN:
            return None, "it is longer than was allowed: be shorter"
        try:
            answer = parse(text, task, material)
        except MisfitError as misfit:
            return None, str(misfit)
        if asked.options.fast and len(material) == 1 and not answer.citations and answer.enough:
            only = Citation(line=1, quote=material.lines[0])
            answer = answer.model_copy(update={"citations": (only,)})
        if not asked.options.fast and not answer.steps:
            return None, "there is no reasoning in <think>"
        wrong = problems(answer, material)
        if not wrong and task is Task.PARSE and answer.enough:
            wrong = _misses(answer, material)
        return (None, "; ".join(wrong[:_MOST_TOLD])) if wrong else (answer, "")


def _whole(said: Said, fast: bool) -> str:
    """The text as the model wrote it: the chat keeps apart what stands before `</think>`. What a
    model thinks for itself, besides the form, is no part of the answer."""
    if fast:
        thought = "" if "<answer>" in said.text else said.thoughts
        return (thought + said.text).partition(_STOP[0])[0]
    if not said.thoughts or "<think>" in said.text:
        return said.text
    before = "" if "<think>" in said.thoughts or "<answer>" in said.thoughts else "<think>"
    return f"{before}{said.thoughts}</think>{said.text}"


def _misses(answer: Answer, material: Material) -> list[str]:
    """Whether a template's constant words stand in each cited line, in order."""
    parts = ["".join(part.split()) for part in answer.verdict.split("<*>")]
    for citation in answer.citations:
        line, at = "".join(material.text(citation.line).split()), 0
        for part in parts:
            found = line.find(part, at)
            if found < 0:
                return [f"the template does not fit line {citation.line}: it lacks {part!r:.80}"]
            at = found + len(part)
    return []


def _wary(answer: Answer, material: Material, shown: Shown, suspicious: bool) -> Answer:
    """The answer with the lines named that look like instructions to a model. `suspicious`: there
    are some in what it was shown, whichever."""
    found = {
        number: sign
        for number in sorted({*shown.lines.numbers, *shown.lines.first})
        if (sign := suspicion(material.text(number))) is not None
    }
    if not found and not suspicious:
        return answer
    cited = tuple(
        Citation(line=number, quote=material.text(number).strip()[:_SHOWN])
        for number in list(found)[:_MOST_TOLD]
    )
    signs = ", ".join(dict.fromkeys(found.values()))
    which = f"{len(found)} of the lines ({signs})" if found else "Text beside the lines"
    told = f"{which} looks like an instruction to a language model; it was taken as data."
    update: dict[str, object] = {
        "steps": (*answer.steps, Step(text=told, citations=cited)),
        "confidence": min(answer.confidence, _DOUBTED),
    }
    if answer.verdict in _ALL_CLEAR:
        update |= {
            "verdict": "",
            "enough": False,
            "text": f"The model says {answer.verdict}, but what it read holds text that tries to "
            f"instruct it: look at the lines yourself.",
            "confidence": 0.0,
        }
    return answer.model_copy(update=update)
