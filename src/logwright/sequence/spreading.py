"""Spreading: keep to what the history's make-ups permit, and else be as undecided as can be.

Cross-entropy alone makes a model sure of the few orders in which it saw events: a new order of the
same events, harmless, then scores above a missing event. Here the network is a policy that earns
nothing for an act that is permitted (`makeups`) and loses `BLAME` for one that is not, plus `CALM`
times the entropy of its choice, plus the log-likelihood of what really came (maximum-entropy
reinforcement learning with a cross-entropy term). As every act at a place can be judged, the
expected reward is computed over all acts instead of drawing one: the same gradient without noise.
So that it holds in orders that were never seen too, half of the places are those of sessions that
are `reordered`; of these only the reward and the entropy count, not what came.

At the optimum an act that was never seen but is permitted has about 1 / CALM nats, and one that is
not permitted BLAME / CALM nats more: both constants are read as scores.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from logwright.sequence.course import BACKWARD, FORWARD, Course
from logwright.sequence.makeups import Makeups, reordered
from logwright.sequence.packing import Batch

__all__ = ["BLAME", "CALM", "RATE", "cross_entropy", "spread"]

CALM = 0.1
BLAME = 3.0
RATE = 0.1
"""The learning rate, as a share of the preset's."""


def cross_entropy(course: Course) -> None:
    """Go on as in pretraining, until the computing is spent: the control of every other way."""
    _tune(course, None, reorder=False)


def spread(course: Course, reorder: bool) -> None:
    """Tune a course's network until its computing is spent, with reordered sessions or without.
    Where the make-ups of the history do not last, there is nothing to be told, and it is plain
    cross-entropy."""
    makeups = Makeups.learn(course.history, course.check, course.network.learned)
    _tune(course, makeups, reorder and makeups is not None)


def _tune(course: Course, makeups: Makeups | None, reorder: bool) -> None:
    course.learn_with(course.preset.rate * RATE)
    course.network.train()  # own parts are left out at random, as in pretraining
    while course.going:
        parts = course.draw(0.5 if reorder else 1.0)
        events = sum(batch.events for batch in parts)
        total, earned = torch.zeros(()), 0.0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(course.rng.integers(2**62)))
            for batch in parts:
                loss, reward = _loss(course, batch, makeups, reorder)
                total = total + loss / events
                earned += reward / events
        course.descend(total, earned)


def _loss(
    course: Course, batch: Batch, makeups: Makeups | None, reorder: bool
) -> tuple[Tensor, float]:
    """Summed over the places that count: minus what is earned, and the reward of real sessions."""
    codes, gaps, targets, counted = batch.to("cpu")
    logged = _logged(course, batch, codes, gaps)
    came = logged.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    loss = -(came * counted).sum()
    if makeups is None:
        return loss, 0.0
    reward, entropy = _earned(logged, makeups, batch.codes)
    loss = loss - ((reward + CALM * entropy) * counted).sum()
    told = float((reward * counted).sum().detach())
    if reorder:
        other = reordered(batch.codes, batch.counted.sum(1).astype(np.int64) - 1, course.rng)
        logged = _logged(course, batch, torch.from_numpy(other), gaps)
        reward, entropy = _earned(logged, makeups, other)
        loss = loss - ((reward + CALM * entropy) * counted).sum()
    return loss, told


def _logged(course: Course, batch: Batch, codes: Tensor, gaps: Tensor | None) -> Tensor:
    """Log-probabilities [B, T, V] of the codes learned."""
    course.spend(batch.events, FORWARD + BACKWARD)
    ratings: Tensor = course.network(codes, gaps)[..., : course.network.learned]
    return ratings.log_softmax(-1)


def _earned(
    logged: Tensor, makeups: Makeups, codes: np.ndarray[tuple[int, int], np.dtype[np.int64]]
) -> tuple[Tensor, Tensor]:
    """The expected reward and the entropy [B, T] of what may come after each of the codes."""
    chances = logged.exp()
    refused = torch.from_numpy(~makeups.permitted(codes)).float()
    return -BLAME * (chances * refused).sum(-1), -(chances * logged).sum(-1)
