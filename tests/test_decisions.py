"""Decisions: verdicts and negatives move sessions to their side of the threshold."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from logwright.sequence import decisions  # noqa: E402
from logwright.sequence.sequences import Sequences  # noqa: E402
from logwright.sequence.tuning import tune  # noqa: E402
from logwright.sequence.verdicts import Verdicts  # noqa: E402
from sequence_fakes import (  # noqa: E402
    BENIGN,
    CHECK,
    CLOSE,
    OPEN,
    READ,
    REAL,
    SYNC,
    TRAIN,
    WRITE,
    pretrained,
    score,
    tuned,
    weights,
)

pytestmark = pytest.mark.slow


def test_verdicts_move_sessions_to_their_side_of_the_threshold() -> None:
    plain, taught = tuned("more cross-entropy", 60), tuned("verdicts-50", 60)
    assert score(taught, REAL).min() > taught.yardstick.threshold
    assert score(taught, REAL).min() > score(plain, REAL).min()
    assert score(taught, BENIGN).max() < score(plain, BENIGN).max()


def test_negatives_raise_what_is_refused_and_the_reward(monkeypatch: pytest.MonkeyPatch) -> None:
    # What is far over the threshold as it is has nothing to gain.
    short = [[OPEN, READ, WRITE, SYNC, CLOSE]]
    taught = tuned("calibrated", 80)
    monkeypatch.setattr(decisions, "WEIGHT", 0.0)
    plain = tuned("calibrated", 80)
    assert score(taught, short).mean() > score(plain, short).mean() + 0.1
    rewards = [one.reward for one in taught.history]
    assert np.mean(rewards[-10:]) > np.mean(rewards[:10])


def test_a_verdict_on_an_event_never_learned_is_no_trouble() -> None:
    strange = Verdicts(Sequences.of_lists([[2, 900, 3], [901]]), np.array([True, False]))
    one = tune("verdicts-10", pretrained(), TRAIN, CHECK, 0, 3, strange)
    assert torch.isfinite(weights(one)).all()
