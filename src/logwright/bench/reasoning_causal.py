"""Truly causal lines: which lines of a failed Hadoop application are the injected fault's own.

A line is causal where the part that was hit by the fault, or the first that met it, tells of it in
its own words. Three rules, all by phrase, none by application, host or time:

* A full disk is told by whoever wrote to it.
* A machine that is down, and one that is cut off, are told alike: by the manager that takes the
  node for lost, and by those whose connections to it break, are not answered or find no route.
* What every run writes is not causal, healthy ones included: containers that are killed because a
  faster copy of their task ended ("killed by the ApplicationMaster", exit code 143), the connection
  that such a container leaves behind ("forcibly closed by the remote host"), files that are deleted
  twice ("Could not delete"). Nor is what follows: a task that moves, a map that is fetched again.

Some applications hold no causal line: the fault did not touch them. They are misses of any reasoner
where a class has to be named, and are left out where lines are scored.

The public labels allow one more trap: all PageRank applications here are healthy or of one class
(machine down), so that a macro recall over them alone is the recall of that class. `DEVELOPED` are
the applications that the evidence reasoner was developed on; all others are held out, and have all
classes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["CAUSAL", "DEVELOPED", "causal_lines"]

_CONTACT = (
    "on a *lost* node",
    "unusable node",
    "Retrying connect to server",
    "No Route to Host",
    "NoRouteToHostException",
    "Connection timed out",
    "ConnectTimeoutException",
    "Failed to connect to",
    "Slow ReadProcessor",
    "Bad response ERROR for block",
    "firstBadLink",
    "ResponseProcessor exception",
    "Excluding datanode",
    "Timed out after",
)

CAUSAL: dict[str, tuple[str, ...]] = {
    "disk full": ("not enough space on the disk", "No space left on device"),
    "machine down": _CONTACT,
    "network disconnection": (*_CONTACT, "Network is unreachable"),
}
"""Phrases of causal lines, by class in small letters."""

DEVELOPED = frozenset(
    f"application_{start}_{number:04d}"
    for start, numbers in {
        1445087491445: (1, 3, 5, 7, 9),
        1445094324383: (1, 3, 5),
        1445175094696: (1, 3, 5),
        1445182159119: (1, 3, 5),
    }.items()
    for number in numbers
)
"""WordCount applications with an odd number. Their labels and lines were looked at."""

_FOUND = {
    name: re.compile("|".join(map(re.escape, phrases)), re.IGNORECASE)
    for name, phrases in CAUSAL.items()
}


def causal_lines(fault: str, lines: Sequence[str]) -> list[int]:
    """The numbers of the causal lines for a class, from 1 on; none for a class without phrases.

    >>> causal_lines("disk full", ["ok", "FSError: There is not enough space on the disk"])
    [2]
    >>> causal_lines("machine down", ["Container killed by the ApplicationMaster."])
    []
    """
    found = _FOUND.get(fault.lower())
    return [n for n, line in enumerate(lines, 1) if found.search(line)] if found else []
