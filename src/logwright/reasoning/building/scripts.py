"""Scripts: what someone says who thinks along a strategy, as data beside this module.

For each step of a strategy a script has sentences for the case that it finds something (`{what}`
stands for that) and for the case that it finds nothing. `takes` tells which facts are a step's: by
the kind of a part of a line (`number`, `path`), or by the words that a fact begins with, where `#`
stands for a number, `?` for a question, and `*` for what no other step takes.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field

from logwright.errors import SettingsError

__all__ = ["Script", "ScriptStep", "script_of"]

_DIGITS = re.compile(r"\d[\d,]*")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScriptStep(_Record):
    """What is said at a step."""

    id: str
    takes: tuple[str, ...] = ()
    found: tuple[str, ...] = Field(min_length=2)
    nothing: tuple[str, ...] = Field(min_length=2)


class Script(_Record):
    """What is said along a strategy, from the opening to the closing words."""

    opening: tuple[str, ...] = Field(min_length=2)
    closing: tuple[str, ...] = Field(min_length=2)
    steps: tuple[ScriptStep, ...]

    def taker(self, fact: str) -> tuple[int | None, str]:
        """The step that takes a fact, and the name of the step where the fact begins with one.

        >>> script_of("anomaly-conceptual").taker("Stated: line 1 speaks of an error")
        (3, 'Stated: ')
        >>> script_of("anomaly-conceptual").taker("No line states an alert.")
        (None, '')
        """
        begins = _DIGITS.sub("#", fact.lower())
        for at, step in enumerate(self.steps):
            for name in (step.id, *step.takes):
                words = name.replace("-", " ")
                if begins.startswith(f"{words}: "):
                    return at, fact[: len(words) + 2]
        for at, step in enumerate(self.steps):
            if any(begins.startswith(words) for words in step.takes):
                return at, ""
        last = "?" if "? " in fact else "*"
        found = [at for at, step in enumerate(self.steps) if last in step.takes]
        found = found or [at for at, step in enumerate(self.steps) if "*" in step.takes]
        return (found[0], "") if found else (None, "")


@cache
def script_of(strategy: str) -> Script:
    """The script of the strategy of this name.

    >>> script_of("parse-conceptual").steps[0].id
    'spaces'
    """
    try:
        folder = files("logwright.reasoning.building") / "scripts"
        text = (folder / f"{strategy}.toml").read_text("utf-8")
    except FileNotFoundError:
        raise SettingsError(f"the evidence cannot teach {strategy!r:.80}: no script") from None
    return Script(**tomllib.loads(text))
