"""Signs: what tells lines by their words, as conditions on a line that a person can read.

A sign is true of a template or false of it, as it reads nothing but constant text (or the id where
the texts are not known), so that it is evaluated once per template, not once per line. Words that
hold digits, or that touch a parameter, are never part of one: no timestamp, node or id gets into a
rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from logwright.logs.shapes import DELIMITERS, is_variable
from logwright.rules.language.plain import like, phrase
from logwright.rules.language.words import quoted

__all__ = ["Sign", "constant_runs", "form", "own_signs", "phrases", "shared_signs", "spaced_words"]

_MOST_WORDS = 5
_SHARED_WORDS = 3
"""Words of a phrase: for a template's own sign, and for one that several templates share."""

_LONGEST_FORM = 100
"""Characters of a form: what a person reads in one line."""

_DELIMITERS = DELIMITERS.decode() + "\n"
_PIECES = re.compile(f"[{re.escape(_DELIMITERS)}]+|[^{re.escape(_DELIMITERS)}]+", re.ASCII)
_HIDDEN = "\0"
"""Stands for a parameter: it is no delimiter, so that a word that touches one is no whole word."""

_RARE_SPACE = re.compile(r"\s{2,}|[\t\r\n]")


@dataclass(frozen=True, slots=True)
class Sign:
    """A condition on a line: it holds a phrase, or one of some words between blanks, or it is of a
    form from end to end, or of a template. `of` is the phrase, the words with a blank between, the
    form (`*` is any run of characters), or the id.

    >>> sign = Sign("phrase", "TLB error")
    >>> sign.source, sign.matches("data TLB error at <*>", "t-1")
    ('phrase(line.text, "TLB error")', True)
    >>> Sign("words", "severed lost").matches("Link has been severed", "t-2")
    True
    """

    kind: Literal["phrase", "words", "form", "template"]
    of: str

    @property
    def source(self) -> str:
        """The condition in the language of rules, on `line`."""
        if self.kind == "phrase":
            return f"phrase(line.text, {quoted(self.of)})"
        if self.kind == "words":
            return f"search({quoted(_alternation(self.of), raw=True)}, line.text)"
        if self.kind == "form":
            return f"like(line.text, {quoted(self.of)})"
        return f"line.template == {quoted(self.of)}"

    @property
    def told(self) -> str:
        """The sign in words, for docstrings."""
        if self.kind == "words":
            words = [f"'{word}'" for word in self.of.split()]
            return ("the word " if len(words) == 1 else "one of the words ") + ", ".join(words)
        if self.kind == "form":
            return f"the form '{self.of}'"
        return f"'{self.of}'" if self.kind == "phrase" else f"template {self.of}"

    @property
    def label(self) -> str:
        """A name of small letters, digits and underscores, made of its first words."""
        words = [w for w in re.findall(r"[a-z0-9]+", self.of.lower()) if self.kind != "words" or w]
        kept = "_".join(words[:4])[:30].strip("_")
        return kept if kept and not kept[0].isdigit() else f"event_{kept}".strip("_")

    def matches(self, text: str, template: str) -> bool:
        """Whether lines of a template have the sign, given its text and id."""
        if self.kind == "template":
            return template == self.of
        hidden = text.replace("<*>", _HIDDEN)
        if self.kind == "phrase":
            return phrase(hidden, self.of)
        if self.kind == "form":
            return like(hidden, self.of)
        return _searcher(self.of).search(hidden) is not None


def _alternation(words: str) -> str:
    return rf"(^|\s)({'|'.join(re.escape(word) for word in words.split())})(\s|$)"


@lru_cache(maxsize=4096)
def _searcher(words: str) -> re.Pattern[str]:
    return re.compile(_alternation(words), re.ASCII)


def constant_runs(text: str) -> list[list[str]]:
    """The words of a template's constant text, cut where a parameter or a variable word stands;
    words and what is between them alternate, so that joining a slice gives the text back.

    >>> constant_runs("read 12 of <*>: disk full, core.<*> lost")
    [['read'], ['of'], ['disk', ' ', 'full'], ['lost']]
    """
    runs: list[list[str]] = []
    run: list[str] = []
    for piece in _PIECES.findall(text.replace("<*>", _HIDDEN)):
        if piece[0] in _DELIMITERS:
            if run:
                run.append(piece)
        elif is_variable(piece.encode("utf-8", "surrogateescape")):
            runs.append(run)
            run = []
        else:
            run.append(piece)
    return [r if len(r) % 2 else r[:-1] for r in [*runs, run] if r]


def phrases(text: str, most: int = _SHARED_WORDS) -> Iterator[str]:
    """All phrases of a template's text: neighbouring words, `most` at most, as they are written.

    >>> sorted(phrases("disk full: <*>"))
    ['disk', 'disk full', 'full']
    """
    for run in constant_runs(text):
        for at in range(0, len(run), 2):
            for end in range(at + 1, min(at + 2 * most, len(run) + 1), 2):
                yield "".join(run[at:end])


def spaced_words(text: str) -> set[str]:
    """Words that stand between blanks, without digits and parameters.

    >>> sorted(spaced_words("link severed: port <*>"))
    ['link', 'port']
    """
    words = set(text.replace("<*>", _HIDDEN).split())
    return words & {w for run in constant_runs(text) for w in run[::2]}


def form(text: str) -> str | None:
    """A template's text from end to end, with `*` for each word that varies; of a long one the
    beginning. None where it has no words, or blanks that nobody could tell.

    >>> form("read <*> of <*>: core.<*> is lost"), form("<*> <*>")
    ('read * of *: * is lost', None)
    """
    pieces: list[str] = []
    for piece in _PIECES.findall(text.replace("<*>", _HIDDEN)):
        if sum(map(len, pieces)) + len(piece) > _LONGEST_FORM:
            # A word is cut off whole, so that `*` stands for whole words here, too.
            if pieces and pieces[-1][0] not in _DELIMITERS:
                pieces.pop()
            pieces.append("*")
            break
        pieces.append("*" if _varies(piece) else piece)
    found = "".join(pieces)
    readable = found.isprintable() and any(c.isalpha() for c in found)
    return found if readable else None


def _varies(piece: str) -> bool:
    """Whether a word is none that all lines have as it is, or is one with `*`, which no form can
    ask for."""
    if piece[0] in _DELIMITERS:
        return False
    return "*" in piece or is_variable(piece.encode("utf-8", "surrogateescape"))


def own_signs(
    texts: Sequence[str] | None,
    ids: Sequence[str],
    lines: Callable[[int], Sequence[str]] | None = None,
) -> list[Sign]:
    """A sign for each template that no other has: its longest phrase that stands in no other text,
    or else its form, or else the id, which says nothing to a reader and ends when a model learns
    anew. `lines` are some messages of the template at a place: a form must be theirs, too, as a
    text tells the first line only of a message that has more.

    >>> own_signs(["disk <*>: lost", "lost", "<*>"], ["a", "b", "c"])[1:]
    [Sign(kind='form', of='lost'), Sign(kind='template', of='c')]
    """
    if texts is None:
        return [Sign("template", name) for name in ids]
    hidden = [text.replace("<*>", _HIDDEN) for text in texts]
    held: dict[str, set[int]] = {}
    for at, text in enumerate(texts):
        for words in phrases(text, _MOST_WORDS):
            held.setdefault(words, set()).add(at)
    signs = []
    for at, text in enumerate(texts):
        own = [words for words in phrases(text, _MOST_WORDS) if len(held[words]) == 1]
        own = [words for words in own if _plain(words)]
        if own:
            signs.append(Sign("phrase", max(own, key=_worth)))
        else:
            of = form(text)
            told = of is not None and _tells(of, at, hidden, lines)
            signs.append(Sign("form", of) if of and told else Sign("template", ids[at]))
    return signs


def _tells(
    of: str, at: int, hidden: Sequence[str], lines: Callable[[int], Sequence[str]] | None
) -> bool:
    """Whether a form is of the template at a place, of no other, and of its messages."""
    mine = all(like(text, of) == (i == at) for i, text in enumerate(hidden))
    return mine and (lines is None or all(like(line, of) for line in lines(at)))


def _worth(words: str) -> tuple[int, int]:
    return words.count(" "), len(words)


def _plain(words: str) -> bool:
    """Whether a phrase has letters, and no odd blanks that nobody could tell when reading."""
    return any(c.isalpha() for c in words) and not _RARE_SPACE.search(words)


def shared_signs(texts: Sequence[str]) -> Mapping[frozenset[int], Sign]:
    """Signs that several templates have: the longest phrase of each set of templates that phrases
    tell.

    >>> shared_signs(["read parity error", "write parity error", "read done"])
    {frozenset({0, 2}): Sign(kind='phrase', of='read'), frozenset({0, 1}): Sign(kind='phrase', \
of='parity error')}
    """
    held: dict[str, set[int]] = {}
    for at, text in enumerate(texts):
        for words in phrases(text):
            held.setdefault(words, set()).add(at)
    found: dict[frozenset[int], str] = {}
    for words, of in held.items():
        key = frozenset(of)
        if len(of) > 1 and _plain(words) and _worth(words) > _worth(found.get(key, "")):
            found[key] = words
    return {key: Sign("phrase", words) for key, words in found.items()}
