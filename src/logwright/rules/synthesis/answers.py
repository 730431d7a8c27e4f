"""Answers: the one function in what a model wrote. It is text here, and is only ever parsed."""

from __future__ import annotations

import re

from logwright.rules.language.problem import RuleError

__all__ = ["MOST_CHARS", "code_of"]

MOST_CHARS = 20_000
"""Of an answer that is looked at: a rule has some hundred."""

_FENCED = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n`]*\n(.*?)(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.M | re.S)
_CLOSING = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[ \t]*$", re.M)
_DEF = re.compile(r"^[ \t]*(?:async[ \t]+)?def\b", re.M)


def code_of(text: str) -> str:
    """The code in an answer: in a fence, or all of it.

    >>> code_of("Here it is:\\n```python\\ndef rule(w):\\n    return True\\n```\\nGood luck!")
    'def rule(w):\\n    return True\\n'
    >>> code_of("I cannot help with that.")
    Traceback (most recent call last):
    logwright.rules.language.problem.RuleError: answer: there is no function in the ...
    """
    if len(text) > MOST_CHARS:
        raise RuleError(f"the answer is longer than {MOST_CHARS:,} characters", "answer")
    blocks = [match[2] for match in _FENCED.finditer(text) if _DEF.search(match[2])]
    found = blocks or _unfenced(text)
    if not found:
        raise RuleError(
            "there is no function in the answer: write one in a ```python fence, beginning with "
            "def rule(w: Window) -> bool:",
            "answer",
        )
    if len(found) > 1 or len(_DEF.findall(found[0])) > 1:
        raise RuleError("the answer holds several functions: write one", "answer")
    return found[0].strip("\n") + "\n"


def _unfenced(text: str) -> list[str]:
    """From the function on; a fence that was opened within a line may be closed below."""
    begin = _DEF.search(text)
    if begin is None:
        return []
    end = _CLOSING.search(text, begin.end())
    return [text[begin.start() : end.start() if end else len(text)]]
