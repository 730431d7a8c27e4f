"""Heard words: words that history held in abnormal lines only, to be listened for in new lines.

Labels of windows do not say which line is to blame. A template is blamed where nearly all windows
that hold it are abnormal; a word is heard where every template of history that holds it is blamed.
A word is taken strictly: it stands between blanks, so that names of fields (`port:`, `unit=`) are
none, and no healthy template holds it, not even as a name of a field.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from logwright.rules.induction.signs import phrases, spaced_words
from logwright.windows.window import Windows

__all__ = ["blamed", "heard_words", "needed"]

Bools = NDArray[np.bool_]

_LETTERS, _LONGEST = 3, 40
_MOST = 8
"""Words of a group at most: a person reads them, and one expression looks for all of them."""

_COMMON = frozenset(
    re.findall(
        r"\w+",
        "a about after all also an and any are as at be because been before but by can could did "
        "do does for from had has have he her his how if in into is it its may more most must my "
        "new no nor not now of off on one only or other our out over own per she should since so "
        "some such than that the their them then there these they this to too two under until up "
        "use used via was we were what when where which while who will with within without would "
        "you your",
    )
)
"""Words of English that say nothing about what a line is about."""


def blamed(windows: Windows, which: Bools, share: float, support: float, size: int) -> Bools:
    """The templates (of `size`) to blame: held by at least `support` of the windows in `which`, and
    hardly by others.

    >>> windows = Windows.of_sequences([[0, 1], [0], [0, 1]])
    >>> blamed(windows, np.array([True, False, True]), 0.9, 2, 3).tolist()
    [False, True, False]
    """
    owner, template, _ = windows.counts()
    every = np.bincount(template, minlength=size)
    bad = np.bincount(template[which[owner]], minlength=size)
    found: Bools = (bad >= support) & (bad >= share * every)
    return found


def heard_words(
    windows: Windows, texts: Sequence[str], which: Bools, share: float, support: float
) -> list[tuple[str, ...]]:
    """Groups of words, the longest first: those of blamed templates that share some. Words of
    templates that less than `support` windows hold form one group together.

    >>> windows = Windows.of_sequences([[0, 1], [0], [0, 1]])
    >>> heard_words(windows, ["link is up", "link is severed"], np.array([1, 0, 1], bool), 0.9, 2)
    [('severed',)]
    """
    guilty = blamed(windows, which, share, 1.0, len(texts))
    often = blamed(windows, which, share, support, len(texts))
    held = np.bincount(windows.events.template, minlength=len(texts)) > 0
    healthy: set[str] = set()
    for at in np.flatnonzero(held & ~guilty).tolist():
        healthy.update(phrases(texts[at], 1))
    groups: list[set[str]] = []
    seldom: set[str] = set()
    for at in np.flatnonzero(guilty).tolist():
        words = {w for w in spaced_words(texts[at]) - healthy if _telling(w)}
        if words and often[at]:
            near = [group for group in groups if _alike(group, words)]
            groups = [group for group in groups if not _alike(group, words)]
            groups.append(words.union(*near))
        else:
            seldom |= words
    for group in groups:
        kin = {word for word in seldom if _alike(group, {word})}
        group |= kin
        seldom -= kin
    groups += [seldom] if seldom else []
    ordered = [sorted(group, key=lambda w: (-len(w), w.lower(), w)) for group in groups]
    return sorted(
        tuple(group[at : at + _MOST]) for group in ordered for at in range(0, len(group), _MOST)
    )


def needed(groups: Sequence[tuple[str, ...]], hits: Sequence[Bools]) -> list[int]:
    """The groups that no others make needless, by the windows in which each hits: those that add
    most windows one after the other, of equal ones the group of most words. One incident has many
    words that new lines may hold: that each of them hits it is no reason for a rule of each.

    >>> groups = [("lost",), ("peer", "severed"), ("socket",)]
    >>> needed(groups, list(np.array([[1, 1, 0], [1, 1, 0], [0, 1, 1]], bool)))
    [1, 2]
    """
    found: list[int] = []
    left = list(range(len(groups)))
    told = np.zeros(len(hits[0]) if hits else 0, bool)
    while left:
        best = max(left, key=lambda at: (int((hits[at] & ~told).sum()), len(groups[at])))
        if not (hits[best] & ~told).any():
            break
        left.remove(best)
        found.append(best)
        told |= hits[best]
    return sorted(found)


def _alike(group: set[str], words: set[str]) -> bool:
    """Whether two groups share a word, however it is capitalized."""
    return not {word.lower() for word in group}.isdisjoint(word.lower() for word in words)


def _telling(word: str) -> bool:
    letters = sum(c.isalpha() for c in word)
    plain = word.isprintable() and len(word) <= _LONGEST
    return plain and letters >= _LETTERS and word.lower() not in _COMMON
