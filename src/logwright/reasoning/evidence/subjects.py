"""Subjects: what a single line is about: who writes it, what it says is done, and what it names."""

from __future__ import annotations

import re

from logwright.reasoning.evidence.varying import Kind, varying

__all__ = ["component", "deed", "things"]

_MOST_THINGS = 3
_BESIDE = 30
"""Characters before a value in which the word stands that tells what it is."""

_WRITER = re.compile(r"([A-Za-z][\w.$/-]*(?:\(\w+\))?)(?:\[\d+\])?:\s")
_DONE = re.compile(
    r"(?<![\w./-])(?:[A-Za-z]+ )?(?<![\w./-])"
    r"[A-Za-z]*(?:[a-z]ed|[a-z]{2}ing|began|bound|built|lost|sent)(?![\w./-]*\w)"
)
_JOINS = (
    "a|after|an|and|as|at|because|before|by|due|during|for|from|in|into|is|of|on|or|that|the|to|was"
    "|via|when|while|with"
)
_OBJECT = re.compile(rf"(?:\s(?!(?:{_JOINS})\b)[A-Za-z]+(?![\w.:/\\-])){{0,2}}")
_NAMED = re.compile(r"(?<![\w./])([A-Za-z]{3,})(?:\s|=|:\s?|\s?#)$")
_NO_NAME = re.compile(rf"(?i)(?:{_JOINS}|but|are|has|not|over|than|took|under)$")
"""What tells nothing of the value behind it."""
_NOUN: dict[Kind, str] = {
    "address": "address",
    "port": "port",
    "host": "host",
    "path": "path",
    "user": "user",
    "identifier": "",
    "hex": "",
}


def component(message: str) -> str:
    """Who writes a message, where it begins with that.

    >>> component("orders: request 7712 is done"), component("request 7712 is done")
    ('orders', '')
    """
    found = _WRITER.match(message)
    return found[1] if found is not None else ""


def deed(message: str) -> str:
    """What a message says is done, and with what, in its own words; "" where it does not say.

    >>> deed("sshd[7]: Accepted password for ann from 10.0.0.9"), deed("ready 7")
    ('Accepted password', '')
    """
    writer = _WRITER.match(message)
    done = _DONE.search(message, writer.end() if writer is not None else 0)
    if done is None:
        return ""
    more = _OBJECT.match(message, done.end())
    assert more is not None
    return message[done.start() : more.end()].strip()


def things(message: str) -> list[str]:
    """What a message names, with the word before it or, where that says nothing, its kind.

    >>> things("request 7712 from 10.0.0.9 took 31 ms")
    ['request 7712', 'address 10.0.0.9']
    """
    found: list[str] = []
    for part in varying(message):
        value = message[part.begin : part.end]
        word = _NAMED.search(message, max(0, part.outer - _BESIDE), part.outer)
        named = word is not None and _NO_NAME.match(word[1]) is None and not _DONE.match(word[1])
        if word is not None and named:
            found.append(f"{word[1]} {message[part.outer : part.outer_end] or value}")
        elif part.kind in _NOUN:
            noun = _NOUN[part.kind]
            found.append(f"{noun} {value}" if noun else message[part.outer : part.outer_end])
    return list(dict.fromkeys(found))[:_MOST_THINGS]
