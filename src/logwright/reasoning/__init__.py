"""Reasoning about logs: tasks, cited answers, and what gives them.

A function for each task:

>>> from logwright import reasoning
>>> callable(reasoning.parse) and callable(reasoning.root_cause)
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logwright.reasoning.asked import (
        anomaly,
        failure_prediction,
        interpret,
        parse,
        root_cause,
        solution,
    )

__all__ = ["anomaly", "failure_prediction", "interpret", "parse", "root_cause", "solution"]


def __getattr__(name: str) -> Any:
    # Imported when first used: those who read an answer's form need no reasoner.
    if name not in __all__:
        raise AttributeError(f"module 'logwright.reasoning' has no attribute {name!r}")
    from logwright.reasoning import asked

    return getattr(asked, name)
