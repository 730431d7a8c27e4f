"""Training: the sequence step of a model's ladder, from history (`lessons`).

A network learns the order of events (`sequence.pretraining`), may be tuned by reinforcement
(`sequence.tuning`), and becomes an ONNX file. The last part of history, which it has not seen, sets
the threshold: as many of its windows may be alarms as the model's budget allows. Labels play no
part; verdicts do where they are asked for.

What comes out needs onnxruntime to run, and torch only here.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from logwright.bundle import JOINED_SINCE
from logwright.detectors.base import Floats
from logwright.detectors.ladder import Budget, Rung
from logwright.detectors.sequence import NextEvent
from logwright.detectors.thresholds import Threshold, by_budget
from logwright.errors import InputError, MissingExtraError, ModelError, SettingsError
from logwright.findings.run import many
from logwright.lessons import History, Lesson
from logwright.logs.batch import NO_TIME
from logwright.model import Model
from logwright.sequence.presets import Preset
from logwright.sequence.presets import preset as preset_of
from logwright.sequence.sequences import Sequences
from logwright.windows.window import Windows

if TYPE_CHECKING:
    from logwright.sequence.course import Progress
    from logwright.sequence.neo import NeoNetwork
    from logwright.sequence.pretraining import Check, Trained
    from logwright.sequence.verdicts import Verdicts
    from logwright.sequence.vocabulary import EventVocabulary
    from logwright.sequence.weights import Weights

__all__ = ["FLOOR", "Tell", "Wish", "check", "threshold_of", "train"]

Tell = Callable[[str, int, int, Mapping[str, float]], None]
"""Called with a stage, steps done, steps in all, and the numbers of the moment by name."""

FLOOR = float(-np.log(0.01))
"""The least threshold, nats: an event that comes 1 time in 100 is nothing to be raised."""

_NEO = "neo-1.3b"

_VERDICTS = 200

_WAYS = {
    "neo": "ppo + cross-entropy",
    "loggpt": "loggpt-reinforce",
    "verdicts": f"verdicts-{_VERDICTS}",
}
"""Which of `sequence.tuning.STAGES` each way of tuning is."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be trained: a preset's name, how it is tuned (`none`, `neo`, `loggpt` or
    `verdicts`), the checkpoint that `neo-1.3b` begins from, the seed, the most steps (None: the
    preset's), and a file that keeps the state of a run, for another one to go on from."""

    preset: str = "tiny"
    rl: str = "none"
    backbone: str | None = None
    seed: int = 0
    steps: int | None = None
    checkpoint: Path | None = None

    def network(self) -> Preset:
        """The preset, with these steps."""
        found = preset_of(self.preset)
        if self.steps is None:
            return found
        warmup, every = min(found.warmup, self.steps // 4), min(found.every, self.steps)
        return replace(found, steps=self.steps, warmup=warmup, every=every)


def check(model: Model, wish: Wish) -> None:
    """Say before any work that it cannot be done."""
    wish.network()
    if (wish.preset == _NEO) != (wish.backbone is not None):
        raise SettingsError(
            f"--preset {_NEO} and --backbone go together: the preset is the shape of the network, "
            "the backbone the checkpoint that it begins from"
        )
    if model.format < JOINED_SINCE:
        raise ModelError(
            "the model was learned by an older version: learn it again, then train its sequence "
            "step"
        )
    for package in ("torch", "onnx", "safetensors"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError("train", package)
    if importlib.util.find_spec("onnxruntime") is None:
        raise MissingExtraError("sequence", "onnxruntime")


def train(history: History, model: Model, wish: Wish, tell: Tell) -> Rung:
    """The step that is trained on history, with its threshold."""
    lesson = history.lesson()
    trained = _tuned(_pretrained(lesson, wish, tell), lesson, wish, tell)
    network, weights = _exported(trained)
    best = min(look.check for look in trained.losses)
    meta: dict[str, Any] = {
        "preset": trained.preset.name,
        "kind": trained.preset.kind,
        "seed": wish.seed,
        "rl": wish.rl,
        "steps": trained.steps,
        "windows": len(lesson.train),
        "events": lesson.events.known,
        "nats": round(best, 4),
        "train_seconds": round(trained.seconds, 1),
        "sources": list(history.sources),
    }
    step = NextEvent.of(network, weights.to_tables(), lesson.events, meta)
    windows = lesson.calibration
    tell("calibration", 0, len(windows), {})
    scores = step.score(windows, history.vocabulary)
    threshold = threshold_of(scores, model, _span(windows) if history.span else 0)
    alarms = float(np.count_nonzero(threshold.alarms(scores)))
    numbers = {"threshold": threshold.value, "alarms": alarms}
    tell("calibration", len(windows), len(windows), numbers)
    tuned = "" if wish.rl == "none" else f" tuned by {wish.rl}"
    told = (
        f"{wish.preset} network{tuned}, {many(lesson.events.known, 'event')} in "
        f"{many(len(lesson.train), history.kind)}, {best:.3f} nats an event on later ones; "
        f"alarms from {threshold.value:.1f} nats on"
    )
    return Rung(step, threshold, "windows", told)


def _pretrained(lesson: Lesson, wish: Wish, tell: Tell) -> Trained:
    import torch

    from logwright.sequence.pretraining import pretrain

    preset, begun = wish.network(), dict[str, Any]()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if wish.backbone is not None:
        begun["network"] = _begun(wish.backbone, preset, lesson.events)
        preset = begun["network"].preset

    def progress(look: Check) -> None:
        tell("pretraining", look.step, preset.steps, {"loss": look.loss, "check": look.check})

    tell("pretraining", 0, preset.steps, {})
    return pretrain(
        lesson.train,
        lesson.check,
        lesson.events,
        preset,
        wish.seed,
        progress,
        wish.checkpoint,
        device,
        **begun,
    )


def _begun(where: str, preset: Preset, events: EventVocabulary) -> NeoNetwork:
    """The network that begins from a checkpoint. What could not be kept as a file in the end is
    told now, not after hours."""
    from logwright.sequence.backbone import read
    from logwright.sequence.neo import NeoNetwork
    from logwright.sequence.neo_export import MOST_BYTES

    network = NeoNetwork(events, preset, read(where))
    size = 4 * sum(number.numel() for number in network.body.parameters())
    if size > MOST_BYTES:
        raise ModelError(
            f"{where} has {size / 1e9:.1f} GB of weights beside its words, and a model's "
            f"sequence.onnx can keep {MOST_BYTES / 1e9:.1f}: give a smaller GPT-Neo, such as "
            "EleutherAI/gpt-neo-125m"
        )
    return network


def _exported(trained: Trained) -> tuple[bytes, Weights]:
    from logwright.sequence.export import export

    if trained.preset.name != _NEO:
        return export(trained.network)
    from logwright.sequence.neo import NeoNetwork
    from logwright.sequence.neo_export import export_neo

    assert isinstance(trained.network, NeoNetwork)
    return export_neo(trained.network, trained.vocabulary)


def _tuned(trained: Trained, lesson: Lesson, wish: Wish, tell: Tell) -> Trained:
    if wish.rl == "none":
        return trained
    from logwright.sequence.tuning import tune

    verdicts = _verdicts(lesson) if wish.rl == "verdicts" else None
    steps = max(1, trained.steps // 2)

    def progress(now: Progress) -> None:
        numbers = {"loss": now.loss, "reward": now.reward, "drift": now.drift}
        tell("tuning", round(now.share * steps), steps, numbers)

    tell("tuning", 0, steps, {})
    way = _WAYS[wish.rl]
    return tune(
        way, trained, lesson.train, lesson.check, wish.seed, steps, verdicts, progress
    ).trained


def _verdicts(lesson: Lesson) -> Verdicts:
    """What verdicts say is real, the most frequent first, and as many normal sessions, evenly drawn
    in time."""
    from logwright.sequence.verdicts import Verdicts

    if not len(lesson.real):
        raise InputError(
            "no verdict says of a session of this history that it is real: there is nothing to "
            "tune on"
        )
    real = lesson.real.distinct()[0]
    real = real.take(np.argsort(-real.weights, kind="stable")[: _VERDICTS // 2])
    normal = lesson.train.distinct()[0]
    number = min(len(normal), len(real))
    normal = normal.take(np.linspace(0, len(normal) - 1, number).astype(np.int64))
    both = Sequences(
        np.concatenate((real.events, normal.events)),
        np.concatenate((real.bounds, normal.bounds[1:] + real.bounds[-1])),
        np.concatenate((real.weights, normal.weights)),
    )
    return Verdicts(both, np.arange(len(both)) < len(real))


def _span(windows: Windows) -> int:
    """The time from the first to the last timed event, ns."""
    times = windows.events.ts[windows.events.ts != NO_TIME]
    return int(times.max() - times.min()) if len(times) else 0


def threshold_of(scores: Floats, model: Model, span: int) -> Threshold:
    """The threshold that keeps windows of history within the model's alarm budget; `span` is the
    time that they cover (ns, 0 without times)."""
    budget = Budget(float(model.settings.get("budget", 10.0)))
    if model.plan.kind == "session" or not span:
        allowed = budget.per_session * len(scores)
    else:
        allowed = budget.per_time(span)
    return by_budget(scores, allowed, FLOOR)
