"""The coarse plan that a model begins with: a flowchart of experts whose symptom shows in the
material, else the strategy for the task. The model makes its own plan of it, then goes its steps
(LogReasoner, arXiv 2509.20798: coarse, then fine)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from logwright.reasoning.flowcharts import Flowchart, flowcharts
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options
from logwright.reasoning.strategies import Strategy, for_task
from logwright.reasoning.task import Task

__all__ = ["Plan", "plan_for"]

_LOOKED_AT = 2_000
"""Lines, from the end, in which a symptom is looked for: what is asked about ends in it."""
_CHARTED = frozenset({Task.ROOT_CAUSE, Task.SOLUTION, Task.FAILURE})

_FAILURE_GOAL = (
    "Tell whether what these lines show will end in a failure: work that stops, data that is lost, "
    "or a part that goes down."
)
_FAILURE_STEPS = (
    "Find what already went wrong, and whether the program recovered from it by itself.",
    "See whether it comes more often or gets worse from line to line.",
    "Ask what else stands on the part that is in trouble, and whether anything takes its place.",
    "Say failure only where the lines show that nothing recovers it.",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """A name for the answer, a goal in a sentence, and steps or questions in order."""

    name: str
    goal: str
    steps: tuple[str, ...]


def plan_for(task: Task, material: Material, options: Options) -> Plan:
    """The coarse plan.

    >>> plan_for(Task.PARSE, Material.of_lines(["took 3 ms"]), Options()).name
    'parse-conceptual'
    """
    if task in _CHARTED and (chart := _chart(material, options.question)) is not None:
        return Plan(chart.name, chart.symptom, tuple(step.question for step in chart.steps))
    if (strategy := _strategy(task)) is not None:
        return Plan(strategy.name, strategy.goal, tuple(step.text for step in strategy.steps))
    return Plan("failure-signs", _FAILURE_GOAL, _FAILURE_STEPS)


def _chart(material: Material, question: str) -> Flowchart | None:
    """The flowchart whose symptoms are said most often; what a person says counts first."""
    text = "\n".join(material.lines[-_LOOKED_AT:]).lower()
    asked = question.lower()
    best, most = None, (0, 0)
    for chart in flowcharts():
        said = re.compile("|".join(re.escape(word.lower()) for word in chart.symptoms) or "(?!)")
        counts = len(said.findall(asked)), len(said.findall(text))
        if counts > most:
            best, most = chart, counts
    return best


def _strategy(task: Task) -> Strategy | None:
    """The conceptual one: the others are lists for certain systems and handbooks."""
    found = for_task(task)
    return next((one for one in found if one.style == "conceptual"), next(iter(found), None))
