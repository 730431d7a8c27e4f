"""Whole runs of Hadoop applications: failed ones as incidents, and healthy ones, on which an engine
should be silent. What finds a cause in every failed run says little if it finds one in healthy
runs as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from logwright.bench.reasoning_asked import Asked
from logwright.bench.reasoning_sets import Item, part_of_run
from logwright.reasoning.task import Task

__all__ = ["alarmed", "healthy_runs", "judged_runs"]


def healthy_runs(incidents: Sequence[Item], task: Task) -> list[Item]:
    """Each healthy run that stands beside an incident, once, with the other ones beside it."""
    found: dict[str, Item] = {}
    for item in incidents:
        runs = item.options.healthy
        for at, run in enumerate(runs):
            rest = replace(item.options, healthy=(*runs[:at], *runs[at + 1 :]))
            part = part_of_run(run)
            one = replace(item, task=task, part=part, material=run, truth="normal", options=rest)
            found.setdefault(run.where(1), one)
    return list(found.values())


def judged_runs(incidents: Sequence[Item]) -> list[Item]:
    """All runs of these incidents as something to find abnormal or normal."""
    failed = [replace(item, task=Task.ANOMALY, truth="abnormal") for item in incidents]
    return [*failed, *healthy_runs(incidents, Task.ANOMALY)]


def alarmed(asked: Sequence[Asked]) -> float:
    """The share of runs for which a cause is named or a failure is told."""
    loud = [one.said not in ("", "no failure") for one in asked]
    return round(sum(loud) / len(loud), 4)
