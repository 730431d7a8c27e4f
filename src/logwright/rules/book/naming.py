"""Naming: names of rules from what they look at, such as ``abnormal_data_tlb_error``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from logwright.rules.book.rulefile import Meta

__all__ = ["MOST_NAME", "name_of"]

MOST_NAME = 40
"""Characters of a name that is made here."""

_WORD = re.compile(r"[a-z0-9]+")
_TEMPLATE = re.compile(r"template (\S+)")
_SAID = re.compile(r"^(abnormal|normal|healthy)[^:]*:\s*", re.I)
_HAVING = re.compile(r"\b(?:a line|lines?) (?:has|have)\b")
_NEEDLESS = frozenset(("a", "an", "the", "is", "are", "of", "one", "where", "window"))


def name_of(meta: Meta, told: str, texts: Mapping[str, str] | None = None) -> str:
    """A rule's name: its kind, its class of anomaly if it has one, and the words of its main
    condition, given in words. `texts` are the templates' texts by id, which say more than the id.

    >>> meta = Meta(kind="abnormal", provenance="data")
    >>> name_of(meta, "a line has 'data TLB error interrupt'")
    'abnormal_data_tlb_error_interrupt'
    >>> name_of(meta, "no line has template t-07", {"t-07": "read <*> of <*>"})
    'abnormal_no_read_of'
    """
    kind = "invariant" if meta.must_hold else meta.kind
    told = _SAID.sub("", told)
    told = _TEMPLATE.sub(lambda m: f"'{_of_template(m[1], texts or {})}'", told)
    # Words of the log itself stand in quotes: all of them count.
    parts = told.lower().split("'")
    words = [
        word
        for at, part in enumerate(parts)
        for word in _WORD.findall(part if at % 2 else _HAVING.sub("", part))
        if at % 2 or word not in _NEEDLESS
    ]
    name = "_".join([kind, *_WORD.findall(meta.target.lower())])[:MOST_NAME].strip("_")
    for word in words:
        if len(name) + 1 + len(word) > MOST_NAME:
            break
        name = f"{name}_{word}"
    return name


def _of_template(id: str, texts: Mapping[str, str]) -> str:
    """A template's text without quotes, or its id where there are no words in it."""
    text = texts.get(id, "").replace("'", " ")
    return text if _WORD.search(text.lower()) else id
