"""Tuning on decisions: a session's score should be on the right side of the threshold.

The reward is that of a whole session (`rewards.judged`): how far its score (`scoring.combined`) is
on the right side of the threshold that normal validation sessions set. The score is moved by what
the session is short of the best reward, down for what is normal and up for what is real: most by
its least expected event, whose log-probability counts whole, and a little by every other. Other
sessions keep the network a model of normal ones by cross-entropy.

Where no verdicts are given, corrupted normal sessions (`negatives`) stand in for real ones.
"""

from __future__ import annotations

import numpy as np
import torch

from logwright.sequence.course import BACKWARD, FORWARD, Course
from logwright.sequence.makeups import Makeups
from logwright.sequence.negatives import Negatives
from logwright.sequence.network import token_nll
from logwright.sequence.packing import Batch
from logwright.sequence.rewards import judged
from logwright.sequence.scoring import MEAN_WEIGHT
from logwright.sequence.sequences import Sequences
from logwright.sequence.verdicts import Verdicts

__all__ = ["RATE", "decide"]

RATE = 0.25
"""The learning rate, as a share of the preset's."""
WEIGHT = 1.0
"""Nats of a session's score against nats of a mean event of normal sessions."""
_SHARE = 0.5  # of the places of a step, those of normal sessions


def decide(course: Course, verdicts: Verdicts | None = None) -> None:
    """Tune a course's network until its computing is spent: on verdicts, or without on negatives.

    Events that the network has not learned tell it nothing: what they score is not moved.
    """
    course.learn_with(course.preset.rate * RATE)
    course.network.train()
    negatives = None
    if verdicts is None:
        makeups = Makeups.learn(course.history, course.check, course.network.learned)
        negatives = Negatives(course.history, course.seed, makeups)
    while course.going:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(course.rng.integers(2**62)))
            parts = course.draw(_SHARE)
            events = sum(batch.events for batch in parts)
            loss = torch.stack([_normal(course, batch) for batch in parts]).sum() / events
            sessions, real = _judged_ones(course, verdicts, negatives)
            moved, reward = _decisions(course, sessions, real)
        course.descend(loss + WEIGHT * moved, reward)


def _normal(course: Course, batch: Batch) -> torch.Tensor:
    codes, gaps, targets, counted = batch.to("cpu")
    course.spend(batch.events, FORWARD + BACKWARD)
    nll = token_nll(course.network(codes, gaps), targets, course.network.learned)
    return (nll * counted).sum()


def _judged_ones(
    course: Course, verdicts: Verdicts | None, negatives: Negatives | None
) -> tuple[Sequences, np.ndarray]:
    """About half a step of sessions on which it is known what they are."""
    mean = float(np.average(course.history.lengths + 1, weights=course.history.weights))
    n = max(1, round(course.preset.batch * (1 - _SHARE) / mean))
    if verdicts is not None:
        if not len(verdicts):
            return verdicts.sequences, verdicts.real
        which = course.rng.integers(len(verdicts), size=min(n, 4 * len(verdicts)))
        return verdicts.sequences.take(which), verdicts.real[which]
    assert negatives is not None
    chances = course.history.weights / course.history.weights.sum()
    made = negatives.draw(course.rng.choice(len(course.history), size=n, p=chances))
    return made, np.ones(len(made), bool)


def _decisions(course: Course, sessions: Sequences, real: np.ndarray) -> tuple[torch.Tensor, float]:
    """The loss of judged sessions per session, and their mean reward."""
    if not len(sessions):
        return torch.zeros(()), 0.0
    total, rewards = torch.zeros(()), 0.0
    packs = course.pieces(sessions)
    order = packs.owner[np.argsort(packs.size, kind="stable")]
    at = 0
    yard = course.yardstick
    for batch in packs.all(2 * course.preset.batch):
        codes, gaps, targets, counted = batch.to("cpu")
        owners = order[at : at + len(codes)]
        at += len(codes)
        known = codes.clamp(max=course.network.learned - 1)  # see `decide`
        aims = targets.clamp(max=course.network.learned - 1)
        counted = counted * (targets < course.network.learned)
        nll = token_nll(course.network(known, gaps), aims, course.network.learned) * counted
        course.spend(batch.events, FORWARD + BACKWARD)
        combined = nll.max(1).values + MEAN_WEIGHT * nll.sum(1) / counted.sum(1).clamp(min=1)
        scores = combined.detach().double().numpy()
        reward = judged(scores, real[owners], yard.threshold, yard.unit)
        short = torch.from_numpy((1.0 - reward) / 2.0 * np.where(real[owners], -1.0, 1.0)).float()
        total = total + (short * combined).sum()
        rewards += float(reward.sum())
    return total / len(sessions), rewards / len(sessions)
