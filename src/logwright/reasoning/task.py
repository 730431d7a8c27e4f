"""The tasks that can be put about a log: those of R-Log (arXiv 2509.25987), and failure prediction
from LogReasoner (arXiv 2509.20798)."""

from __future__ import annotations

from enum import StrEnum

from logwright.errors import SettingsError

__all__ = ["Task"]


class Task(StrEnum):
    """What is asked. The value is the name in the CLI and in JSON.

    >>> Task("root-cause") is Task.ROOT_CAUSE
    True
    """

    PARSE = "parse"
    """The template of a line: which parts vary. The verdict is the template."""
    ANOMALY = "anomaly"
    """Is something abnormal in it? The verdict is "abnormal" or "normal"."""
    INTERPRET = "interpret"
    """What do these lines say?"""
    ROOT_CAUSE = "root-cause"
    """What started it? The verdict is the name of the cause that is thought likeliest."""
    SOLUTION = "solution"
    """What to do about it?"""
    FAILURE = "failure-prediction"
    """Will it lead to a failure? The verdict is "failure" or "no failure"."""

    @property
    def verdicts(self) -> tuple[str, ...]:
        """The verdicts there are; empty where a verdict is free."""
        return _VERDICTS.get(self, ())

    @staticmethod
    def of(name: str) -> Task:
        """The task of this name.

        >>> Task.of("parsing")
        Traceback (most recent call last):
        logwright.errors.SettingsError: there is no task 'parsing': expected parse, anomaly, ...
        """
        try:
            return Task(name)
        except ValueError:
            raise SettingsError(
                f"there is no task {name!r:.80}: expected {', '.join(Task)}"
            ) from None


_VERDICTS = {
    Task.ANOMALY: ("abnormal", "normal"),
    Task.FAILURE: ("failure", "no failure"),
}
