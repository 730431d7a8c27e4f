"""Flowcharts: how an expert finds the cause behind a symptom, as data. Each is a file of the folder
beside this module: questions in order, what to look at for an answer, and where it leads.

The evidence reasoner walks them (`evidence.walking`); plans of language models are made from them.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field, model_validator

from logwright.errors import SettingsError

__all__ = ["END", "Flowchart", "FlowchartStep", "flowchart_of", "flowcharts"]

END = "end"
"""Where a flowchart ends without a cause."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FlowchartStep(_Record):
    """A question. `look` says where its answer stands: `said:CAUSE|CAUSE` in lines that name one of
    these causes, else a clue by name (`declared`, `alive`, `gap`, ...). `yes` and `no` lead to a
    step, to a cause (`=disk full`; `=said` for the one that was named), or to the end."""

    id: str = Field(pattern=r"^[a-z][a-z-]*$")
    question: str = Field(min_length=10)
    look: str = Field(pattern=r"^(said:[a-z |]+|[a-z]+)$")
    yes: str
    no: str

    @property
    def causes(self) -> tuple[str, ...]:
        """The causes it asks about.

        >>> step = FlowchartStep(
        ...     id="a", question="Is it full?", look="said:b|c d", yes="=b", no="end"
        ... )
        >>> step.causes
        ('b', 'c d')
        """
        kind, _, names = self.look.partition(":")
        return tuple(names.split("|")) if kind == "said" else ()


class Flowchart(_Record):
    """A symptom as a person would tell it, words that go with it, and the steps from the first."""

    name: str
    symptom: str = Field(min_length=10)
    symptoms: tuple[str, ...] = Field(min_length=1)
    steps: tuple[FlowchartStep, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _leads_on(self) -> Flowchart:
        # Forward only, so that every walk ends.
        places = {step.id: place for place, step in enumerate(self.steps)}
        if len(places) < len(self.steps):
            raise ValueError(f"{self.name}: two steps have the same id")
        for place, step in enumerate(self.steps):
            for target in (step.yes, step.no):
                if target == END or target.startswith("="):
                    continue
                if places.get(target, -1) <= place:
                    raise ValueError(
                        f"{self.name}: {step.id} leads to {target!r}, not a later step"
                    )
        return self

    def step(self, name: str) -> FlowchartStep:
        """The step of this id."""
        return next(step for step in self.steps if step.id == name)


@cache
def flowcharts() -> tuple[Flowchart, ...]:
    """All of them, by name."""
    found = [
        Flowchart(
            name=file.name.removesuffix(".toml"),
            **tomllib.loads(file.read_text(encoding="utf-8")),
        )
        for file in (files("logwright.reasoning") / "flowcharts").iterdir()
        if file.name.endswith(".toml")
    ]
    return tuple(sorted(found, key=lambda flowchart: flowchart.name))


def flowchart_of(name: str) -> Flowchart:
    """The flowchart of this name.

    >>> flowchart_of("storage-trouble").steps[0].id
    'room'
    >>> flowchart_of("guess")
    Traceback (most recent call last):
    logwright.errors.SettingsError: there is no flowchart 'guess': expected ...
    """
    for flowchart in flowcharts():
        if flowchart.name == name:
            return flowchart
    names = ", ".join(flowchart.name for flowchart in flowcharts())
    raise SettingsError(f"there is no flowchart {name!r:.80}: expected {names}")
