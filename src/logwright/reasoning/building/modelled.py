"""`ModelTeacher`: a language model writes the reasoning. It is given the log, what is right, and
the strategy, as R-Log does it (arXiv 2509.25987), and must not let on that it knew.

What it writes is checked at once; what does not hold it may mend, once, being told why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from logwright.llm import Ask, LogText, Message, system, user
from logwright.llm.chat import ChatModel
from logwright.llm.request import assistant
from logwright.reasoning.answer import Citation
from logwright.reasoning.building.checks import MOST_WORDS, faults
from logwright.reasoning.building.excerpts import excerpt
from logwright.reasoning.building.teaching import Job, example
from logwright.reasoning.building.trajectories import Trajectory, cited_in
from logwright.reasoning.evidence.reasoner import EvidenceReasoner
from logwright.reasoning.material import Material

__all__ = ["ModelTeacher"]

_TRIES = 2
_MOST_TOKENS = 1200
_CITED = 5

_TASK = f"""\
You write down how an experienced engineer thinks about a piece of a log, as an example to learn \
from. You are given numbered lines, what the engineer concludes in the end, and how engineers go \
about such a question. Write the inner monologue that leads from the lines to the conclusion.

- Go through the ways of thinking in their order, all of them, each in a sentence or two, without \
naming, numbering or quoting them: think, do not recite. Where one finds nothing, say so shortly.
- Use only what stands in the lines. Cite at least once, like this: [2: "words of line 2"], with \
the line's number and words copied from it letter by letter.
- Reach the conclusion in the last sentence and hint at it nowhere before. Never say that it was \
given to you.
- Write flowing sentences in the first person, fewer than {MOST_WORDS // 4} words, no list, no \
headings, no tags."""

_AGAIN = "This does not hold: {}. Write the whole monologue again."


@dataclass(frozen=True, slots=True)
class _Work:
    job: Job
    lines: Material
    messages: tuple[Message, ...]


class ModelTeacher:
    """Asks a model, all jobs at once, so that they can be answered as a batch."""

    at_once = 1_000_000

    def __init__(self, chat: ChatModel, name: str) -> None:
        self._chat = chat
        self._name = name
        self._reasoner = EvidenceReasoner()

    @property
    def name(self) -> str:
        """The model's name."""
        return self._name

    def teach(self, jobs: Sequence[Job]) -> list[Trajectory | str]:
        """Examples that hold, or what was wrong with the last try."""
        taught: list[Trajectory | str] = [""] * len(jobs)
        waiting = {at: self._work(job) for at, job in enumerate(jobs)}
        for _ in range(_TRIES):
            asks = [
                Ask(work.messages, _MOST_TOKENS, f"reasoning for {work.job.item.source:.60}")
                for work in waiting.values()
            ]
            again = {}
            for (at, work), answer in zip(waiting.items(), self._chat.ask_many(asks), strict=True):
                if answer.problem is not None:
                    wrong: list[str] = [f"the model's answer was {answer.problem}"]
                else:
                    found = self._example(work, answer.text)
                    wrong = faults(found, work.job.strategy, work.job.item.truth)
                    taught[at] = found
                if wrong:
                    taught[at] = wrong[0]
                    told = (
                        assistant(answer.text or "(nothing)"),
                        user(_AGAIN.format("; ".join(wrong))),
                    )
                    again[at] = _Work(work.job, work.lines, (*work.messages, *told))
            waiting = again
            if not waiting:
                break
        return taught

    def _work(self, job: Job) -> _Work:
        item = job.item
        telling: list[int] = []
        lines = item.material
        # Of what is long, the lines that the evidence points at are shown.
        answer = self._reasoner.answer(item.task, lines, item.options)
        telling = [cited.line for cited in answer.every_citation()]
        lines, _ = excerpt(lines, telling)
        ways = "\n".join(f"- {step.text}" for step in job.strategy.steps)
        numbered = tuple(f"{number}: {line}" for number, line in enumerate(lines.lines, 1))
        parts: list[str | LogText] = [
            f"The task: {job.strategy.goal}",
            f"Ways of thinking, in order:\n{ways}",
            "The lines:",
            LogText(numbered),
            "The conclusion:",
            LogText(tuple(item.truth.splitlines())),
        ]
        if item.options.question:
            parts[:0] = ["What was asked:", LogText((item.options.question,))]
        return _Work(job, lines, (system(_TASK), user(*parts)))

    def _example(self, work: _Work, text: str) -> Trajectory:
        told = text.strip()
        cited: dict[tuple[int, str], Citation] = {}
        for one in cited_in(told):
            cited.setdefault((one.line, one.quote), one)
        # What is cited last is what the conclusion rests on.
        last = tuple(reversed(list(cited.values())))[:_CITED]
        return example(work.job, work.lines.lines, told, last, self._name)
