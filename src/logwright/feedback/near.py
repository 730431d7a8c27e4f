"""Near: texts that share many of their words with one, among many, without comparing all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import ceil

__all__ = ["Near", "words_of"]

_WORD = re.compile(r"[^\W\d_]{2,}")


def words_of(text: str) -> frozenset[str]:
    """The words of a text, as likeness compares them (`feedback.likeness`).

    >>> sorted(words_of("Disk sda: I/O error"))
    ['disk', 'error', 'sda']
    """
    return frozenset(_WORD.findall(text[:4096].lower()))


class Near:
    """Texts under names, found again by their words.

    >>> near = Near([("a", "disk failed on web"), ("b", "link is up")])
    >>> near.of(words_of("disk failed on mail"), 0.5)
    [('a', 0.6)]
    """

    def __init__(self, texts: Iterable[tuple[str, str]]) -> None:
        self._words: dict[str, frozenset[str]] = {}
        self._holding: dict[str, list[str]] = {}
        for name, text in texts:
            words = self._words[name] = words_of(text)
            for word in words:
                self._holding.setdefault(word, []).append(name)

    def of(self, words: frozenset[str], least: float) -> list[tuple[str, float]]:
        """The names of the texts that share at least this part of the words of both, which
        part that is."""
        # Who shares so many words has one of the rarest, so that common ones need no looking up.
        rarest = sorted(words, key=lambda word: len(self._holding.get(word, ())))
        rarest = rarest[: len(words) - ceil(least * len(words)) + 1]
        names = dict.fromkeys(name for word in rarest for name in self._holding.get(word, ()))
        shares = ((name, _share(words, self._words[name])) for name in names)
        return [(name, share) for name, share in shares if share >= least]


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)
