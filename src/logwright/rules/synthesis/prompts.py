"""Prompts: what a model is told so that it writes, repairs and refines a rule.

Our own words are instructions; every word from a log stands in a `LogText`, which is hidden and
fenced on its way out. A conversation never grows: each further question holds the opening, the last
answer and what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from logwright.llm.request import LogText, Message, assistant, system, user

__all__ = ["SYSTEM", "Kind", "Shown", "opening", "refine", "repair"]

Kind = Literal["abnormal", "normal"]
Shown = Sequence[str]
"""A window as `sampling.shown` tells it."""

SYSTEM = '''\
You write detection rules for logs. A rule is one Python function that looks at a window of log \
lines and says True or False:

def rule(w: Window) -> bool:
    """What it catches, and why this is abnormal (or normal)."""
    errors = sum(phrase(line.text, "parity error") for line in w.lines)
    return errors >= 3 and not any("recovered" in line.text for line in w.lines)

The function is parsed, never run as Python: only the following exists.
- w.lines (in order; slices too) and w.key. A line has .text (the message), .ts (seconds, nan if \
absent), .level (0 unknown, 1 trace, 2 debug, 3 info, 4 notice, 5 warning, 6 error, 7 critical), \
.component and .host (texts).
- any, all, sum, len, min, max, abs, enumerate, range with constants.
- search(pattern, text): whether a regular expression matches (as in RE2: no back-references, no \
look-around). number(pattern, text): the number in group 1, nan if none. phrase(text, "data TLB \
error"): whether the words stand there as whole tokens. like(text, "read * of *"): the whole text, \
* being anything.
- first(...), last(...): position of the first or last True, -1 if none. followed(a, b, events=n): \
whether each True of a has a True of b at one of the next n places; followed_in(w, a, b, \
seconds=t). longest_gap(w): seconds. distinct(texts): how many different ones.
- in, not in, startswith, endswith, lower, count; and, or, not; comparisons; + - * / // %.
- name = value, += and -=; for over w.lines, slices, enumerate or range; if, elif, else; return, \
break, continue. Loops and generators nest at most twice.
No imports, no other functions, attributes or methods, no lists or dictionaries, no try.

A good rule
- tests what the lines mean, by the words that matter, so that it also catches cases not shown;
- is short, and names no timestamp, host, node, job, file or block, address or other id: such \
values differ next time;
- has a docstring of one or two sentences for the engineer who is woken by it.

Answer with the function alone, in one ```python fence.'''

_SIDES = {"abnormal": ("abnormal", "normal"), "normal": ("normal", "abnormal")}
_TASK = {
    "abnormal": (
        "Write a rule that is True for abnormal windows of this kind and False for all others. A "
        "false alarm costs more than a miss: other rules catch other kinds."
    ),
    "normal": (
        "Write a rule that is True for healthy windows of this kind and never for an abnormal one: "
        "say what makes them surely healthy, such as what is complete and what is absent."
    ),
}


def opening(
    kind: Kind,
    contrast: Sequence[str],
    own: Sequence[Shown],
    other: Sequence[Shown],
    target: str = "",
) -> list[Message]:
    """The first question: the contrast and the windows of both sides. `target` is the class of
    anomaly where labels name several.

    >>> first = opening("abnormal", ["own 100%, other 0%: down"], [["[1 line] down"]], [])
    >>> [message.role for message in first]
    ['system', 'user']
    """
    mine, theirs = _SIDES[kind]
    parts: list[str | LogText] = [_TASK[kind]]
    if target:
        parts += [f"The {mine} windows are of this class:", LogText((target,))]
        theirs = "other"
    parts.append(
        f"Share of windows in history that hold a line of each template, where it differs most "
        f"between {mine} windows of this kind (own) and {theirs} ones (other); <*> is a parameter:"
    )
    parts.append(LogText(tuple(contrast)))
    parts.append(
        "Below are windows. What stands in square brackets in front of a line is no part of it: "
        "how many neighbouring lines like it there are, their level and component."
    )
    for at, window in enumerate(own, 1):
        typical = ", the most typical" if at == 1 else ""
        parts += [f"{mine.capitalize()} window {at}{typical}:", LogText(tuple(window))]
    for at, window in enumerate(other, 1):
        near = ", the most similar" if at == 1 else ""
        parts += [f"{theirs.capitalize()} window {at}{near}:", LogText(tuple(window))]
    return [system(SYSTEM), user(*parts)]


def repair(first: Sequence[Message], answer: str, problem: str) -> list[Message]:
    """The question after an answer that is no rule; `problem` names line and column."""
    return [
        *first,
        assistant(answer or "(no answer)"),
        user(f"This is not accepted: {problem}\nAnswer with the whole corrected function alone."),
    ]


def refine(
    first: Sequence[Message],
    answer: str,
    kind: Kind,
    told: Sequence[str],
    wrong: Sequence[Shown],
    missed: Sequence[Shown],
) -> list[Message]:
    """The question after a rule that is not good enough: `told` says why, sentence by sentence;
    `wrong` are windows for which it was True and should not be, `missed` the reverse."""
    mine, _ = _SIDES[kind]
    parts: list[str | LogText] = ["The function was tested on history.", *told]
    for window in wrong:
        parts += [f"It was True for this window, which is not {mine} of this kind:"]
        parts.append(LogText(tuple(window)))
    for window in missed:
        parts += [f"It was False for this {mine} window:", LogText(tuple(window))]
    parts.append("Answer with the whole better function alone.")
    return [*first, assistant(answer), user(*parts)]
