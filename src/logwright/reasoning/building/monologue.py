"""Monologues: what the evidence shows, told as someone would think it through along a strategy.

Which of a script's sentences are taken is drawn by a seed. Templates are argued from the parts of
the line that vary, all other tasks from the facts of the evidence reasoner's answer, each told at
the step that takes it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from logwright.reasoning.answer import Citation, Step
from logwright.reasoning.building.labelled import Labelled
from logwright.reasoning.building.parts import SHOWN, listed, parts_told
from logwright.reasoning.building.scripts import Script, script_of
from logwright.reasoning.building.trajectories import cited_in, mark
from logwright.reasoning.strategies import Strategy
from logwright.reasoning.task import Task

__all__ = ["monologue"]

_LONG_QUOTE = 160
_MOST_FACTS = 4
"""At one step."""


def monologue(
    item: Labelled,
    strategy: Strategy,
    facts: Sequence[Step],
    cited: Sequence[Citation],
    seed: int,
) -> str:
    """The reasoning from the facts to the item's answer; the same seed gives the same words."""
    draw = random.Random(f"{seed} {strategy.name} {item.system} {item.time} {item.source}")
    script = script_of(strategy.name)
    rest: list[str] = []
    if item.task is Task.PARSE:
        told = parts_told(item.material.lines, script)
    else:
        told, rest = _facts_told(facts, script)
    said = [draw.choice(script.opening)]
    for step, what in zip(script.steps, told, strict=True):
        if what is None:
            said.append(draw.choice(step.nothing))
            continue
        with_place = [text for text in step.found if "{what}" in text]
        text = draw.choice(with_place if what and with_place else step.found)
        said.append(_filled(text, "{what}", what))
    said += [f"{text}." for text in rest]
    pointed = {one.line for one in cited_in(" ".join(said))}
    if cited and not pointed.intersection(one.line for one in cited):
        marks = [mark(_short(one)) for one in cited[:SHOWN]]
        said.append(f"It all hangs on {listed(marks)}.")
    said.append(_closing(draw.choice(script.closing), item))
    return " ".join(part for part in said if part)


def _closing(text: str, item: Labelled) -> str:
    """The last sentence. A cause that is told in sentences stands in the answer alone."""
    if "{cause}" in text and item.form == "text":
        return text.replace(": {cause}", "")
    return text.replace("{answer}", item.truth).replace("{cause}", item.truth)


def _filled(text: str, place: str, what: str) -> str:
    """With `what` in its place, with a capital letter where a sentence begins with it.

    >>> _filled("{what} is new.", "{what}", "the disk"), _filled("New? {what}.", "{what}", '"a"')
    ('The disk is new.', 'New? "a".')
    """
    begins = text.startswith(place) or f"? {place}" in text
    return text.replace(place, what[:1].upper() + what[1:] if begins else what)


def _facts_told(facts: Sequence[Step], script: Script) -> tuple[list[str | None], list[str]]:
    """Each fact at the step that takes it, and those that none takes. A citation stands where it
    comes first."""
    told: list[list[str]] = [[] for _ in script.steps]
    rest: list[str] = []
    # In the order in which they are told, so that the first to be told cites.
    placed = sorted(
        ((script.taker(fact.text), at) for at, fact in enumerate(facts)),
        key=lambda one: (len(script.steps) if one[0][0] is None else one[0][0], one[1]),
    )
    seen: set[str] = set()
    for (taker, name), at in placed:
        goal = rest if taker is None else told[taker]
        if len(goal) < _MOST_FACTS:
            goal.append(_with_marks(facts[at], name, seen))
    return ["; ".join(dict.fromkeys(parts)) or None for parts in told], rest


def _with_marks(fact: Step, name: str, seen: set[str]) -> str:
    """What a fact says but for its name, as a part of a sentence: what it quotes is cited."""
    text = fact.text.removeprefix(name).strip().rstrip(".")
    if own := cited_in(text):
        # It says by itself where it is from.
        seen.update(mark(citation) for citation in own)
        return text
    for citation in fact.citations[:2]:
        text = re.sub(rf":? ['\"]{re.escape(citation.quote)}['\"]", "", text)
        marked = mark(_short(citation))
        if marked not in seen:
            text += f" {marked}"
            seen.add(marked)
    return text.strip()


def _short(citation: Citation) -> Citation:
    """With a quote of a bearable length: the beginning of a longer one."""
    return Citation(line=citation.line, quote=citation.quote[:_LONG_QUOTE].rstrip())
