"""Spreading: what make-ups permit is near, what they refuse is far."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from logwright.sequence import spreading  # noqa: E402
from logwright.sequence.pretraining import pretrain  # noqa: E402
from logwright.sequence.sequences import Sequences  # noqa: E402
from logwright.sequence.tuning import tune  # noqa: E402
from sequence_fakes import (  # noqa: E402
    CLOSE,
    OPEN,
    READ,
    SYNC,
    TRAIN,
    VOCABULARY,
    WRITE,
    pretrained,
    score,
    weights,
)

pytestmark = pytest.mark.slow


def test_a_new_order_is_parted_from_an_event_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a history of one order cross-entropy finds both strange; only one of them is a fault."""
    monkeypatch.setattr(spreading, "RATE", 1.0)  # quick
    history = Sequences.of_lists([[OPEN, READ, WRITE, SYNC, CLOSE, CLOSE]] * 200)
    one_order = pretrain(history, history, VOCABULARY, pretrained().preset, seed=0)
    new_order = [[OPEN, WRITE, READ, SYNC, CLOSE, CLOSE]]
    too_many = [[OPEN, READ, WRITE, SYNC, CLOSE, CLOSE, CLOSE]]
    gap, reward = {}, {}
    for name in ("more cross-entropy", "make-ups", "make-ups, reordered"):
        one = tune(name, one_order, history, history, 0, 100)
        gap[name] = score(one, too_many)[0] - score(one, new_order)[0]
        reward[name] = one.history[-1].reward - one.history[0].reward
    assert gap["make-ups, reordered"] > gap["more cross-entropy"] + 1.0
    assert reward["make-ups"] > 0


def test_where_make_ups_do_not_last_it_is_plain_cross_entropy() -> None:
    rng = np.random.default_rng(0)
    other = Sequences.of_lists([rng.integers(2, 8, 6).tolist() for _ in range(50)])
    plain = tune("more cross-entropy", pretrained(), TRAIN, other, 0, 4)
    spread = tune("make-ups, reordered", pretrained(), TRAIN, other, 0, 4)
    assert torch.equal(weights(plain), weights(spread))
