"""What a model is told: the task, the form of the answer, a coarse plan, and the numbered lines.

Our own words are instructions; every word of a log stands in a `LogText`, which is hidden and
fenced on its way out.
"""

from __future__ import annotations

from dataclasses import dataclass

from logwright.llm.request import LogText, Message, system, user
from logwright.reasoning.reasoner import Options
from logwright.reasoning.speaking.condense import Condensed
from logwright.reasoning.speaking.plans import Plan
from logwright.reasoning.speaking.tags import NOT_ENOUGH
from logwright.reasoning.task import Task

__all__ = ["Shown", "again", "opening"]

_SYSTEM = (
    "You answer questions about logs, for an engineer on call. Lines stand as 12: text, 12 being "
    "the number by which you cite them. Say only what the lines show; name no line you were not "
    f"shown. Where they do not tell, the answer is: {NOT_ENOUGH}. Be short and concrete."
)
_TASKS = {
    Task.PARSE: "Give the template of the line: its constant words as they stand, with <*> for "
    "{rendering}.",
    Task.ANOMALY: "Is something abnormal in these lines?",
    Task.INTERPRET: "What do these lines say? Explain what happened, in which part, and what it "
    "means for the engineer.",
    Task.ROOT_CAUSE: "What started the trouble in these lines? Tell the cause from its "
    "consequences.",
    Task.SOLUTION: "What is to be done about the trouble in these lines? Name concrete actions, "
    "the first one first.",
    Task.FAILURE: "Will what these lines show lead to a failure?",
}
_RENDERING = {
    "words": "every whole word that varies",
    "characters": "the part of a word that varies, as in blk_<*>",
}
_ANSWERS = {
    Task.PARSE: "the template alone",
    Task.ANOMALY: "abnormal or normal, alone on the first line; below it why, in a sentence or two",
    Task.INTERPRET: "the explanation, in two to five sentences",
    Task.ROOT_CAUSE: "the cause in a few words, alone on the first line; below it two or three "
    "sentences",
    Task.SOLUTION: "the actions, a line each",
    Task.FAILURE: "failure or no failure, alone on the first line; below it why, in a sentence or "
    "two",
}
_RIVALS = (
    "\n<rivals>two or three causes that are possible, the likeliest first, a line each, as\n"
    '0.7 | the cause | for [12: "words of line 12"] | against [15: "words of line 15"]</rivals>'
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What of the log is shown: lines, and the table of kinds of lines in healthy runs."""

    lines: Condensed
    well: tuple[str, ...] = ()


def opening(task: Task, shown: Shown, options: Options, plan: Plan) -> list[Message]:
    """The question.

    >>> from logwright.reasoning.speaking.plans import plan_for
    >>> from logwright.reasoning.speaking.condense import condense
    >>> from logwright.reasoning.material import Material
    >>> material = Material.of_lines(["took 3 ms"])
    >>> plan = plan_for(Task.PARSE, material, Options())
    >>> opening(Task.PARSE, Shown(condense(material, 100)), Options(), plan)[1].parts[-1]
    LogText(lines=('1: took 3 ms',))
    """
    ask = _TASKS[task].format(rendering=_RENDERING[options.rendering])
    parts: list[str | LogText] = [ask]
    if options.question:
        parts.append(f"The engineer adds: {options.question}")
    if not options.fast:
        steps = "\n".join(f"- {step}" for step in plan.steps)
        parts.append(f"How experts go about it. {plan.goal}\n{steps}")
    if shown.well:
        parts += ["What the same thing logs when it is well, by kind of line:", LogText(shown.well)]
    if not shown.lines.whole:
        parts += [
            "All lines, by kind (lines of a kind differ in values; the first one is shown):",
            LogText(shown.lines.kinds),
            "Of these lines, the ones that may matter most:",
        ]
    parts.append(LogText(shown.lines.lines))
    return [system(f"{_SYSTEM}\n\n{_form(task, options.fast)}"), user(*parts)]


def again(first: list[Message], problem: str) -> list[Message]:
    """The question once more, after an answer that cannot be used. The problem may hold words of
    that answer, and these words of the log: they go out as such."""
    *before, last = first
    parts = (
        "An answer to this was refused, for this reason:",
        LogText((problem,)),
        "Answer in the form that was asked for, whole. Quote only words that stand in the line.",
    )
    return [*before, user(*last.parts, *parts)]


def _form(task: Task, fast: bool) -> str:
    if fast:
        return (
            "Answer in this form, with the line the answer rests on, and nothing else:\n"
            f'<answer>{_ANSWERS[task].partition(",")[0]} [12: "words that stand in line 12"]'
            "</answer>"
        )
    rivals = _RIVALS if task is Task.ROOT_CAUSE else ""
    return (
        "Answer in this form, every tag once, in this order:\n"
        "<plan>how you will go about it, in one line</plan>\n"
        "<think>your reasoning, one step a line, at most eight; cite a line as\n"
        '[12: "words that stand in line 12"]</think>\n'
        f"<answer>{_ANSWERS[task]}</answer>\n"
        "<lines>the lines the answer rests on, the most telling first, a line each, as\n"
        f"12: words that stand in line 12</lines>{rivals}\n"
        "<confidence>how sure you are that the answer is right, from 0 to 1</confidence>"
    )
