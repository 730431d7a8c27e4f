"""Trajectories as what a model is asked and what it should reply, in each stage.

What is asked is word for word what `speaking` asks: the same prompts, fences and rule, values that
look like secrets hidden in the same way. A model that was trained so is asked later as it learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from logwright.errors import InputError
from logwright.llm.fence import RULE, fence
from logwright.llm.placeholders import Placeholders
from logwright.llm.request import LogText, Message, system, user
from logwright.reasoning.answer import Citation, Step
from logwright.reasoning.building.trajectories import PartName, Trajectory
from logwright.reasoning.reasoner import Options
from logwright.reasoning.speaking.condense import condense
from logwright.reasoning.speaking.plans import plan_for
from logwright.reasoning.speaking.prompts import Shown, opening
from logwright.reasoning.speaking.tags import render
from logwright.reasoning.strategies import strategy_of
from logwright.reasoning.training.libraries import Loaded
from logwright.reasoning.training.replies import Messages

__all__ = [
    "Example",
    "answer_example",
    "finished",
    "fitting",
    "hidden",
    "of_part",
    "plan_example",
    "plan_text",
]

_ROOM = 5_000  # bytes of lines shown: about the 2,000 tokens of R-Log's prompts
_PLANNING = (
    "You plan how a question about logs is to be answered, for those who then answer it. Answer "
    "with the plan alone: what is to be reached, then the steps, a line each, general enough for "
    "every question of this kind. Write it between <plan> and </plan>."
)


@dataclass(frozen=True)
class Example:
    """What is asked, what the model should reply, and the item both are of, its secrets hidden."""

    asked: tuple[Message, ...]
    reply: str
    item: Trajectory

    @cached_property
    def prompt(self) -> Messages:
        """The conversation up to the model's turn."""
        return finished(self.asked)

    @property
    def whole(self) -> Messages:
        """The conversation with the reply."""
        return [*self.prompt, {"role": "assistant", "content": self.reply}]


def plan_text(name: str) -> str:
    """A strategy as the coarse plan that a model should write: its name and goal, and its steps.

    >>> plan_text("parse-conceptual").splitlines()[0].startswith("parse-conceptual: ")
    True
    """
    strategy = strategy_of(name)
    steps = (f"{number}. {step.text}" for number, step in enumerate(strategy.steps, 1))
    return "\n".join([f"{name}: {strategy.goal}", *steps])


def plan_example(item: Trajectory) -> Example:
    """The coarse stage: which strategy, and what it does."""
    item = hidden(item)
    # The answering prompt shows a plan already; here the model has to find it.
    ask = f"Make a plan for the task {item.task.value}."
    lines = LogText(condense(item.material, _ROOM).lines)
    asked = (system(_PLANNING), user(ask, lines))
    return Example(asked, f"<plan>{plan_text(item.strategy)}</plan>", item)


def answer_example(item: Trajectory) -> Example:
    """The fine stage and all after it: the stepwise answer."""
    item = hidden(item)
    answer = item.answered()
    if item.strategy:
        # The form that is asked for begins with the plan, in one line.
        goal = Step(text=f"Plan: {strategy_of(item.strategy).goal}")
        answer = answer.model_copy(update={"steps": (goal, *answer.steps)})
    return Example(asked_of(item), render(answer), item)


def asked_of(item: Trajectory) -> tuple[Message, ...]:
    """The question that `speaking` puts about these lines."""
    options = Options(rendering=item.rendering, question=item.question)
    plan = plan_for(item.task, item.material, options)
    return tuple(opening(item.task, Shown(condense(item.material, _ROOM)), options, plan))


def finished(asked: Sequence[Message]) -> Messages:
    """Messages as they reach a model: log text fenced, the rule about it in the system message.

    >>> finished([user("What is it?", LogText(("1: disk full",)))])[1]["content"].splitlines()[2]
    '| 1: disk full'
    """
    turns = [
        {
            "role": message.role,
            "content": "\n".join(
                fence(part.text) if isinstance(part, LogText) else part for part in message.parts
            ),
        }
        for message in asked
    ]
    if turns[0]["role"] != "system":
        return [{"role": "system", "content": RULE}, *turns]
    head = {"role": "system", "content": f"{turns[0]['content']}\n\n{RULE}"}
    return [head, *turns[1:]]


def hidden(item: Trajectory) -> Trajectory:
    """The item with values that look like secrets replaced, the same ones by the same words, in
    lines, reasoning and answer: a model cannot tell what it never saw.

    >>> from logwright.reasoning.task import Task
    >>> item = Trajectory(task=Task.ANOMALY, strategy="", system="s", time=0, form="verdict",
    ...     lines=("login password=hunter2secret",), reasoning="", answer="normal", citations=(),
    ...     teacher="evidence", source="own")
    >>> "hunter2secret" in str(hidden(item))
    False
    """
    names = Placeholders()
    lines = [names.hide(line) for line in item.lines]
    if not len(names):
        return item
    cited = tuple(Citation(line=c.line, quote=names.mask(c.quote)) for c in item.citations)
    return item.model_copy(
        update={
            "lines": tuple(names.mask(line) for line in lines),
            "reasoning": names.mask(item.reasoning),
            "answer": names.mask(item.answer),
            "citations": cited,
            "question": names.mask(item.question),
        }
    )


def of_part(items: Sequence[Trajectory], part: PartName) -> list[Trajectory]:
    """The items of a part, in order of time.

    Raises:
        InputError: there are none.
    """
    found = sorted((i for i in items if i.part == part), key=lambda i: (i.time, i.system))
    if not found:
        raise InputError(f"the data has no item of the part {part!r}: nothing to go on")
    return found


def fitting(examples: Sequence[Example], loaded: Loaded, most: int) -> tuple[list[Example], int]:
    """Those whose prompt and reply have at most `most` tokens, and how many have more.

    Raises:
        InputError: none has.
    """
    kept = [example for example in examples if loaded.count(example.whole) <= most]
    if not kept:
        raise InputError(f"no example fits in {most:,} tokens: every text is longer")
    return kept, len(examples) - len(kept)
