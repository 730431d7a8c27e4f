"""Checks: whether a worked example may be learned from.

Its answer must be the label; what it cites must stand there; its reasoning must go the way of its
strategy, in order, without talking about it, and must not tell the answer before it is reached.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from logwright.reasoning.answer import problems
from logwright.reasoning.building.trajectories import Trajectory, cited_in, unmarked
from logwright.reasoning.strategies import Strategy
from logwright.reasoning.task import Task

__all__ = ["MOST_WORDS", "faults", "in_order", "sentences", "stems"]

MOST_WORDS = 700
"""Of the reasoning: what is longer is cut off by the 2,048 tokens that reasoners train on."""

_LEAST_WORDS = 12
_SHARED = 2
_FOLLOWED = 0.6
_LATE = 0.6
"""Of the sentences: before that none may tell the answer."""
_HELD = 0.2

_SENTENCE = re.compile(r"(?<=[.!?:;])\s+")
_WORD = re.compile(r"[a-z]+")
_NAMED = re.compile(
    r"\b(?:steps?|stages?|rules?|points?) (?:no\. ?)?(?:\d+|one|two|three|four|five|six|seven)\b"
    r"|\b(?:first|second|third|fourth|fifth|next|last|final) (?:step|rule)\b"
    r"|\b(?:reasoning|thinking) (?:template|guidance|strategy|steps)\b"
    r"|\b(?:the|this|my|given) (?:strategy|template of reasoning|checklist|guidance|guideline)\b",
    re.I,
)
_TOLD = re.compile(
    r"\b(?:the|a|this|my) (?:(?:true|given|known|right|expected) )?label (?:says|is|tells|reads)"
    r"|\b(?:true|given|known|expected|provided|correct) (?:label|answer|verdict)\b|\bground truth\b"
    r"|\b(?:as|was|been|is) labell?ed\b|\b(?:I was|as) (?:told|given)\b",
    re.I,
)
_COMMON = re.compile(
    r"the|and|that|this|with|from|they|them|their|what|which|when|where|there|than|then|into|only"
    r"|such|also|each|every|other|another|same|some|any|all|one|two|not|are|was|were|been|being|has"
    r"|have|had|does|did|can|may|must|will|would|could|should|its|for|but|who|how|why|out"
)


def faults(item: Trajectory, strategy: Strategy, truth: str) -> list[str]:
    """Why an example may not be learned from, a reason each; empty where it may. The reasons are
    few and the same for all, so that they can be counted."""
    found: list[str] = []
    if not same(item.answer, truth):
        found.append("the answer is not the label")
    if not cited_in(item.reasoning):
        found.append("the reasoning cites no line")
    elif problems(item.answered(), item.material):
        found.append("a citation does not hold")
    told = unmarked(item.reasoning)
    if not in_order(told, [step.text for step in strategy.steps]):
        found.append("the reasoning does not follow its strategy")
    if _NAMED.search(told) or strategy.name in told or _recites(told, strategy):
        found.append("the reasoning talks about its strategy")
    if _TOLD.search(told):
        found.append("the reasoning talks about the label")
    if _early(told, item):
        found.append("the answer is told before it is reached")
    if item.form == "text" and not _held(item):
        found.append("the answer does not rest on the lines or the reasoning")
    if not _LEAST_WORDS <= len(told.split()) <= MOST_WORDS:
        found.append("the reasoning is too short or too long")
    return found


def same(answer: str, truth: str) -> bool:
    """Whether an answer is the label: but for spaces, and for the case of verdicts in words.

    >>> same("took  <*> ms", "took <*> ms"), same("Took <*> ms", "took <*> ms")
    (True, False)
    """
    return answer.split() == truth.split()


def sentences(text: str) -> list[str]:
    """The sentences of a text, and parts of them that could stand alone.

    >>> sentences("It failed: the disk is full. So what?")
    ['It failed:', 'the disk is full.', 'So what?']
    """
    return [part for part in _SENTENCE.split(text.strip()) if part.strip()]


@lru_cache(maxsize=1 << 14)
def stems(text: str) -> frozenset[str]:
    """Words that carry meaning, without their endings.

    >>> sorted(stems("The values that vary are joined by dots"))
    ['dot', 'join', 'valu', 'vary']
    """
    return frozenset(
        _stem(word)
        for word in _WORD.findall(text.lower())
        if len(word) > 2 and not _COMMON.fullmatch(word)
    )


def _stem(word: str) -> str:
    for ending in ("ations", "ation", "ings", "ing", "ies", "ied", "es", "ed", "ly", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def in_order(reasoning: str, steps: Sequence[str], share: float = _FOLLOWED) -> bool:
    """Whether most of the steps are taken up in the reasoning, one after the other. A sentence
    takes a step up where it shares words with it that few of the other steps have.

    >>> steps = ["Look for numbers.", "Join neighbouring values.", "Keep fixed words as they are."]
    >>> in_order("I look: 7 is one of the numbers. Values that are neighbours I join.", steps)
    True
    >>> in_order("Values that are neighbours I join. I look: 7 is one of the numbers.", steps)
    False
    """
    own = _telling(tuple(steps))
    said = [stems(part) for part in _long_enough(reasoning)]
    need = -(-len(steps) * share // 1)
    # The longest run of steps taken up in order: best[k] is the earliest sentence at which k of
    # them can end. A sentence may take up more than one.
    best = [-1]
    for words in own:
        least = min(_SHARED, len(words))
        places = [at for at, found in enumerate(said) if len(words & found) >= least]
        for taken in range(len(best), 0, -1):
            at = next((place for place in places if place >= best[taken - 1]), None)
            if at is None:
                continue
            if taken == len(best):
                best.append(at)
            else:
                best[taken] = min(best[taken], at)
    return len(best) - 1 >= need


def _long_enough(text: str) -> list[str]:
    """Sentences, those of a word or two joined to what follows."""
    joined: list[str] = []
    held = ""
    for part in sentences(text):
        held = f"{held} {part}".strip()
        if len(held.split()) > 3:
            joined.append(held)
            held = ""
    return [*joined, held] if held else joined


@lru_cache(maxsize=256)
def _telling(steps: tuple[str, ...]) -> list[frozenset[str]]:
    """The stems of each step that at most a third of the steps have."""
    each = [stems(step) for step in steps]
    held = Counter(stem for words in each for stem in words)
    most = max(len(steps) // 3, 1)
    return [frozenset(stem for stem in words if held[stem] <= most) for words in each]


def _recites(told: str, strategy: Strategy) -> bool:
    low = " ".join(told.lower().split())
    return any(step.text.lower().rstrip(".") in low for step in strategy.steps)


def _early(told: str, item: Trajectory) -> bool:
    if item.form == "text":
        return False
    said = sentences(told)
    before = " ".join(said[: int(len(said) * _LATE)])
    if item.task is not Task.PARSE:
        about = r"\b(?:this|it|line|entry|log|verdict|answer|cause)\b[^.]{0,20}\b(?:is|as|was)\s+"
        return re.search(rf"{about}{re.escape(item.answer)}\b", before, re.I) is not None
    # The template of a line without variables is the line, and that may be told at any time.
    answer = " ".join(item.answer.split())
    return item.answer not in item.lines and answer in " ".join(before.split())


def _held(item: Trajectory) -> bool:
    """Whether enough words of a text are in the lines, the question or the reasoning."""
    words = stems(item.answer)
    known = stems(" ".join((*item.lines, item.question, item.reasoning)))
    return not words or len(words & known) >= _HELD * len(words)
