"""Building: labelled items in, checked worked examples out, and an account of what became of all.

Each item is explained along each strategy of its task. What fails a check is not mended but left
out and counted. Of what holds, the most diverse are kept, as many of each task where there are
enough; then they are split.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from logwright.errors import InputError
from logwright.reasoning.building.checks import faults
from logwright.reasoning.building.diversity import diverse
from logwright.reasoning.building.labelled import Labelled, whole
from logwright.reasoning.building.splits import Placed, parts_of
from logwright.reasoning.building.teaching import Job, Teacher
from logwright.reasoning.building.trajectories import Trajectory
from logwright.reasoning.strategies import for_task
from logwright.reasoning.task import Task

__all__ = ["MOST", "Built", "build", "shares"]

MOST = 4_000
"""Examples that are kept, unless more are asked for: R-Log trained on 2,632."""

_MOST_CHARACTERS = 6_000
"""Of lines and answer: more do not fit into the 2,048 tokens that reasoners train on."""


@dataclass(slots=True)
class Built:
    """What was built, and what became of what was not: by task, how many examples were asked of
    the teacher, and how many were left out for which reason."""

    kept: list[Trajectory] = field(default_factory=list)
    items: Counter[Task] = field(default_factory=Counter)
    asked: Counter[Task] = field(default_factory=Counter)
    rejected: dict[Task, Counter[str]] = field(default_factory=dict)
    unexplained: Counter[Task] = field(default_factory=Counter)
    """Items of which no example held."""


def build(
    items: Iterable[Labelled],
    teacher: Teacher,
    *,
    most: int = MOST,
    seed: int = 0,
    tell: Callable[[int], None] = lambda _: None,
) -> Built:
    """Builds; the same items, teacher and seed give the same examples. `tell` is told how many
    examples were asked for.

    Raises:
        InputError: there are no items.
    """
    built = Built()
    left: dict[Task, Counter[str]] = defaultdict(Counter)
    found: list[tuple[int, Trajectory]] = []
    jobs: list[Job] = []
    numbers: list[int] = []
    for number, given in enumerate(items):
        item = replace(given, material=whole(given.material))
        built.items[item.task] += 1
        strategies = for_task(item.task)
        if not strategies:
            left[item.task]["there is no strategy for the task"] += 1
        built.unexplained[item.task] += 1
        for strategy in strategies:
            jobs.append(Job(item, strategy, seed))
            numbers.append(number)
    if not built.items:
        raise InputError("there are no labelled items to build from")
    for begin in range(0, len(jobs), teacher.at_once):
        some = jobs[begin : begin + teacher.at_once]
        taught = teacher.teach(some)
        for job, number, one in zip(some, numbers[begin:], taught, strict=False):
            task = job.item.task
            built.asked[task] += 1
            wrong = _wrong(job, one)
            if isinstance(one, str) or wrong:
                left[task][wrong[0]] += 1
            else:
                found.append((number, one))
        tell(len(taught))
    for task in {number: one.task for number, one in found}.values():
        built.unexplained[task] -= 1
    kept = _diverse([one for _, one in found], most, left)
    parts = parts_of([Placed(one.system, one.time, "\n".join(one.lines)) for one in kept], seed)
    for one, part in zip(kept, parts, strict=True):
        if part is None:
            left[one.task]["its lines are in an earlier part, from another system"] += 1
        else:
            built.kept.append(one.model_copy(update={"part": part}))
    built.rejected = dict(left)
    return built


def _wrong(job: Job, one: Trajectory | str) -> list[str]:
    if isinstance(one, str):
        return [one]
    if sum(map(len, one.lines)) + len(one.answer) > _MOST_CHARACTERS:
        return ["the lines are too long to train on"]
    return faults(one, job.strategy, job.item.truth)


def _diverse(
    found: Sequence[Trajectory], most: int, left: dict[Task, Counter[str]]
) -> list[Trajectory]:
    """The most diverse of each task, in the order in which they were found."""
    by_task: dict[Task, list[int]] = defaultdict(list)
    for at, one in enumerate(found):
        by_task[one.task].append(at)
    rooms = shares({task: len(places) for task, places in by_task.items()}, most)
    kept: set[int] = set()
    for task, places in by_task.items():
        texts = ["\n".join((*found[at].lines, found[at].reasoning)) for at in places]
        chosen = diverse(texts, rooms[task])
        kept.update(places[at] for at in chosen)
        if len(chosen) < len(places):
            alike = len(chosen) < rooms[task]
            why = "it repeats others" if alike else "others are more diverse"
            left[task][why] += len(places) - len(chosen)
    return [one for at, one in enumerate(found) if at in kept]


def shares(sizes: dict[Task, int], most: int) -> dict[Task, int]:
    """How many of each task are kept: all of those of which there are few, as many of each other.

    >>> shares({Task.PARSE: 10, Task.ANOMALY: 500, Task.SOLUTION: 900}, 110)
    {<Task.PARSE: 'parse'>: 10, <Task.ANOMALY: 'anomaly'>: 50, <Task.SOLUTION: 'solution'>: 50}
    """
    rooms = dict.fromkeys(sizes, 0)
    room = most
    order = sorted(sizes, key=lambda task: sizes[task])
    for rank, task in enumerate(order):
        rooms[task] = min(sizes[task], room // (len(order) - rank))
        room -= rooms[task]
    return rooms
