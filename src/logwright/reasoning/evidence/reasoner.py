"""`EvidenceReasoner`: answers every task from the lines alone, or says that they do not tell."""

from __future__ import annotations

import time

from logwright.errors import InputError
from logwright.reasoning.answer import Answer, problems
from logwright.reasoning.evidence import (
    causes,
    failing,
    interpreting,
    judging,
    parsing,
    solutions,
)
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options
from logwright.reasoning.task import Task

__all__ = ["EvidenceReasoner"]

_BY_TASK = {
    Task.PARSE: parsing.answer,
    Task.ANOMALY: judging.answer,
    Task.INTERPRET: interpreting.answer,
    Task.ROOT_CAUSE: causes.answer,
    Task.SOLUTION: solutions.answer,
    Task.FAILURE: failing.answer,
}


class EvidenceReasoner:
    """The default: needs nothing, costs nothing, and gives the same answer to the same lines."""

    name = "evidence"

    def answer(self, task: Task, material: Material, options: Options | None = None) -> Answer:
        """An answer whose citations hold."""
        if not any(line.strip() for line in material.lines):
            raise InputError("there is nothing to answer from: every line is empty")
        began = time.perf_counter()
        answer = _BY_TASK[task](material, options or Options())
        wrong = problems(answer, material)
        assert not wrong, wrong
        return answer.model_copy(update={"seconds": time.perf_counter() - began})
