"""Differences: what two rulebooks do not share, rule by rule."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from logwright.rules.book.rulebook import Rulebook
from logwright.rules.book.shelved import Shelved
from logwright.rules.language.emit import emit

__all__ = ["Difference", "differences", "summary"]


@dataclass(frozen=True, slots=True)
class Difference:
    """How a rule of B differs from that of A: by what, and in words; `code` is the code's
    difference as a unified diff, where names are alike and the code is not."""

    name: str
    kind: Literal["added", "removed", "renamed", "code", "standing"]
    told: str
    code: tuple[str, ...] = ()


def differences(a: Rulebook, b: Rulebook) -> list[Difference]:
    """What is different in B, in order of names. A rule that has another name in B, and the same
    code, is renamed; docstrings do not count."""
    found: dict[str, Difference] = {}
    gone = {n: r for n, r in a.rules.items() if n not in b.rules}
    by_code = {rule.hash: name for name, rule in gone.items() if rule.hash}
    for name, rule in b.rules.items():
        old = a.rules.get(name)
        if old is not None:
            if (difference := _between(old, rule)) is not None:
                found[name] = difference
        elif rule.hash in by_code and by_code[rule.hash] in gone:
            before = by_code[rule.hash]
            del gone[before]
            found[name] = Difference(name, "renamed", f"was {before}")
        else:
            found[name] = Difference(name, "added", f"{rule.state}: {summary(rule)}")
    for name, rule in gone.items():
        found[name] = Difference(name, "removed", f"was {rule.state}: {summary(rule)}")
    return [found[name] for name in sorted(found)]


def _between(old: Shelved, new: Shelved) -> Difference | None:
    told = []
    if old.state != new.state:
        told.append(f"{old.state} -> {new.state}")
    if old.standing.muted != new.standing.muted:
        told.append("muted" if new.standing.muted else "no longer muted")
    before = {(e.where, e.text) for e in old.standing.exceptions}
    after = {(e.where, e.text) for e in new.standing.exceptions}
    told += [f"without the exception {w} {t}" for w, t in sorted(before - after)]
    told += [f"with the exception {w} {t}" for w, t in sorted(after - before)]
    if old.hash != new.hash:
        lines = difflib.unified_diff(_code(old), _code(new), "A", "B", lineterm="", n=2)
        return Difference(old.name, "code", "; ".join(["other code", *told]), tuple(lines))
    return Difference(old.name, "standing", "; ".join(told)) if told else None


def _code(rule: Shelved) -> list[str]:
    return [] if rule.file is None else emit(rule.file.function).splitlines()


def summary(rule: Shelved) -> str:
    """What a rule says of itself: the first paragraph of its docstring, or why it has none."""
    if rule.file is None:
        return rule.problem
    paragraph = rule.file.function.doc.strip().split("\n\n")[0]
    return " ".join(paragraph.split()) or "without a docstring"
