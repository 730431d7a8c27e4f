"""Traces: chains of exceptions, and the one at their root.

In Java the root stands last ("Caused by:"), in Python first ("During handling of the above
exception" leads away from it) or, with `raise ... from`, above "The above exception was the direct
cause"; Go and Node write it first. So: the last `Caused by` of a chain, else the first exception.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from logwright.reasoning.evidence.columns import Columns
from logwright.reasoning.evidence.phrases import Phrases

__all__ = ["MOST", "Chain", "chains"]

MOST = 200
"""Chains that are told of, the first ones."""

_REACH = 400
"""Lines from the head of a trace to its end at most."""

_HEADS = Phrases(
    [
        ("trace", phrase)
        for phrase in ("caused by:", "traceback (most recent", "goroutine", "panic:")
    ]
)
_THROWN = re.compile(
    r"(?:^|[\s:(\[])((?:[A-Za-z_][\w$]*\.)*[A-Z]\w*(?:Exception|Error|Fault|Failure|Timeout))(?::\s*(.{0,300}))?"
)
_FRAME = re.compile(
    r"\s+(?:at |\.\.\. \d+|File \")|\s{4,}|\s*$|During handling|The above exception|Traceback"
)


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain of exceptions: the lines that name them, from outside to the root, and the kind and
    message of the root."""

    lines: tuple[int, ...]
    kind: str
    message: str

    @property
    def root(self) -> int:
        """The line that names the root."""
        return self.lines[-1]


def chains(columns: Columns) -> list[Chain]:
    """The chains in a material, in order.

    >>> from logwright.reasoning.material import Material
    >>> trace = ["ERROR job failed: a.JobError: no data", "\\tat a.Job.run(Job.java:7)",
    ...     "Caused by: java.io.IOException: disk gone", "\\t... 3 more", "INFO next"]
    >>> chains(Columns.of(Material.of_lines(trace)))
    [Chain(lines=(0, 2), kind='java.io.IOException', message='disk gone')]
    """
    found: list[Chain] = []
    lines = columns.material.lines
    done = -1
    for head in sorted(_HEADS.find(columns).get("trace", ())):
        if head <= done:
            continue
        if len(found) == MOST:
            break
        begin = _outermost(lines, head)
        chain, done = _chain(lines, begin, head)
        if chain is not None:
            found.append(chain)
    return found


def _outermost(lines: tuple[str, ...], head: int) -> int:
    """The line above the frames in front of a `Caused by`."""
    if not lines[head].lstrip().startswith("Caused by"):
        return head
    at = head - 1
    while at > 0 and head - at < _REACH and _FRAME.match(lines[at]):
        at -= 1
    return max(at, 0)


def _chain(lines: tuple[str, ...], begin: int, head: int) -> tuple[Chain | None, int]:
    named: list[tuple[int, str, str]] = []
    python = "Traceback" in lines[head]
    at = begin
    while at < min(len(lines), begin + _REACH):
        line = lines[at]
        if at > head and not _FRAME.match(line) and not line.startswith("Caused by"):
            thrown = _THROWN.match(line) if python else None
            if thrown is None:
                break
            named.append((at, thrown[1], (thrown[2] or "").strip()))
        elif at in (begin, head) or line.lstrip().startswith("Caused by"):
            thrown = _THROWN.search(line[:2000])
            if thrown is not None:
                named.append((at, thrown[1], (thrown[2] or "").strip()))
        at += 1
    if python:
        named.reverse()  # the first one raised is the root
    if not named:
        return None, at
    return Chain(tuple(line for line, _, _ in named), named[-1][1], named[-1][2]), at - 1
