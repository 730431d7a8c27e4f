"""Scopes: how far a verdict may reach, from narrow to wide, in words for people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from logwright.feedback.standing import Found
from logwright.findings.clean import clean
from logwright.findings.verdict import MOST_TEXT, Scope

__all__ = ["Choice", "generalised", "scopes"]

_PART_ENDS = re.compile(r":\s|\s-+\s|;\s|,\s|\s[=(\[{]|\.\s")
_WORD = re.compile(r"[A-Za-z]{2,}")
_LEAST_WORDS = 2


@dataclass(frozen=True, slots=True)
class Choice:
    """A scope with its name on the command line, and in words; these may hold log text."""

    name: str
    scope: Scope
    words: str


def scopes(found: Sequence[Found]) -> list[Choice]:
    """What can be chosen for alarms that are judged together, from narrow to wide.

    >>> text = "disk sda: I/O error"
    >>> new = Found("p-0", "unseen", "template", ("t-1",), (text,), hosts=("web7",))
    >>> for choice in scopes([new]):
    ...     print(choice.name, choice.words, sep=": ")
    host: this pattern on host web7 alone (if real: on it and others, too)
    pattern: this pattern
    templates: all findings made of this template, whatever raises them
    text: all findings whose text is like 'disk sda: *'
    """
    these = "this pattern" if len(found) == 1 else f"these {len(found):,} patterns"
    choices = []
    host = _common([f.hosts for f in found])
    if host is not None:
        words = f"{these} on host {host} alone (if real: on it and others, too)"
        choices.append(Choice("host", Scope(host=host), words))
    source = _common([f.sources for f in found])
    if source is not None:
        words = f"{these} of source {source} alone (if real: of it and others, too)"
        choices.append(Choice("source", Scope(source=source), words))
    choices.append(Choice("pattern", Scope(), these))
    templates = {template for f in found for template in f.templates}
    if templates and all(f.templates for f in found):
        which = "this template" if len(templates) == 1 else f"these {len(templates):,} templates"
        words = f"all findings made of {which}, whatever raises them"
        choices.append(Choice("templates", Scope(kind="templates"), words))
    texts = {text for f in found for text in f.texts}
    text = generalised(next(iter(texts))) if len(texts) == 1 else None
    if text is not None:
        words = f"all findings whose text is like '{text}'"
        choices.append(Choice("text", Scope(kind="text", text=text), words))
    return choices


def generalised(text: str) -> str | None:
    """A template's text with its end left open: after its first part, or else half of its words;
    None where that would leave less than two words to go by.

    >>> generalised("ciod: Error loading <*>: invalid or missing program image, No such file")
    'ciod: Error loading <*>: *'
    >>> generalised("link of node lost its carrier")
    'link of node *'
    >>> generalised("shutdown") is None
    True
    """
    for end in _PART_ENDS.finditer(text):
        head = text[: end.end()].rstrip("([{")
        if len(_WORD.findall(head)) >= _LEAST_WORDS and text[end.end() :].strip("<*> "):
            return _open(head)
    words = text.split(" ")
    head = " ".join(words[: (len(words) + 1) // 2])
    if len(words) < 2 * _LEAST_WORDS or len(_WORD.findall(head)) < _LEAST_WORDS:
        return None
    return _open(head)


def _open(head: str) -> str | None:
    # A '*' of the text itself would stand for anything, too.
    text, literal = f"{head.rstrip()} *", head.replace("<*>", "")
    return text if "*" not in literal and len(clean(text)) <= MOST_TEXT else None


def _common(places: Sequence[tuple[str, ...]]) -> str | None:
    """The first place that all of them have."""
    shared = set(places[0]).intersection(*places[1:]) if places else set()
    # A name from a log may be longer than a verdict can hold.
    fitting = (place for place in places[0] if place in shared and len(clean(place)) <= MOST_TEXT)
    return next(fitting, None) if shared else None
