"""Pretraining: a network learns, on normal sessions, what comes next.

One step draws sessions by how often they came, and lowers the cross-entropy of every next event and
of the end. What is checked and kept is the running mean of the weights (Polyak averaging): single
steps differ in what they think of rare events, their mean does not. Training stops when the mean
gains no more on the check part, later in time; kept is the one that did best there. Everything
random follows from the seed and the step's number, so a run that was cut off and resumed ends, on a
CPU, with the very weights of one that was not.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from logwright.errors import InputError, ModelError
from logwright.sequence import checkpoint, novelty
from logwright.sequence.network import EventNetwork, token_nll
from logwright.sequence.packing import Packs
from logwright.sequence.presets import Preset
from logwright.sequence.sequences import Sequences
from logwright.sequence.vocabulary import FIRST, EventVocabulary

__all__ = ["Check", "Trained", "mean_nll", "pretrain"]

_DECAY = 0.01
_MEAN_OF = 100
"""Steps that the mean of the weights looks back on: each counts 1 % less than the one after it."""
_NORM = 1.0
_LEAST_RATE = 0.02
_LEAST_PLACES = 256
_GAIN = 1e-3
_LEAST_GAIN = 1e-4
"""The gain on the check part, relative and in nats, below which a check counts as one without."""


@dataclass(frozen=True, slots=True)
class Check:
    """How training stood after `step` steps: mean nats per event since the check before on the
    training part, and those of the mean weights on the check part; seconds since the start."""

    step: int
    loss: float
    check: float
    seconds: float


@dataclass(slots=True)
class Trained:
    """What training gives. `network` is on the CPU and in evaluation mode; `losses` one `Check` for
    each look at the check part; `steps` those done, of which the weights of the best are kept."""

    network: EventNetwork
    preset: Preset
    vocabulary: EventVocabulary
    steps: int
    losses: list[Check] = field(default_factory=list)
    seconds: float = 0.0


def pretrain(
    train: Sequences,
    check: Sequences,
    vocabulary: EventVocabulary,
    preset: Preset,
    seed: int,
    progress: Callable[[Check], None] | None = None,
    resume: Path | None = None,
    device: str = "cpu",
    network: EventNetwork | None = None,
) -> Trained:
    """Train a network on `train`, watching `check`, which lies later in time: a new one of the
    preset's, or the given one, such as GPT-Neo.

    `progress` is called at each check. `resume` names a file that holds the state of the run: it is
    written at each check, and where it is there, training goes on from it.
    """
    _sound(train, vocabulary)
    if len(check) == 0:
        check = train
    run = _Run(train, check, vocabulary, preset, seed, device, network)
    if resume is not None and resume.exists():
        run.load(resume)
    while not run.done:
        for _ in range(min(preset.every, preset.steps - run.step)):
            run.one_step()
        told = run.look()
        if resume is not None:
            run.save(resume)
        if progress is not None:
            progress(told)
    return run.result()


def mean_nll(network: EventNetwork, packs: Packs, device: str = "cpu") -> float:
    """Mean nats per event (and end) of sequences, each as often as it came."""
    network.eval()
    total = count = 0.0
    cuda = device.startswith("cuda")
    with torch.inference_mode():
        for batch in packs.all(4 * network.preset.batch):
            codes, gaps, targets, counted = batch.to(device)
            with torch.autocast(device.split(":")[0], torch.bfloat16, enabled=cuda):
                logits = network(codes, gaps)
            nll = token_nll(logits.float(), targets, network.learned)
            weight = torch.from_numpy(batch.weights).to(device).unsqueeze(1) * counted
            total += float((nll.double() * weight).sum())
            count += float(weight.sum())
    return total / count


def _sound(train: Sequences, vocabulary: EventVocabulary) -> None:
    if len(train) == 0 or len(train.events) == 0:
        raise InputError("there is nothing to learn the order of events from: no session has any")
    top = int(train.events.max())
    low = int(train.events.min())
    if top >= vocabulary.learned or low < FIRST:
        code = low if low < FIRST else top
        raise InputError(f"the sessions hold the code {code}, which the vocabulary did not learn")


class _Run:
    """The state of a training run."""

    def __init__(
        self,
        train: Sequences,
        check: Sequences,
        vocabulary: EventVocabulary,
        preset: Preset,
        seed: int,
        device: str,
        network: EventNetwork | None,
    ) -> None:
        self.preset, self.vocabulary, self.seed, self.device = preset, vocabulary, seed, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = (network or EventNetwork(vocabulary, preset)).to(device).train()
        self.mean = copy.deepcopy(self.network).eval().requires_grad_(False)
        overlap = max(preset.reach_global, preset.piece // 8)
        self.train = Packs(train.distinct()[0], preset.piece, overlap)
        self.check = Packs(check.distinct()[0], preset.piece, overlap)
        # A step need not go through a small history many times.
        self.places = min(preset.batch, max(_LEAST_PLACES, len(train.events) + len(train)))
        self.optimiser = torch.optim.AdamW(self._groups(), lr=preset.rate, betas=(0.9, 0.98))
        self.step = 0
        self.losses: list[Check] = []
        self.best: dict[str, Tensor] = {}
        self.sums = [0.0, 0.0]
        self.before = 0.0
        self.began = time.monotonic()

    def _groups(self) -> list[dict[str, object]]:
        """Matrices decay; vectors, and the rows of words seen rarely, do not."""
        named = list(self.network.named_parameters())
        free = [p for name, p in named if p.dim() < 2 or name == "tokens"]
        held = [p for name, p in named if not (p.dim() < 2 or name == "tokens")]
        return [{"params": held, "weight_decay": _DECAY}, {"params": free, "weight_decay": 0.0}]

    @property
    def done(self) -> bool:
        if self.step >= self.preset.steps:
            return True
        since = [c.check for c in self.losses]
        best, stale = math.inf, 0
        for loss in since:
            gains = loss < min(best * (1 - _GAIN), best - _LEAST_GAIN)
            stale = 0 if gains else stale + 1
            best = min(best, loss)
        return stale >= self.preset.patience

    def _rate(self) -> float:
        """Up in a straight line, then down along a cosine."""
        p = self.preset
        if self.step < p.warmup:
            return p.rate * (self.step + 1) / p.warmup
        way = (self.step - p.warmup) / max(1, p.steps - p.warmup)
        return p.rate * (_LEAST_RATE + (1 - _LEAST_RATE) * 0.5 * (1 + math.cos(math.pi * way)))

    def one_step(self) -> None:
        """Draw a batch, go down its gradient."""
        rng = np.random.default_rng([self.seed, self.step])
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        self.optimiser.zero_grad(set_to_none=True)
        parts = self.train.draw(rng, self.places, self.preset.accumulate)
        events = sum(part.events for part in parts)
        cuda = self.device.startswith("cuda")
        total = torch.zeros((), device=self.device)
        with torch.random.fork_rng(devices=[torch.cuda.current_device()] if cuda else []):
            torch.manual_seed(int(rng.integers(2**62)))
            for part in parts:
                codes, gaps, targets, counted = part.to(self.device)
                with torch.autocast(self.device.split(":")[0], torch.bfloat16, enabled=cuda):
                    logits = self.network(codes, gaps)
                nll = functional.cross_entropy(
                    logits.flatten(0, 1).float(), targets.flatten(), reduction="none"
                )
                loss = (nll * counted.flatten()).sum() / events
                loss.backward()  # type: ignore[no-untyped-call]
                total += loss.detach()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _NORM)
        self.optimiser.step()
        self._average()
        self.sums[0] += float(total) * events
        self.sums[1] += events
        self.step += 1

    @torch.no_grad()
    def _average(self) -> None:
        # Of few steps it is their plain mean: what the weights began with soon counts nothing.
        share = max(1 / (self.step + 1), 1 / _MEAN_OF)
        for mean, now in zip(self.mean.parameters(), self.network.parameters(), strict=True):
            if now.requires_grad:
                mean.lerp_(now, share)

    def look(self) -> Check:
        """See how the mean does on the check part; keep it where none did better."""
        found = mean_nll(self.mean, self.check, self.device)
        if not math.isfinite(found):
            raise ModelError(
                f"training diverged at step {self.step}: choose a smaller preset or learning rate"
            )
        if not self.losses or found < min(c.check for c in self.losses):
            self.best = {k: v.detach().cpu().clone() for k, v in self.mean.state_dict().items()}
        seconds = self.before + time.monotonic() - self.began
        self.losses.append(Check(self.step, self.sums[0] / self.sums[1], found, seconds))
        self.sums = [0.0, 0.0]
        return self.losses[-1]

    def save(self, path: Path) -> None:
        tensors = {f"now.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"mean.{k}": v for k, v in self.mean.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in self.best.items()}
        for number, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{k}": v for k, v in moments.items()}
        facts = {
            "architecture": checkpoint.architecture(self.preset, self.vocabulary),
            "seed": self.seed,
            "step": self.step,
            "data": self._data(),
            "losses": [[c.step, c.loss, c.check, c.seconds] for c in self.losses],
        }
        checkpoint.save(path, tensors, facts)

    def load(self, path: Path) -> None:
        fits = checkpoint.architecture(self.preset, self.vocabulary)
        tensors, facts = checkpoint.load(path, fits)
        if facts.get("data") != self._data():
            raise ModelError(f"{path} is of a run on other data or seed: train again without it")
        try:
            moments: dict[int, dict[str, Tensor]] = {}
            for name, tensor in tensors.items():
                if name.startswith("optimiser."):
                    _, number, kind = name.split(".")
                    moments.setdefault(int(number), {})[kind] = tensor
            groups = self.optimiser.state_dict()["param_groups"]
            self.network.load_state_dict(_under(tensors, "now."))
            self.optimiser.load_state_dict({"state": moments, "param_groups": groups})
            self.mean.load_state_dict(_under(tensors, "mean."))
            self.best = _under(tensors, "best.")
            self.step = int(facts["step"])
            self.losses = [Check(int(s), *map(float, r)) for s, *r in facts["losses"]]
            self.before = self.losses[-1].seconds
        except (KeyError, IndexError, RuntimeError, TypeError, ValueError):
            raise ModelError(f"{path} is damaged: train again without it") from None

    def _data(self) -> str:
        p = self.preset
        return f"{self.seed} {p.steps} {p.batch} {p.rate} {self.train.mark} {self.check.mark}"

    def result(self) -> Trained:
        self.network.load_state_dict(self.best)
        network = self.network.eval()
        novelty.settle(network, self.train)
        network = network.to("cpu")
        seconds = self.losses[-1].seconds
        return Trained(network, self.preset, self.vocabulary, self.step, self.losses, seconds)


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
