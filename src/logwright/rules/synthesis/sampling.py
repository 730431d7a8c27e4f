"""Sampling: what a model is shown of a cluster, so that it sees what tells it from all others.

Anchor-grounded and contrastive, as in CodeAD (arXiv 2510.22986), whose choices of numbers are not
known: these are ours. The anchor is a cluster's medoid. Beside it stand the windows of the other
side that are nearest to it (what differs from them is what matters) and further windows of its own
cluster, spread from near to far, of distinct forms. Before the windows stands the contrast: which
templates are in how many of the cluster's windows and of the other side's, over all of train.

Neighbouring lines of one template are shown as the first of them with their number, and where
windows are too long, the lines that tell most stay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int64s
from logwright.rules.language.plain import Line, Window
from logwright.rules.synthesis.clustering import Clusters, Space
from logwright.windows.window import Windows

__all__ = ["Anchored", "Contrast", "anchored", "contrast", "shown", "tokens_of"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

OPPOSITES, FELLOWS = 4, 4
"""Windows of the other side and of the own cluster beside the anchor."""

_TOLD = 12
"""Templates told of in each direction of the contrast."""

_BYTES_PER_TOKEN = 3
"""Of log text with its many digits; English prose has four."""

_LINE = 400
"""Characters of a line that are shown."""

_LEVELS = ("", "trace", "debug", "info", "notice", "warning", "error", "critical")


@dataclass(frozen=True)
class Contrast:
    """How often templates stand on each side: shares of the cluster's windows and of the other
    side's that hold a template at least once, by template index."""

    own: Floats
    other: Floats

    @property
    def gaps(self) -> Floats:
        """How much more of the own windows hold each template: from -1 to 1."""
        return self.own - self.other

    def strongest(self) -> list[int]:
        """The templates that tell most: those of the own side, then those that it lacks.

        >>> Contrast(np.array([1.0, 0.2, 0.0]), np.array([0.0, 0.2, 0.9])).strongest()
        [0, 2]
        """
        order = np.argsort(-np.abs(self.gaps), kind="stable")
        more = [int(t) for t in order if self.gaps[t] > 0][:_TOLD]
        return more + [int(t) for t in order if self.gaps[t] < 0][:_TOLD]


@dataclass(frozen=True)
class Anchored:
    """Windows by number: `fellows` and `opposites` from near to far. `members` are the windows of
    train that the cluster has."""

    cluster: int
    anchor: int
    fellows: tuple[int, ...]
    opposites: tuple[int, ...]
    members: Int64s
    contrast: Contrast

    @property
    def own(self) -> tuple[int, ...]:
        """The anchor and its fellows."""
        return (self.anchor, *self.fellows)


def anchored(
    windows: Windows, held: Space, found: Clusters, cluster: int, other: Bools, templates: int
) -> Anchored:
    """What to show of a cluster; `other` are the windows of the other side, `templates` how many
    templates there are.

    >>> from logwright.rules.synthesis.clustering import clusters, space
    >>> windows = Windows.of_sequences([[0, 1], [0], [0, 0, 1]])
    >>> held, other = space(windows, ["all is well", "disk failed"]), np.array([0, 1, 0], bool)
    >>> one = anchored(windows, held, clusters(held, ~other), 0, other, 2)
    >>> one.anchor, one.fellows, one.opposites, one.contrast.strongest()
    (0, (2,), (1,), [1])
    """
    anchor, members = int(found.medoids[cluster]), found.members(cluster)
    near = _near(held, anchor, np.flatnonzero(other), windows, OPPOSITES, spread=False)
    own = _near(held, anchor, members[members != anchor], windows, FELLOWS, spread=True)
    mine = np.zeros(len(windows), bool)
    mine[members] = True
    shares = Contrast(_shares(windows, mine, templates), _shares(windows, other, templates))
    return Anchored(cluster, anchor, own, near, members, shares)


def contrast(
    shares: Contrast, texts: Sequence[str], names: tuple[str, str] = ("own", "other")
) -> list[str]:
    """The contrast as lines to be read, the own share first.

    >>> contrast(Contrast(np.array([1.0]), np.array([0.01])), ["disk <*> failed"])
    ['own 100%, other 1%: disk <*> failed']
    """
    return [
        f"{names[0]} {_percent(shares.own[t])}, {names[1]} {_percent(shares.other[t])}: "
        f"{texts[t][:_LINE]}"
        for t in shares.strongest()
    ]


def shown(window: Window, room: int, worth: Callable[[Line], float]) -> list[str]:
    """A window as lines within `room` tokens; `worth` says which lines are to stay where not all
    can. In front stands how many neighbouring lines one stands for, its level and component.

    >>> lines = [Line("up"), Line("disk 3 failed", level=6), Line("disk 4 failed", level=6)]
    >>> for line in lines:
    ...     line.template = line.text.split()[0]
    >>> shown(Window(lines), 100, lambda line: 0.0)
    ['[1 line] up', '[2 lines, error] disk 3 failed']
    """
    runs = _runs(window)
    told = [_told(line, n) for line, n in runs]
    order = sorted(range(len(runs)), key=lambda i: (-worth(runs[i][0]), i))
    turns = _turns([runs[i][0].template for i in order])
    kept: set[int] = set()
    # A template's first lines tell more than its hundredth one.
    for _, at in sorted(zip(turns, order, strict=True), key=lambda pair: pair[0]):
        cost = tokens_of(told[at])
        if cost <= room:
            kept.add(at)
            room -= cost
    lines: list[str] = []
    left = 0
    for at, (_, n) in enumerate(runs):
        if at in kept:
            lines += [_left(left)] * (left > 0) + [told[at]]
            left = 0
        else:
            left += n
    return lines + [_left(left)] * (left > 0)


def tokens_of(text: str) -> int:
    """About how many tokens a text has; a line end is one."""
    return len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN + 1


def _near(
    held: Space, anchor: int, among: Int64s, windows: Windows, most: int, spread: bool
) -> tuple[int, ...]:
    """Windows of distinct forms by their distance from the anchor, the earliest of each form: the
    nearest ones, or ones from all distances."""
    rows, first = np.unique(held.of[among], return_index=True)
    if not len(rows):
        return ()
    far = held.distances(held.of[[anchor]], rows)[0]
    sizes = np.abs(windows.sizes[among[first]] - windows.sizes[anchor])
    order = np.lexsort((first, sizes, far))
    if spread and len(order) > most:
        order = order[np.linspace(0, len(order) - 1, most).astype(np.int64)]
    chosen = [int(w) for w in among[first[order[:most]]]]
    if len(chosen) < most:  # fewer forms than places: more windows of them, evenly over time
        rest = np.setdiff1d(among, chosen)
        more = rest[np.linspace(0, len(rest) - 1, min(most - len(chosen), len(rest))).astype(int)]
        chosen += [int(w) for w in dict.fromkeys(more.tolist())] if len(rest) else []
    return tuple(chosen)


def _shares(windows: Windows, which: Bools, templates: int) -> Floats:
    owner, template, _ = windows.counts()
    held = np.bincount(template[which[owner]], minlength=templates)
    return held / max(int(which.sum()), 1)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%" if share >= 0.01 or share == 0 else "below 1%"


def _runs(window: Window) -> list[tuple[Line, int]]:
    """The first of each run of lines of one template, and how many they are."""
    runs: list[tuple[Line, int]] = []
    for line in window.lines:
        if runs and line.template and runs[-1][0].template == line.template:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((line, 1))
    return runs


def _told(line: Line, n: int) -> str:
    facts = [f"{n} line{'s' * (n > 1)}", _LEVELS[line.level], line.component]
    text = line.text if len(line.text) <= _LINE else line.text[:_LINE] + " [cut]"
    return f"[{', '.join(fact for fact in facts if fact)}] {text}"


def _turns(templates: Sequence[str]) -> list[int]:
    """How often each template was met before, in doubling steps; lines without one are all new."""
    seen: dict[str, int] = {}
    turns = []
    for template in templates:
        seen[template] = seen.get(template, 0) + bool(template)
        turns.append(seen[template].bit_length())
    return turns


def _left(n: int) -> str:
    return f"[{n} line{'s' * (n > 1)} left out]"
