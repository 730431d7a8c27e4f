"""`stated`: what a line claims, judged by its words and by how they stand in the sentence.

A word for a failure is a claim only where it is asserted: "no errors", "error handler", "if it
fails" and "0 failures" claim none. What is claimed has a force, from 0 to 1; what the line says to
soften it (corrected, retrying, a person who mistyped a password) takes from it.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal

import numpy as np
from ahocorasick_rs import BytesAhoCorasick
from numpy.typing import NDArray

from logwright.logs.batch import Int64s
from logwright.reasoning.evidence.literals import literals

__all__ = ["ENOUGH", "Claim", "Stated", "hints", "stated"]


@dataclass(frozen=True, slots=True)
class Claim:
    """`text[begin:end]` says it. `kind` leads to the step of a strategy; `what` names what an
    alarm speaks of ("failing hardware"), or is a sentence for what softens ("it was put right")."""

    begin: int
    end: int
    kind: str
    what: str
    force: float
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Stated:
    """What a text claims: `force` of alarm, the claims that make it, and those that soften it."""

    force: float
    claims: tuple[Claim, ...]
    softened: tuple[Claim, ...]

    @property
    def abnormal(self) -> bool:
        """Whether the text states an alert."""
        return self.force >= ENOUGH


ENOUGH = 0.5
"""Force from which on a text states an alert."""

_PLAIN = 0.8
_MOST = 10_000
"""Characters of a line that are judged: longer ones carry a load, and say early what it is."""

_STATES = re.compile(
    r"\.{2,}\s*(?:<\*>|(?:0x)?\d)|\b(?:enabled?|mask|depth|counter|summary|register)s?\b[^a-z]*$"
    r"|\bregisters?\b[^a-z]*(?:<\*>|0x|\d|:)|^(?:total of|number of|size of|max number)\b"
    r"|^\W*(?:\w{1,6}[:=]\s?(?:<\*>|(?:0x)?[0-9a-f]+)(?:[\s,]+|$)){2,}$",
    re.I,
)
# What stands around a word so that it names a thing instead of asserting it.
_DENIED = re.compile(
    r"\b(?:no|non|0|zero|without|if|when|unless|in case of|possible|potential|number of|total of"
    r"|max|maximum|avoid\w*|prevent\w*|suppress\w*|disable|flagging of|inject\w*|simulat\w*)"
    r"[\s-](?:\w+ )?$|[=/_]$|(?<!\.)\.$",
    re.I,
)
_UNSAID_BEFORE = re.compile(r"\b(?:any|on|for|as|to|handles?|clear\w*)\s(?:\w+ )?$|-$", re.I)
_UNSAID_AFTER = re.compile(
    r"(?:[-_ ](?:handl\w+|recover\w*|log\w*|report\w*|count\w*|rates?|threshold|register|mask|"
    r"enable\w*|limit|detection|correction|injection|policy|listener|level|queue|safe|over\b|"
    r"tolerance|tolerant|prefix|stream|support|set to|value|interval|of [\d<])"
    r"|s?\s*[=:]\s*0+\b(?![.x\d])|s?: none"
    r"|\.(?:log|txt|conf|c|java|py)\b|[/_]\w|\(\))",
    re.I,
)


@dataclass(frozen=True, slots=True)
class _Phrase:
    kind: str
    what: str
    force: float
    words: tuple[str, ...]


_Part = Literal["alarms", "softeners"]


@dataclass(frozen=True, slots=True)
class _Words:
    """Phrases as they stand in `statements.toml`, and an automaton that finds the literals of their
    words: `meant` are the words, as (phrase, word), that each literal belongs to."""

    phrases: tuple[_Phrase, ...]
    automaton: BytesAhoCorasick
    meant: tuple[tuple[tuple[int, int], ...], ...]
    force: NDArray[np.float64]


@cache
def _words(part: _Part) -> _Words:
    text = (files("logwright.reasoning.evidence") / "statements.toml").read_text("utf-8")
    phrases = tuple(
        _Phrase(entry["kind"], entry["what"], entry["force"], tuple(entry["words"]))
        for entry in tomllib.loads(text)[part]
    )
    meant: dict[str, list[tuple[int, int]]] = {}
    for number, phrase in enumerate(phrases):
        for place, word in enumerate(phrase.words):
            for literal in literals(word):
                meant.setdefault(literal, []).append((number, place))
    force = [max(phrases[number].force for number, _ in of) for of in meant.values()]
    return _Words(
        phrases,
        BytesAhoCorasick([literal.encode() for literal in meant]),
        tuple(map(tuple, meant.values())),
        np.array(force),
    )


@lru_cache(maxsize=1 << 12)
def _searched(part: _Part, found: frozenset[int]) -> tuple[tuple[_Phrase, re.Pattern[str]], ...]:
    """The phrases that a text may hold, by the literals found in it, with what finds them."""
    words = _words(part)
    at = sorted({place for literal in found for place in words.meant[literal]})
    wanted: dict[int, list[str]] = {}
    for number, place in at:
        wanted.setdefault(number, []).append(words.phrases[number].words[place])
    return tuple(
        (words.phrases[number], re.compile(rf"(?:\b|(?=\W))(?:{'|'.join(some)})", re.I))
        for number, some in wanted.items()
    )


def _phrases(part: _Part, text: str) -> tuple[tuple[_Phrase, re.Pattern[str]], ...]:
    raw = text.lower().encode("utf-8", "surrogatepass")
    found = _words(part).automaton.find_matches_as_indexes(raw, overlapping=True)
    return _searched(part, frozenset(which for which, _, _ in found))


def hints(text: bytes) -> tuple[Int64s, Int64s, NDArray[np.float64]]:
    """Where in a text in small letters something stands without which nothing is an alarm: which
    of these it is, its position, and the force of the alarm that it may be."""
    words = _words("alarms")
    found = words.automaton.find_matches_as_indexes(text, overlapping=True)
    which, begin, _ = np.array(found, np.int64).reshape(-1, 3).T
    return which, begin, words.force[which]


_SAYS = re.compile(r"[A-Za-z]{3,}")


def stated(text: str) -> Stated:
    """What the text claims.

    >>> stated("kernel panic - not syncing").abnormal, stated("0 errors found").abnormal
    (True, False)
    >>> told = stated("parity error corrected")
    >>> told.abnormal, told.softened[0].what
    (False, 'it was put right or is tried again')
    """
    text = text[:_MOST]
    if not _SAYS.search(text.replace("<*>", " ")):
        return Stated(0.0, (), (_little(text),))
    claims: list[Claim] = []
    for phrase, pattern in _phrases("alarms", text):
        for match in pattern.finditer(text):
            begin, end = match.span()
            if any(c.begin < end and begin < c.end for c in claims):
                continue
            if _unsaid(text, begin, end, phrase.force):
                continue
            claims.append(Claim(begin, end, phrase.kind, phrase.what, phrase.force, alarm=True))
    softened = [
        Claim(*found.span(), phrase.kind, phrase.what, phrase.force)
        for phrase, pattern in _phrases("softeners", text)
        if (found := pattern.search(text)) is not None
    ]
    state = _STATES.search(text)
    if state is not None:
        dump = "it shows a register, a counter or a setting"
        softened.append(Claim(*state.span(), "state", dump, 0.6))
    # Of claims of the same force the one with more words tells more: not the level, the message.
    claims.sort(key=lambda claim: (-claim.force, claim.begin - claim.end, claim.begin))
    return Stated(_force(claims, softened), tuple(claims), tuple(softened))


def _little(text: str) -> Claim:
    if "<*>" in text:
        return Claim(0, len(text), "gaps", "a placeholder is no sign of anything", 0.0)
    if any(c.isdigit() for c in text):
        return Claim(0, len(text), "values", "a value alone is a state, however odd", 0.0)
    return Claim(0, len(text), "little", "it says too little to be an alert", 0.0)


def _unsaid(text: str, begin: int, end: int, force: float) -> bool:
    before = text[max(0, begin - 24) : begin]
    if _DENIED.search(before) or _UNSAID_AFTER.match(text, end):
        return True
    # "due to assertion failure" asserts it; "close on error" does not.
    return force < _PLAIN and _UNSAID_BEFORE.search(before) is not None


def _force(claims: list[Claim], softened: list[Claim]) -> float:
    """The strongest claim, a little more for each other one, less what softens it."""
    if not claims:
        return 0.0
    force = claims[0].force + 0.15 * min(3, len(claims) - 1)
    # A threshold that is exceeded is one of what could be corrected: it is said of just that.
    if claims[0].kind == "alert" or not softened:
        soft = 0.0
    else:
        soft = max(s.force for s in softened) + 0.15 * (len(softened) - 1)
    return round(max(0.0, min(1.0, force - soft)), 2)
