"""Attempt: one cluster's conversation with a model, from the first question to the end.

It never asks by itself: `ask` gives the next question and `take` the answer to it, so that the
questions of all clusters go out together, now or as a batch. What it does with an answer depends on
nothing but the answer and history, so that a run that is begun again goes the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from logwright.llm.chat import Answer, Ask
from logwright.llm.placeholders import Placeholders
from logwright.llm.request import LogText, Message
from logwright.rules.language.emit import emit
from logwright.rules.language.gate import parse
from logwright.rules.language.problem import RuleError
from logwright.rules.language.tree import Function
from logwright.rules.sandbox.sandbox import Failure
from logwright.rules.synthesis.answers import code_of
from logwright.rules.synthesis.diary import Diary
from logwright.rules.synthesis.exam import Exam, Result, Side
from logwright.rules.synthesis.prompts import Shown, refine, repair
from logwright.rules.synthesis.sampling import Anchored

__all__ = ["ANSWER_TOKENS", "MOST_REFINEMENTS", "MOST_REPAIRS", "Accepted", "Attempt", "Outcome"]

MOST_REPAIRS, MOST_REFINEMENTS = 3, 3
"""Further questions of one cluster: for a rule that cannot run, and for one that is not good."""

ANSWER_TOKENS = 4000
"""Of an answer: a rule has some hundred, the rest is for models that think before they speak."""

Outcome = Literal[
    "accepted", "told by others", "refused", "no rule", "not good enough", "repeated", "no answer"
]
"""How a conversation ended: with a rule, or why it has none."""

_UNUSABLE = {
    "empty": "the answer was empty.",
    "cut": "the answer was cut off: write a shorter one.",
}


@dataclass(frozen=True)
class Accepted:
    """A rule that passed the exam."""

    function: Function
    result: Result


@dataclass
class Attempt:
    """The state of a conversation. `show` gives a window as it is shown in questions."""

    name: str
    side: Side
    anchored: Anchored
    first: list[Message]
    exam: Exam
    diary: Diary
    show: Callable[[int, Anchored], Shown]
    best: Accepted | None = None
    ended: str = ""
    outcome: Outcome = "no answer"
    asked: int = 0
    _repairs: int = 0
    _refinements: int = 0
    _next: list[Message] = field(default_factory=list)
    _before: list[list[Message]] = field(default_factory=list)
    _seen: list[Function] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._next = self.first

    @property
    def ask(self) -> Ask:
        """The next question."""
        step = "write" if not self.asked else f"again {self.asked}"
        return Ask(self._next, ANSWER_TOKENS, f"rule {self.name}: {step}")

    @property
    def hidden(self) -> Placeholders:
        """The values of the conversation that the model does not see."""
        names = Placeholders()
        for message in self._next:
            for part in message.parts:
                if isinstance(part, LogText):
                    names.hide(part.text)
        return names

    def end(self, why: str, outcome: Outcome) -> None:
        """Nothing more is asked. With a rule, the outcome is that one."""
        self.ended = why
        self.outcome = "accepted" if self.best else outcome
        kept = "keeps its best rule" if self.best else "has no rule"
        self.diary.say(f"ends and {kept}: {why}")

    def take(self, answer: Answer) -> None:
        """The answer to `ask`: gate, sandbox, exam; then it ends, or there is a next question."""
        self.diary.title(f"{self.name}: answer {self.asked + 1}", 3)
        self.asked += 1
        names = self.hidden
        for found in answer.suspicious:
            told = f"a line in the prompt looks like an instruction ({found.sign}): {found.line}"
            self.diary.say_once(told, names)
        if answer.problem == "refused":
            self.end("the model refused", "refused")
            self.diary.say(answer.detail, names)
            return
        if answer.problem in _UNUSABLE:
            self._repair(answer.text, _UNUSABLE[answer.problem])
            return
        self.diary.quote(answer.text, names)
        code = ""
        try:
            code = code_of(answer.text)
            function = parse(code, "rule")
        except RuleError as error:
            self._repair(code, str(error))
            return
        self._examine(function, names)

    def _examine(self, function: Function, names: Placeholders) -> None:
        if function in self._seen:
            self.end("the model gave the same rule again", "repeated")
            return
        self._seen.append(function)
        shown = [*self.anchored.own, *self.anchored.opposites]
        failure = self.exam.tried(function, shown)
        if failure is None:
            result = self.exam.result(function, self.side, self.anchored.members, names)
            if not isinstance(result, Failure):
                self._decide(function, result)
                return
            failure = result
        self._repair(emit(function), failure.sentence)

    def _decide(self, function: Function, result: Result) -> None:
        self.diary.say(result.told)
        better = self.best is None or result.facts.support > self.best.result.facts.support
        if result.accepted and better:
            self.best = Accepted(function, result)
        if result.accepted and not result.lacks:
            self.end("the rule is accepted", "accepted")
            return
        for sentence in (*result.faults, *result.lacks):
            self.diary.say(sentence, self.hidden)
        if self._refinements == MOST_REFINEMENTS:
            self.end(f"{MOST_REFINEMENTS} refinements are over", "not good enough")
            return
        self._refinements += 1
        self._go_on(
            refine(
                self.first,
                _fenced(emit(function)),
                self.side.kind,
                [*result.faults, *result.lacks],
                [self.show(i, self.anchored) for i in result.wrong],
                [self.show(i, self.anchored) for i in result.missed],
            )
        )

    def _repair(self, code: str, problem: str) -> None:
        self.diary.say(f"not accepted: {problem}", self.hidden)
        if self._repairs == MOST_REPAIRS:
            self.end(f"{MOST_REPAIRS} repairs are over", "no rule")
            return
        self._repairs += 1
        self._go_on(repair(self.first, _fenced(code) if code else "", problem))

    def _go_on(self, question: list[Message]) -> None:
        """The next question; one that was asked before has its answer in the journal already."""
        self._before.append(self._next)
        if question in self._before:
            self.end("the model gave the same answer again", "repeated")
        self._next = question


def _fenced(code: str) -> str:
    return f"```python\n{code}```"
