"""The catalogue of causes: what can be wrong, the words that tell it, and what follows from what.

Data: `causes.toml` beside this module. All its phrases are looked for in one pass.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field

from logwright.reasoning.evidence.phrases import Phrases

__all__ = ["CONTACT", "HINTS", "SAYS", "Cause", "catalogue", "cause_of", "phrases"]

SAYS, HINTS, CONTACT = "says:", "hints:", "contact:"
"""What the names of phrases begin with, before the cause or the kind of contact."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Cause(_Record):
    """A cause. `says` are phrases that name it, `hints` phrases that fit others too; `explains` are
    causes whose messages follow from this one; `flowchart` is where it is found."""

    name: str
    means: str
    flowchart: str
    says: tuple[str, ...] = Field(min_length=1)
    hints: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()


@cache
def _data() -> tuple[tuple[Cause, ...], dict[str, list[str]]]:
    text = (files("logwright.reasoning.evidence") / "causes.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    return tuple(Cause(**cause) for cause in data["causes"]), data["contact"]


def catalogue() -> tuple[Cause, ...]:
    """All causes, in the order in which an expert rules them out."""
    return _data()[0]


def cause_of(name: str) -> Cause:
    """The cause of this name.

    >>> cause_of("disk full").means
    'the disk has no room left'
    """
    return next(cause for cause in catalogue() if cause.name == name)


@cache
def phrases() -> Phrases:
    """All phrases: those of causes and of contact."""
    causes, contact = _data()
    return Phrases(
        [(SAYS + cause.name, phrase) for cause in causes for phrase in cause.says]
        + [(HINTS + cause.name, phrase) for cause in causes for phrase in cause.hints]
        + [(CONTACT + kind, phrase) for kind, listed in contact.items() for phrase in listed]
    )
