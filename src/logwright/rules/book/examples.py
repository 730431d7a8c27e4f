"""Examples: the least of a window that shows what a rule says of it, for a rule's file.

What a rule raises is shown by the fewest lines that do it; what it lets pass by a few lines that
are not alike. A rule is asked in its compiled form, or in the sandbox where it has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from logwright.rules.engine.engine import Engine
from logwright.rules.engine.table import Table
from logwright.rules.language.plain import Window
from logwright.rules.language.tree import Function
from logwright.rules.sandbox.sandbox import Sandbox
from logwright.rules.synthesis.tryout import said

__all__ = ["Asked", "examples", "few", "least"]

Texts = Sequence[str]
Holds = Callable[[Texts], bool]

_EXAMPLES = 2
_LONG = 12
"""Lines of an example beside which a second one would not fit on a screen."""

_DISTINCT = 5
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]+")


class Asked:
    """A rule that is asked about bare messages: True, False, or None where it failed; `sandbox`
    gives the sandbox for rules that are not compiled.

    >>> from logwright.rules.language.gate import parse
    >>> rule = parse("def rule(w):\\n    return any('full' in x.text for x in w.lines)\\n")
    >>> asked = Asked(rule, Sandbox)
    >>> asked(["disk full"]), asked(["disk"])
    (True, False)
    """

    def __init__(self, function: Function, sandbox: Callable[[], Sandbox]) -> None:
        self._function, self._sandbox = function, sandbox
        self._engine = Engine({"rule": function})

    def __call__(self, texts: Texts) -> bool | None:
        """What the rule says of a window of these messages."""
        window = Window.of_texts(texts)
        if not self._engine.plain:
            return bool(self._engine.of_table(Table.of_windows([window]))[0, 0])
        answers = said(self._sandbox(), self._function, [window])
        return answers[0] if isinstance(answers, list) else None


def least(texts: Texts, holds: Holds) -> list[str]:
    """Some of the lines, in order, for which it holds as for all of them, and of which none can be
    left out; one line remains.

    >>> least(["a", "b", "a", "c", "b"], lambda lines: "b" in lines and "c" in lines)
    ['c', 'b']
    """
    kept, step = list(texts), max(len(texts) // 2, 1)
    while True:
        at, smaller = 0, False
        while at < len(kept) and len(kept) > 1:
            rest = kept[:at] + kept[at + step :]
            if rest and holds(rest):
                kept, smaller = rest, True
            else:
                at += step
        if step == 1 and not smaller:
            return kept
        step = max(step // 2, 1)


def few(texts: Texts, holds: Holds, most: int = _DISTINCT) -> list[str]:
    """The first lines that differ in more than numbers, if it holds for these; else the least.

    >>> few(["job 1 done", "job 2 done", "job 3 lost"], lambda lines: True)
    ['job 1 done', 'job 3 lost']
    """
    forms: dict[str, str] = {}
    for text in texts:
        forms.setdefault(_NUMBER.sub("0", text), text)
    shown = list(forms.values())[:most]
    return shown if holds(shown) else least(texts, holds)


def examples(
    asked: Asked, windows: Iterable[Texts], wanted: bool, *, raised: bool
) -> list[list[str]]:
    """Up to two examples of windows of which the rule says what is `wanted`; `raised` says whether
    that is a finding. Windows of which it says something else, as they are here, are passed over.
    """

    def holds(texts: Texts) -> bool:
        return asked(texts) is wanted

    found: list[list[str]] = []
    for texts in windows:
        if not texts or not holds(texts):
            continue
        shown = least(texts, holds) if raised else few(texts, holds)
        if shown not in found:
            found.append(shown)
        if len(found) == _EXAMPLES or len(shown) > _LONG:
            break
    return found
