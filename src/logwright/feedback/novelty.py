"""Novelty: how a new template stops being news while nobody answers.

The declared policy, for one that no verdict reaches:

* One whose text names no trouble (`templates.wording`, below a symptom) is raised once, at its
  third sight. Before, and after, it is counted and shown, but is no alarm.
* One that names trouble is raised at every sight, until there is evidence of health: it came in two
  separate stretches or more without any other trouble that is new near it, and these are at least
  half of all its stretches. A failure has company, a habit comes alone. On a host where it was not
  seen before it is raised all the same.
* One that is grave is raised at every sight (who judges says which: `feedback.judge`).

A sight is a window that holds it. Where it stands in the log is counted in pieces of `RECORDS`
records. A stretch is a run of sights at most `NEAR` pieces apart, on a host of its own where hosts
are known (so that what spreads quietly over hosts decays sooner); near is within `NEAR` pieces
before it. What this is worth is measured in docs/feedback.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from logwright.snapshot import State

__all__ = ["NEAR", "RECORDS", "SIGHTS", "Novelty"]

RECORDS = 20
NEAR = 5
SIGHTS = 3
_ALONE = 2
_MOST, _MOST_SAVED, _MOST_HOSTS = 100_000, 5_000, 30
_LONGEST_HOST = 100
_NEVER = -(1 << 60)

Phase = Literal["held", "raised", "decayed"]


@dataclass(slots=True)
class _Health:
    sights: int = 0
    stretches: int = 0
    alone: int = 0
    last: int = _NEVER
    hosts: list[str] = field(default_factory=list)  # in order of sight, the last one is last


class Novelty:
    """The health of each pattern.

    >>> novelty = Novelty()
    >>> [novelty.see(at, {"a": True})["a"] for at in (0, 100, 200)]
    ['raised', 'decayed', 'decayed']
    >>> [novelty.see(at, {"b": False})["b"] for at in (300, 301, 302, 303)]
    ['held', 'held', 'raised', 'decayed']
    """

    def __init__(self) -> None:
        self._health: dict[str, _Health] = {}
        self._recent: deque[tuple[int, frozenset[str]]] = deque()
        self._before: frozenset[str] = frozenset()
        self._at = 0

    def see(
        self, at: int, troubles: dict[str, bool], also: Iterable[str] = (), host: str = ""
    ) -> dict[str, Phase]:
        """The phase of each pattern of a window at piece `at` of the log, given whether its text
        names trouble; `also` are patterns in it that name trouble, but are judged already."""
        host = host[:_LONGEST_HOST]
        at = self._at = max(at, self._at)  # sessions close in another order than they begin
        while self._recent and self._recent[0][0] < at - NEAR:
            self._recent.popleft()
        mine = frozenset((*also, *(p for p, names_trouble in troubles.items() if names_trouble)))
        near = mine.union(*(patterns for _, patterns in self._recent))
        if mine:
            self._recent.append((at, mine))
        return {p: self._see(at, p, names, bool(near - {p}), host) for p, names in troubles.items()}

    def _see(self, at: int, pattern: str, names_trouble: bool, company: bool, host: str) -> Phase:
        # The one seen last is last, so that the first can be let go.
        health = self._health.pop(pattern, None) or _Health()
        self._health[pattern] = health
        if len(self._health) > _MOST:
            del self._health[next(iter(self._health))]
        known = host in health.hosts
        if at - health.last > NEAR or health.hosts[-1:] != [host]:
            health.stretches += 1
            health.alone += not company
        health.sights += 1
        health.last = at
        health.hosts = [*(h for h in health.hosts if h != host), host][-_MOST_HOSTS:]
        if names_trouble:
            healthy = health.alone >= _ALONE and 2 * health.alone >= health.stretches
            return "decayed" if healthy and known else "raised"
        if health.sights < SIGHTS:
            return "held"
        return "raised" if health.sights == SIGHTS else "decayed"

    def is_older(self, pattern: str) -> bool:
        """Whether a pattern was seen before the run that goes on from what was loaded."""
        return pattern in self._before

    def paused(self) -> State:
        """All of it, for a run that goes on with the same log."""
        health = {
            p: [h.sights, h.stretches, h.alone, h.last, h.hosts] for p, h in self._health.items()
        }
        recent = [[at, sorted(patterns)] for at, patterns in self._recent]
        before = sorted(self._before)
        return State({"health": health, "recent": recent, "before": before, "at": self._at})

    def resume(self, state: State) -> None:
        """Go on from there."""
        meta = state.meta
        self._health = {
            p: _Health(int(sights), int(stretches), int(alone), int(last), list(hosts))
            for p, (sights, stretches, alone, last, hosts) in meta["health"].items()
        }
        self._recent = deque((int(at), frozenset(patterns)) for at, patterns in meta["recent"])
        self._before, self._at = frozenset(meta["before"]), int(meta["at"])

    def save(self) -> dict[str, Any]:
        """What a store keeps, so that a run goes on where the last one ended: the patterns that
        were seen last."""
        last = list(self._health.items())[-_MOST_SAVED:]
        return {pattern: [h.sights, h.stretches, h.alone, h.hosts[-3:]] for pattern, h in last}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what was saved, with another log; `ValueError` where nothing like it was."""
        try:
            for pattern, (sights, stretches, alone, hosts) in state.items():
                health = _Health(
                    int(sights), int(stretches), int(alone), hosts=list(map(str, hosts))
                )
                self._health[pattern] = health
        except (AttributeError, TypeError) as error:
            raise ValueError(f"no state of novelty: {error}") from None
        self._before, self._at = frozenset(self._health), 0
