"""`Reasoner`: what answers a task about material. The evidence reasoner is one without a language
model, `speaking.Speaking` one with; both are asked in the same way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from logwright.reasoning.answer import Answer
from logwright.reasoning.material import Material
from logwright.reasoning.task import Task

__all__ = ["Options", "Reasoner", "Rendering"]

Rendering = Literal["words", "characters"]
"""How a template is written: `words` masks whole words that vary (`block <*>`), `characters` only
the part of a word that varies (`blk_<*>`), as in the items of R-Log."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to answer. `healthy` is what the same thing looks like when it is well, run by run;
    `fast` wants the answer before the reasoning; `question` is what a person adds in words."""

    healthy: tuple[Material, ...] = ()
    rendering: Rendering = "words"
    fast: bool = False
    question: str = ""


class Reasoner(Protocol):
    """What answers tasks."""

    @property
    def name(self) -> str:
        """The engine's name in answers."""

    def answer(self, task: Task, material: Material, options: Options) -> Answer:
        """An answer whose citations hold.

        Raises:
            InputError: the task cannot be put about this material.
            ModelAnswerError: a language model gave no answer that holds.
        """
