"""Small sessions with a regularity, and a network that has learned them; torch is needed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import torch

from logwright.sequence.course import Course, measure
from logwright.sequence.presets import preset
from logwright.sequence.pretraining import Trained, pretrain
from logwright.sequence.sequences import Sequences
from logwright.sequence.tuning import Tuned, tune
from logwright.sequence.verdicts import Verdicts
from logwright.sequence.vocabulary import EventVocabulary

OPEN, READ, WRITE, SYNC, CLOSE, RARE = range(2, 8)
VOCABULARY = EventVocabulary(
    list("orwscx"), ["open file", "read block", "write block", "sync", "close file", "retry"]
)


def sessions(n: int, seed: int) -> Sequences:
    """Opened, read, written and synced in any order, closed twice; seldom with a retry."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        middle = [READ, WRITE, SYNC] + [RARE] * int(rng.random() < 0.02)
        rng.shuffle(middle)
        made.append([OPEN, *middle, CLOSE, CLOSE])
    return Sequences.of_lists(made)


TRAIN, CHECK = sessions(300, 1), sessions(100, 2)


@cache
def pretrained(name: str = "tiny", steps: int = 60) -> Trained:
    """A network of width 16, pretrained for a second; tests must not change it."""
    torch.set_num_threads(1)
    small = replace(
        preset(name), width=16, heads=2 if name == "tiny" else 0, batch=256, steps=steps, warmup=5
    )
    return pretrain(TRAIN, CHECK, VOCABULARY, replace(small, every=20), seed=0)


def course(name: str = "tiny", steps: int = 20, seed: int = 0) -> Course:
    return Course(pretrained(name), TRAIN, CHECK, seed, steps)


REAL = [[OPEN, READ, WRITE, CLOSE, CLOSE], [OPEN, READ, READ, WRITE, SYNC, CLOSE, CLOSE]]
BENIGN = [[OPEN, RARE, RARE, READ, WRITE, SYNC, CLOSE, CLOSE]]
VERDICTS = Verdicts(Sequences.of_lists((REAL + BENIGN) * 4), np.array([True, True, False] * 4))


def tuned(name: str, steps: int = 8, seed: int = 0, kind: str = "tiny") -> Tuned:
    return tune(name, pretrained(kind), TRAIN, CHECK, seed, steps, VERDICTS)


def weights(one: Tuned) -> torch.Tensor:
    return torch.cat([p.flatten() for p in one.trained.network.parameters()]).detach()


def score(one: Tuned, lists: list[list[int]]) -> np.ndarray:
    return measure(one.trained.network, Sequences.of_lists(lists))[0]
