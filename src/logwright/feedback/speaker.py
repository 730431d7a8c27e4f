"""Speaker: whether a person or a language model gave a verdict, and whose word comes first.

A model's word is signed ``model:NAME``. A person's comes before it on everything that both speak
of, whichever was said later; among persons, and among models, the later one comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from logwright.findings.clean import clean

if TYPE_CHECKING:
    from logwright.findings.verdict import Verdict

__all__ = ["is_model", "rank", "signature"]

_SIGN = "model:"
_MOST = 200  # characters of `Verdict.by`


def signature(model: str) -> str:
    """How the word of a language model is signed.

    >>> signature("qwen3-8b")
    'model:qwen3-8b'
    """
    return f"{_SIGN}{clean(model)}"[:_MOST]


def is_model(verdict: Verdict) -> bool:
    """Whether a language model gave a verdict."""
    return verdict.by.startswith(_SIGN)


def rank(verdict: Verdict) -> tuple[bool, int]:
    """The place of a verdict among others on the same thing: the highest acts.

    >>> from logwright.findings.verdict import Subject, Verdict
    >>> on = (Subject(pattern="p-00000000000000aa", detector="unseen", unit="template"),)
    >>> ann = Verdict(number=1, word="real", subjects=on, by="ann")
    >>> rank(ann) > rank(Verdict(number=2, word="benign", subjects=on, by="model:m"))
    True
    """
    return not is_model(verdict), verdict.number
