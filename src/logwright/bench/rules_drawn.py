"""Rules drawn at random from the first lines of a log, to measure rates by.

Most look for something that the log holds.
45 % of conditions are phrases, 33 % texts within lines (8 % in small letters), 6 % patterns with
wildcards, 8 % regular expressions that ask for a word with any number behind it. The last 8 % do so
too ("words"), compare the number behind a name in the log ("words and numbers"), or half of them
look for a name with a number as it stands there ("words, numbers and digits"): what digits a line
holds no shape can tell. Half of the rules ask whether any line meets a condition, the others count,
combine two conditions, or ask for their order.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from logwright.rules.language.gate import parse
from logwright.rules.language.tree import Function
from logwright.rules.language.words import quoted

__all__ = ["MIXES", "drawn"]

MIXES = {
    "words": (0.0, 0.0),
    "words and numbers": (0.08, 0.0),
    "words, numbers and digits": (0.04, 0.04),
}
"""Kinds of rules by name, with the shares of their conditions that compare numbers, and that look
for digits as they stand in a line."""

_LIMITS = (30, 500, 4_096, 75_000, 1_500_000)


def drawn(texts: Sequence[str], number: int, seed: int, mix: str = "words") -> dict[str, Function]:
    """So many rules of a mix by name, each through the gate of the language.

    >>> list(drawn(["disk sda failed at 17", "job done in 12 ms"], 2, 1))
    ['rule_0', 'rule_1']
    """
    draw = _Draw(texts, random.Random(seed), *MIXES[mix])
    return {f"rule_{at}": parse(draw.rule(), f"rule_{at}") for at in range(number)}


def _distinct(pattern: str, texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(found for text in texts for found in re.findall(pattern, text)))


class _Draw:
    def __init__(
        self, texts: Sequence[str], rng: random.Random, numbers: float, digits: float
    ) -> None:
        self._rng, self._texts = rng, texts
        self._numbers, self._digits = numbers, digits
        self._words = _distinct(r"[A-Za-z][A-Za-z_.\-]{1,30}[A-Za-z]", texts)
        self._valued = _distinct(r"\b[A-Za-z]{2,30}[ =:]{1,2}[0-9]{1,6}\b", texts) or ["number 1"]
        self._names = _distinct(r"\b[A-Za-z]{2,30}[ =:]{1,2}(?=[0-9]+\b)", texts) or ["number "]

    def rule(self) -> str:
        """The source of a rule."""
        kind, a, b = self._rng.random(), self._condition(), self._condition()
        lines = "for line in w.lines"
        if kind < 0.5:
            told = f"any({a} {lines})"
        elif kind < 0.7:
            told = f"sum({a} {lines}) >= {self._rng.randint(2, 10)}"
        elif kind < 0.8:
            told = f"any({a} {lines}) and not any({b} {lines})"
        elif kind < 0.9:
            told = f"not followed(({a} {lines}), ({b} {lines}), events=20)"
        else:
            told = f"first({a} {lines}) > first({b} {lines})"
        return f"def rule(w: Window) -> bool:\n    return {told}\n"

    def _condition(self) -> str:
        kind, word = self._rng.random(), self._word()
        if kind < 0.45:
            return f"phrase(line.text, {quoted(self._phrase())})"
        if kind < 0.70:
            return f"{quoted(word)} in line.text"
        if kind < 0.78:
            return f"{quoted(word.lower())} in line.text.lower()"
        if kind < 0.84:
            return f"like(line.text, {quoted(f'*{word}*{self._word()}*')})"
        if kind >= 1.0 - self._digits:
            return f"{quoted(self._rng.choice(self._valued))} in line.text"
        if kind < 1.0 - self._digits - self._numbers:
            return f"search({quoted(re.escape(word) + r'[^0-9]?[0-9]+')}, line.text)"
        name, limit = re.escape(self._rng.choice(self._names)), self._rng.choice(_LIMITS)
        return f"number({quoted(name + '([0-9]+)')}, line.text) > {limit}"

    def _word(self) -> str:
        """A word as it stands there, its first half, or one that hardly stands anywhere."""
        word, kind = self._rng.choice(self._words), self._rng.random()
        if kind < 0.6:
            return word
        return word[: max(4, len(word) // 2)] if kind < 0.8 else word + self._rng.choice("abcdef")

    def _phrase(self) -> str:
        """Two or three words of a line, which hold no digit."""
        for _ in range(50):
            tokens = self._rng.choice(self._texts).split()
            at, size = self._rng.randrange(len(tokens) or 1), self._rng.randint(2, 3)
            told = " ".join(tokens[at : at + size]).strip(",:;()[]")
            if told.count(" ") and not re.search(r"\d", told):
                return told
        return self._rng.choice(self._words)
