"""Novelty: what training never saw is as likely as new events were in training."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from logwright.sequence.network import EventNetwork, token_nll  # noqa: E402
from logwright.sequence.novelty import settle, share_of_new  # noqa: E402
from logwright.sequence.packing import Packs  # noqa: E402
from logwright.sequence.presets import preset  # noqa: E402
from logwright.sequence.sequences import Sequences  # noqa: E402
from logwright.sequence.vocabulary import EventVocabulary  # noqa: E402


def test_weights_count_in_the_share_of_new_events() -> None:
    one = Sequences.of_lists([[2, 3, 3, 4]])
    often = Sequences(one.events, one.bounds, np.array([10]))
    assert share_of_new(one) == 3 / 5
    assert share_of_new(often) == 1 / 41


@pytest.mark.parametrize("often", [1, 1_000])
def test_a_learned_event_met_anew_has_on_average_the_share_of_new_ones(often: int) -> None:
    texts = ["disk full", "disk ok", "net up", "net down"]
    vocabulary = EventVocabulary(list("abcd"), texts)
    torch.manual_seed(0)
    network = EventNetwork(vocabulary, preset("tiny")).eval()
    torch.nn.init.normal_(network.tokens, std=0.1)
    lists = Sequences.of_lists([[2, 3, 4, 5], [3, 2, 2]])
    sequences = Sequences(lists.events, lists.bounds, lists.weights * often)
    settle(network, Packs(sequences, 64, 8))
    codes = [vocabulary.meet(text, text) for text in texts]
    network.meet(vocabulary)
    with torch.inference_mode():
        logits = network(torch.tensor([[0, 2, 3, 4, 5], [0, 3, 2, 2, 1]]))
        likely = [
            torch.exp(-token_nll(logits, torch.full(logits.shape[:2], code), network.learned))
            for code in codes
        ]
    found = float(
        torch.stack(likely)[:, [0, 0, 0, 0, 0, 1, 1, 1, 1], [*range(5), *range(4)]].mean()
    )
    assert math.log(found) == pytest.approx(math.log(share_of_new(sequences)), abs=0.1)
