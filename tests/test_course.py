"""Course: computing is counted, the rate falls as it is spent, what it measures is right."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from logwright.errors import ModelError  # noqa: E402
from logwright.sequence.course import BACKWARD, FORWARD, measure  # noqa: E402
from logwright.sequence.network import token_nll  # noqa: E402
from logwright.sequence.scoring import MEAN_WEIGHT  # noqa: E402
from logwright.sequence.sequences import Sequences  # noqa: E402
from sequence_fakes import CHECK, course, pretrained  # noqa: E402

pytestmark = pytest.mark.slow


def test_the_same_steps_are_the_same_computing() -> None:
    run = course(steps=4)
    run.spend(run.preset.batch * 2, FORWARD + BACKWARD)
    assert run.going
    assert run.share == pytest.approx(0.5)
    run.spend(run.preset.batch * 6, FORWARD)
    assert not run.going
    assert run.share == 1.0


def test_what_is_measured_is_what_the_network_says_of_each_session_alone() -> None:
    network = pretrained().network
    sequences = CHECK.take(slice(0, 12))
    scores, ranks, times = measure(network, sequences)
    for i in range(len(sequences)):
        events = sequences.one(i).tolist()
        with torch.no_grad():
            logits = network(torch.tensor([[0, *events]]))
        nll = token_nll(logits, torch.tensor([[*events, 1]]), network.learned)
        score = float(nll.max() + MEAN_WEIGHT * nll.mean())
        assert scores[i] == pytest.approx(score, abs=1e-4)
    assert len(ranks) == len(times) == sequences.lengths.sum() + len(sequences)
    assert ranks.min() == 1


def test_a_session_longer_than_a_piece_has_the_score_of_its_worst_event() -> None:
    network = pretrained().network
    usual = [3, 4, 5] * 400
    scores, _, _ = measure(network, Sequences.of_lists([usual, [*usual[:900], 7, *usual[900:]]]))
    assert np.isfinite(scores).all()
    assert scores[1] >= scores[0] - 1e-6


def test_a_loss_that_is_no_number_is_told() -> None:
    run = course()
    run.learn_with(0.1)
    with pytest.raises(ModelError, match="diverged at step 1"):
        run.descend(sum(p.sum() for p in run.network.parameters()) * float("nan"))
