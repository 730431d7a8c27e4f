"""Tuning by name: every way to go on from a pretrained network, each with the same computing.

`STAGES` are the rows of the experiment in the order in which LogNEO's parts come together; each
adds one thing to the one before, up to `ppo + cross-entropy`, which is LogNEO as we read it.
"""

from __future__ import annotations

from collections.abc import Callable

from logwright.errors import SettingsError
from logwright.sequence.course import Course, Progress, Tuned
from logwright.sequence.decisions import decide
from logwright.sequence.ppo import Design, ppo
from logwright.sequence.pretraining import Trained
from logwright.sequence.reinforce import reinforce
from logwright.sequence.sequences import Sequences
from logwright.sequence.spreading import cross_entropy, spread
from logwright.sequence.verdicts import Verdicts

__all__ = ["STAGES", "Tuned", "tune"]

STAGES = (
    "more cross-entropy",
    "loggpt-reinforce",
    "ppo +-1",
    "ppo + position",
    "ppo + partial credit",
    "ppo + cross-entropy",
    "ppo + free rollouts",
    "calibrated",
    "verdicts-10",
    "verdicts-50",
    "verdicts-200",
    "make-ups",
    "make-ups, reordered",
)


def tune(
    name: str,
    trained: Trained,
    train: Sequences,
    check: Sequences,
    seed: int,
    steps: int,
    verdicts: Verdicts | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Tuned:
    """Tune a copy of a pretrained network in the way of one of `STAGES`; the original stays.

    `train` are normal sessions, `check` later normal ones, by which rewards are measured. `steps`
    steps of cross-entropy is the computing that each way may spend. Stages `verdicts-N` use the
    first N of `verdicts`. Same seed, same weights.
    """
    if name not in STAGES:
        raise SettingsError(f"there is no way of tuning {name!r}: it is one of {', '.join(STAGES)}")
    course = Course(trained, train, check, seed, steps, progress)
    if name == "more cross-entropy":
        cross_entropy(course)
    elif name == "loggpt-reinforce":
        reinforce(course)
    elif name == "ppo +-1":
        ppo(course, Design("binary"))
    elif name == "ppo + position":
        ppo(course, Design("positional"))
    elif name == "ppo + partial credit":
        ppo(course, Design("graded"))
    elif name == "ppo + cross-entropy":
        ppo(course, Design("graded", cross_entropy=1.0))
    elif name == "ppo + free rollouts":
        ppo(course, Design("graded", cross_entropy=1.0, free=True))
    elif name == "calibrated":
        decide(course)
    elif name == "make-ups":
        spread(course, reorder=False)
    elif name == "make-ups, reordered":
        spread(course, reorder=True)
    else:
        if verdicts is None or not len(verdicts):
            raise SettingsError(f"{name} needs verdicts on sessions, and there are none")
        decide(course, verdicts.first(int(name.removeprefix("verdicts-"))))
    return course.result(name)
