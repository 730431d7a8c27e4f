"""Likeness: whether a text that nobody has judged says the same as one that is known.

Two texts are alike where they share most of their words: the Jaccard index of the sets of their
words (letters only, two at least, whatever their case) is .6 or more, and where what they do not
share turns neither into its opposite ("is not in sync", "disabled"). A text is taken for normal
where the normal text nearest to it is alike, is nearer than any text of a standing alarm, and names
as much trouble by its own words (`templates.wording`). Measured on BGL: decision 007.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Literal

from logwright.feedback.near import words_of
from logwright.templates.wording import trouble

__all__ = ["ALIKE", "Likeness"]

ALIKE = 0.6
_LEAST_WORDS = 2
_words = functools.lru_cache(maxsize=1 << 16)(words_of)
_NOT = frozenset(("no", "not", "never", "none", "non", "without", "cannot", "isn", "doesn", "won"))
_TURNING = re.compile(r"^(?:dis|de|un|in|en|non)(?=\w{3})")
_MOST_REMEMBERED = 100_000
_MOST_KNOWN = 20_000

Kind = Literal["known", "benign", "real"]


class Likeness:
    """Texts of which it is known what they are, found again by their words.

    >>> likeness = Likeness(lambda: ["link is up on <*>, all lanes ready"])
    >>> likeness.normal("link is up on <*>, most lanes ready")
    ('known', 'link is up on <*>, all lanes ready')
    >>> likeness.add("link is up on <*>, many lanes ready", "real")
    >>> likeness.normal("link is up on <*>, most lanes ready") is None
    True
    """

    def __init__(self, known: Callable[[], Iterable[str]] = lambda: ()) -> None:
        self._known = known
        self._kinds: dict[str, list[Kind]] = {}
        self._holding: dict[str, dict[str, None]] = {}  # word -> texts, in order of arrival
        self._remembered: dict[str, tuple[Kind, str] | None] = {}
        self._asked = False

    def add(self, text: str, kind: Kind) -> None:
        """Take a text; one may be taken several times."""
        self._kinds.setdefault(text, []).append(kind)
        for word in _words(text):
            self._holding.setdefault(word, {})[text] = None
        self._remembered = {}

    def discard(self, text: str, kind: Kind) -> None:
        """Take away a text that was added once."""
        self._kinds[text].remove(kind)
        if not self._kinds[text]:
            del self._kinds[text]
            for word in _words(text):
                del self._holding[word][text]
        self._remembered = {}

    def normal(self, text: str) -> tuple[Kind, str] | None:
        """The known or benign text by which this one is taken for normal, and which it is; None
        where there is none."""
        if not self._asked:  # wording all templates takes a while, and most runs need none
            self._asked = True
            for known in islice(self._known(), _MOST_KNOWN):
                self.add(known, "known")
        if text not in self._remembered:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered = {}
            self._remembered[text] = self._nearest(text)
        return self._remembered[text]

    def _nearest(self, text: str) -> tuple[Kind, str] | None:
        words = _words(text)
        if len(words) < _LEAST_WORDS:
            return None
        shared = Counter(other for word in words for other in self._holding.get(word, ()))
        own, best, answer, real = trouble(text), 0.0, None, 0.0
        for other, number in shared.items():
            near = number / len(words | _words(other))
            if near <= min(best, real) or near < ALIKE:
                continue
            kinds = self._kinds[other]
            if "real" in kinds:
                real = max(real, near)
            normal: Kind = "benign" if "benign" in kinds else "known"
            alike = normal in kinds and near > best and trouble(other) >= own
            if alike and not _opposed(words, _words(other)):
                best, answer = near, (normal, other)
        return answer if best >= ALIKE and real < best else None


def _opposed(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether the words that two texts do not share turn one into the opposite of the other.

    >>> _opposed(_words("link is enabled"), _words("link is disabled"))
    True
    >>> _opposed(_words("link is enabled"), _words("port is enabled"))
    False
    """
    mine, theirs = one - other, other - one
    if not _NOT.isdisjoint(mine | theirs):
        return True
    stems = {_TURNING.sub("", word) for word in mine}
    return any(_TURNING.sub("", word) in stems for word in theirs)
