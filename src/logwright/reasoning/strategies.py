"""Strategies: how an expert goes about a task, as data. There are thirteen, those of R-Log
(arXiv 2509.25987) in our own words; each is a file in this folder, with cases that it must solve.

The evidence reasoner follows the steps of a strategy as checks (`Step` texts say which one told);
prompts and trajectories use the goal and the texts of the steps.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from logwright.errors import SettingsError
from logwright.reasoning.reasoner import Rendering
from logwright.reasoning.task import Task

__all__ = ["Case", "Strategy", "StrategyStep", "Style", "for_task", "strategies", "strategy_of"]

Style = Literal["conceptual", "procedural", "manual"]
"""`conceptual` argues from experience, `procedural` goes through a list, `manual` is how a handbook
for operators has it."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StrategyStep(_Record):
    """One step. `id` is its name within the strategy; `text` tells what to do in a sentence."""

    id: str = Field(pattern=r"^[a-z][a-z-]*$")
    text: str = Field(min_length=20)


class Case(_Record):
    """Lines, and what an answer to them must be: a verdict, or words that its text must hold."""

    lines: tuple[str, ...] = Field(min_length=1)
    verdict: str = ""
    says: tuple[str, ...] = ()
    enough: bool = True
    rendering: Rendering = "words"
    healthy: tuple[tuple[str, ...], ...] = ()


class Strategy(_Record):
    """How to go about a task: a goal, and steps in order."""

    name: str
    number: int = Field(ge=1, le=13, description="Number in R-Log's list.")
    task: Task
    style: Style
    goal: str = Field(min_length=20)
    steps: tuple[StrategyStep, ...] = Field(min_length=1)
    cases: tuple[Case, ...] = Field(min_length=1)

    def step(self, name: str) -> StrategyStep:
        """The step of this id."""
        return next(step for step in self.steps if step.id == name)


@cache
def strategies() -> tuple[Strategy, ...]:
    """All of them, by number.

    >>> [strategy.name for strategy in strategies()][:2]
    ['parse-conceptual', 'parse-procedural']
    """
    found = [
        Strategy(name=file.name.removesuffix(".toml"), **tomllib.loads(file.read_text("utf-8")))
        for file in (files("logwright.reasoning") / "strategies").iterdir()
        if file.name.endswith(".toml")
    ]
    return tuple(sorted(found, key=lambda strategy: strategy.number))


def strategy_of(name: str) -> Strategy:
    """The strategy of this name.

    >>> strategy_of("parse-conceptual").steps[0].id
    'spaces'
    >>> strategy_of("guess")
    Traceback (most recent call last):
    logwright.errors.SettingsError: there is no strategy 'guess': expected parse-conceptual, ...
    """
    for strategy in strategies():
        if strategy.name == name:
            return strategy
    names = ", ".join(strategy.name for strategy in strategies())
    raise SettingsError(f"there is no strategy {name!r:.80}: expected {names}")


def for_task(task: Task) -> tuple[Strategy, ...]:
    """The strategies of a task, by number; none for a task that R-Log has none for.

    >>> [strategy.number for strategy in for_task(Task.ANOMALY)]
    [3, 4, 5]
    """
    return tuple(strategy for strategy in strategies() if strategy.task is task)
