"""Tuning: every way by name, the same computing, the same seed the same weights."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from logwright.errors import InputError, SettingsError  # noqa: E402
from logwright.sequence.course import Progress  # noqa: E402
from logwright.sequence.sequences import Sequences  # noqa: E402
from logwright.sequence.tuning import STAGES, tune  # noqa: E402
from logwright.sequence.verdicts import Verdicts  # noqa: E402
from sequence_fakes import (  # noqa: E402
    CHECK,
    CLOSE,
    OPEN,
    READ,
    TRAIN,
    VERDICTS,
    pretrained,
    tuned,
    weights,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", STAGES)
def test_every_way_spends_the_same_and_follows_its_seed(name: str) -> None:
    before = {k: v.clone() for k, v in pretrained().network.state_dict().items()}
    told: list[Progress] = []
    first = tune(name, pretrained(), TRAIN, CHECK, 3, 6, VERDICTS, told.append)
    assert told == first.history
    # PPO can spend the rest on a rollout after which nothing is left to learn from it.
    assert first.history[-1].share > 0.8
    assert all(one.share < 1.0 for one in first.history[:-1])
    assert first.trained.vocabulary is pretrained().vocabulary
    assert not first.trained.network.training
    assert torch.equal(weights(first), weights(tuned(name, 6, 3)))
    if name not in ("loggpt-reinforce", "ppo +-1", "ppo + position", "ppo + partial credit"):
        assert not torch.equal(weights(first), weights(tuned(name, 6, 4)))
    after = pretrained().network.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before), "the original was changed"


def test_recurrent_networks_are_tuned_the_same_way() -> None:
    for name in ("ppo + free rollouts", "calibrated", "make-ups"):
        assert tuned(name, 4, kind="recurrent").history[-1].share > 0.8


def test_the_number_in_the_name_is_how_many_verdicts_are_used() -> None:
    few = Verdicts(VERDICTS.sequences.take(slice(0, 10)), VERDICTS.real[:10])
    with_few = tune("verdicts-10", pretrained(), TRAIN, CHECK, 0, 4, few)
    assert torch.equal(weights(with_few), weights(tuned("verdicts-10", 4)))
    assert not torch.equal(weights(with_few), weights(tuned("verdicts-50", 4)))


@pytest.mark.parametrize(
    ("name", "train", "steps", "error", "told"),
    [
        ("dreaming", TRAIN, 5, SettingsError, "no way of tuning 'dreaming'"),
        ("make-ups", Sequences.of_lists([[]]), 5, InputError, "nothing to tune on"),
        ("make-ups", TRAIN, 0, InputError, "at least one step"),
        ("verdicts-10", TRAIN, 5, SettingsError, "needs verdicts"),
    ],
)
def test_bad_input_is_told_in_one_sentence(
    name: str, train: Sequences, steps: int, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        tune(name, pretrained(), train, CHECK, 0, steps)


def test_without_check_sessions_the_training_ones_measure() -> None:
    none = Sequences.of_lists([])
    one = tune("more cross-entropy", pretrained(), TRAIN, none, 0, 2)
    assert one.yardstick.threshold > 0


def test_one_event_and_empty_sessions_among_others() -> None:
    odd = Sequences.of_lists([[], [OPEN], [OPEN, CLOSE], [READ] * 600])
    for name in STAGES:
        one = tune(name, pretrained(), odd, CHECK, 0, 2, VERDICTS)
        assert torch.isfinite(weights(one)).all()
