"""`Course`: what every way of tuning a pretrained network has in common.

Each starts from a copy of the pretrained network, draws sessions by how often they came, and has
the same amount of computing to spend, so that ways can be compared: a place (one event, or the end)
costs 1 when it goes forward through the network and 2 more when its gradient comes back. `steps`
steps of plain cross-entropy are the measure.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from logwright.errors import InputError, ModelError
from logwright.sequence import novelty
from logwright.sequence.network import EventNetwork, token_nll
from logwright.sequence.packing import Batch, Packs
from logwright.sequence.presets import Preset
from logwright.sequence.pretraining import Trained
from logwright.sequence.rewards import Yardstick
from logwright.sequence.scoring import MEAN_WEIGHT
from logwright.sequence.sequences import Sequences

__all__ = ["Course", "Progress", "Tuned", "measure"]

FORWARD, BACKWARD = 1, 2
_NORM = 1.0
_WARMUP = 20
_LEAST_RATE = 0.02


@dataclass(frozen=True, slots=True)
class Progress:
    """How tuning stands: gradient steps done, share of the computing spent, mean loss and mean
    reward of the step, and `drift`: nats per event by which the network has left the pretrained one
    (0 where a way does not measure it)."""

    step: int
    share: float
    loss: float
    reward: float = 0.0
    drift: float = 0.0


@dataclass(slots=True)
class Tuned:
    """What tuning gives: the network, what its rewards were measured by, and how it went."""

    name: str
    trained: Trained
    yardstick: Yardstick
    history: list[Progress] = field(default_factory=list)
    seconds: float = 0.0


class Course:
    """One tuning run. `network` is the one that learns, `start` the pretrained one, which stays."""

    def __init__(
        self,
        trained: Trained,
        train: Sequences,
        check: Sequences,
        seed: int,
        steps: int,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        """`train` and `check` are normal sessions; rewards are measured by those of `check`."""
        if len(train.events) == 0:
            raise InputError("there is nothing to tune on: no session has any events")
        if steps < 1:
            raise InputError(f"tuning takes at least one step, not {steps}")
        self.trained, self.preset = trained, trained.preset
        self.history = train.distinct()[0]
        self.check = (check if len(check.events) else train).distinct()[0]
        self.start = copy.deepcopy(trained.network).eval().requires_grad_(False)
        self.network = copy.deepcopy(trained.network).eval()
        self.packs = self.pieces(self.history)
        self.rng = np.random.default_rng([seed, 7])
        self.seed = int(self.rng.integers(2**62))
        self.generator = torch.Generator().manual_seed(self.seed)
        self.yardstick = yardstick(self.start, self.check)
        self.log: list[Progress] = []
        self._progress = progress
        self._limit = steps * self.preset.batch * (FORWARD + BACKWARD)
        self._spent = 0
        self._step = 0
        self._began = time.monotonic()
        self._optimiser: torch.optim.Optimizer | None = None

    def pieces(self, sequences: Sequences) -> Packs:
        """Sequences cut as in pretraining."""
        return Packs(sequences, self.preset.piece, _overlap(self.preset))

    def draw(self, share: float = 1.0) -> list[Batch]:
        """Sessions drawn by how often they came, of a `share` of a step's places, in batches."""
        places = max(1, round(self.preset.batch * share))
        return self.packs.draw(self.rng, places, self.preset.accumulate)

    @property
    def share(self) -> float:
        """The share of the computing that is spent."""
        return min(1.0, self._spent / self._limit)

    @property
    def going(self) -> bool:
        """Whether there is computing left."""
        return self._spent < self._limit

    def spend(self, places: int, each: int) -> None:
        """Book `places` at a cost of `each`: `FORWARD`, `BACKWARD` or both."""
        self._spent += places * each

    def learn_with(self, rate: float, extra: list[torch.nn.Parameter] | None = None) -> None:
        """Begin with a fresh optimiser: `rate` is the highest learning rate."""
        parameters = [*self.network.parameters(), *(extra or [])]
        self._optimiser = torch.optim.AdamW(
            parameters, lr=rate, betas=(0.9, 0.98), weight_decay=0.0
        )
        self._rate = rate

    def descend(self, loss: Tensor, reward: float = 0.0, drift: float = 0.0) -> None:
        """One gradient step; the rate rises for a few steps and falls along a cosine as computing
        is spent."""
        assert self._optimiser is not None
        warm = min(1.0, (self._step + 1) / _WARMUP)
        fall = _LEAST_RATE + (1 - _LEAST_RATE) * 0.5 * (1 + math.cos(math.pi * self.share))
        for group in self._optimiser.param_groups:
            group["lr"] = self._rate * warm * fall
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _NORM)
        self._optimiser.step()
        self._step += 1
        told = Progress(self._step, self.share, float(loss.detach()), reward, drift)
        if not math.isfinite(told.loss):
            raise ModelError(f"tuning diverged at step {self._step}: choose fewer steps")
        self.log.append(told)
        if self._progress is not None:
            self._progress(told)

    def result(self, name: str) -> Tuned:
        """The tuned network in place of the pretrained one; how likely new events are is set anew,
        as the network's ratings of all others have moved."""
        network = self.network.eval().requires_grad_(True)
        novelty.settle(network, self.packs)
        seconds = time.monotonic() - self._began
        trained = replace(self.trained, network=network, seconds=self.trained.seconds + seconds)
        return Tuned(name, trained, self.yardstick, self.log, seconds)


def measure(
    network: EventNetwork, sequences: Sequences
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The score (`scoring.combined`, nats) of each sequence; and for every place that counts the
    rank of what came (1 = the likeliest) and how often its sequence came."""
    packs = Packs(sequences, network.preset.piece, _overlap(network.preset))
    order = packs.owner[np.argsort(packs.size, kind="stable")]
    highest, total = np.zeros(len(sequences)), np.zeros(len(sequences))
    ranks, times, at = [], [], 0
    with torch.inference_mode():
        for batch in packs.all(4 * network.preset.batch):
            codes, gaps, targets, counted = batch.to("cpu")
            logits = network(codes, gaps)
            nll = token_nll(logits, targets, network.learned) * counted
            own = logits.gather(-1, targets.unsqueeze(-1))
            rank = (logits[..., : network.learned] > own).sum(-1) + 1
            owners = order[at : at + len(codes)]
            at += len(codes)
            np.maximum.at(highest, owners, nll.max(1).values.double().numpy())
            np.add.at(total, owners, nll.sum(1).double().numpy())
            inside = batch.counted > 0
            ranks.append(rank.numpy()[inside])
            times.append(np.repeat(batch.weights, inside.sum(1)))
    scores = highest + MEAN_WEIGHT * total / (sequences.lengths + 1)
    if not ranks:
        return scores, np.zeros(0, np.int64), np.zeros(0, np.int64)
    return scores, np.concatenate(ranks), np.concatenate(times)


def yardstick(network: EventNetwork, check: Sequences) -> Yardstick:
    """What rewards are measured by: how a network rates normal sessions it has not learned."""
    scores, ranks, times = measure(network, check)
    return Yardstick.of(ranks, times, scores, check.weights)


def _overlap(preset: Preset) -> int:
    return min(max(preset.reach_global, preset.piece // 8), preset.piece - 1)
