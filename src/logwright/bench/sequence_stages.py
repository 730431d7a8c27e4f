"""The stages that are compared: a pretrained network, and what each goes on with from there."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from logwright.bench.sequence_rows import limit_of
from logwright.bench.sequence_scored import scored
from logwright.bench.sequence_sets import Held
from logwright.bench.sequence_table import CONTROL
from logwright.sequence.presets import Preset
from logwright.sequence.scoring import combined
from logwright.sequence.verdicts import Verdicts, questions

if TYPE_CHECKING:
    from logwright.sequence.network import EventNetwork
    from logwright.sequence.pretraining import Trained

__all__ = ["STAGES", "Begun", "Effort", "Stage"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A row's name, the stage of `sequence.tuning` ("" for the pretrained network as it is), and
    how many sessions of history an expert has judged for it."""

    name: str
    tuning: str = ""
    verdicts: int = 0


_ASKED = (10, 50, 200)
STAGES = (
    Stage("cross-entropy"),
    Stage(CONTROL, "more cross-entropy"),
    Stage("LogGPT: REINFORCE", "loggpt-reinforce"),
    Stage("PPO, +1 or -1", "ppo +-1"),
    Stage("PPO, also by position", "ppo + position"),
    Stage("PPO, also by rank", "ppo + partial credit"),
    Stage("PPO, also with cross-entropy (LogNEO)", "ppo + cross-entropy"),
    Stage("PPO, also with free rollouts", "ppo + free rollouts"),
    Stage("reward on the calibrated decision", "calibrated"),
    *(Stage(f"reward on {n} verdicts", f"verdicts-{n}", n) for n in _ASKED),
    Stage("make-ups of history", "make-ups"),
    Stage("make-ups of history, reordered", "make-ups, reordered"),
)


@dataclass(frozen=True, slots=True)
class Effort:
    """The network and its most steps of pretraining, and the steps of every stage after it."""

    preset: Preset
    steps: int


class Begun:
    """A network pretrained on a set with a seed; that is done when it is first asked for.

    It knows the events of training alone. Those that only history's abnormal sessions hold are met
    before verdicts are learned from, and those of the test part not before it is scored.
    """

    def __init__(self, held: Held, effort: Effort, seed: int) -> None:
        self._held, self._effort, self._seed = held, effort, seed

    def after(self, stage: Stage) -> tuple[EventNetwork, float]:
        """The network after a stage, ready to score the test part, and the seconds that stage
        took."""
        from logwright.sequence.tuning import tune

        held, trained = self._held, self._trained
        seconds = trained.seconds
        if stage.tuning:
            verdicts = None
            if stage.verdicts:
                trained, verdicts = self._asked
            started = time.perf_counter()
            trained = tune(
                stage.tuning,
                trained,
                held.train,
                held.check,
                self._seed,
                self._effort.steps,
                verdicts,
            ).trained
            seconds = time.perf_counter() - started
        network = copy.deepcopy(trained.network)
        network.meet(held.events.vocabulary(len(held.events.ids)))
        return network, seconds

    @cached_property
    def _trained(self) -> Trained:
        from logwright.sequence.pretraining import pretrain

        held = self._held
        vocabulary = held.events.vocabulary(held.events.known)
        return pretrain(held.train, held.check, vocabulary, self._effort.preset, self._seed)

    @cached_property
    def _asked(self) -> tuple[Trained, Verdicts]:
        """The network as it has met what the sessions of history hold, and an expert's verdicts on
        these: on what it would have raised, and what it nearly would have."""
        held, past = self._held, self._held.past
        vocabulary = held.events.vocabulary(held.events.past)
        network = copy.deepcopy(self._trained.network)
        network.meet(vocabulary)
        limit = limit_of(combined(scored(network, held.calm.sequences).tokens), held.calm)
        scores = combined(scored(network, past.sequences).tokens)
        times = past.weights.normal + past.weights.abnormal
        which = questions(scores, times, limit.value, max(_ASKED))
        # Sessions that are alike may differ in truth: an expert says what most of them are.
        real = past.weights.abnormal[which] > past.weights.normal[which]
        asked = Verdicts(past.sequences.take(which), real)
        return replace(self._trained, network=network, vocabulary=vocabulary), asked
