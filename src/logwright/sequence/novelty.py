"""Novelty: how likely an event is that training never saw.

Cross-entropy says nothing of it. So one number, the bias of all events met later, is set after
training: such that an event with the words of one that was learned, but met later, is on average as
likely as new events were in training, by Good and Turing's estimate (events that came once, per
event). Which new event fits where, its words decide.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from logwright.sequence.network import EventNetwork
from logwright.sequence.packing import Packs
from logwright.sequence.sequences import Sequences

__all__ = ["settle", "share_of_new"]

_MOST = 16_384
"""Places looked at."""


def share_of_new(sequences: Sequences) -> float:
    """The share of events that are expected to be new ones: those that came once, and one more.

    >>> share_of_new(Sequences.of_lists([[2, 2, 2], [3]]))
    0.4
    """
    weights = np.repeat(sequences.weights, sequences.lengths)
    counts = np.bincount(sequences.events, weights)
    return float(((counts == 1).sum() + 1) / (counts.sum() + 1))


def settle(network: EventNetwork, packs: Packs) -> None:
    """Set the bias of events met later, as seen on training data; the network is in evaluation."""
    rng = np.random.default_rng(0)
    total, count = 0.0, 0.0
    where = str(network.biases.device)
    with torch.inference_mode():
        matrix, words = network.matrix(), network.words_only()
        bias = network.bias()
        learned = network.learned
        for batch in packs.draw(rng, _MOST, 16):
            codes, gaps, _, counted = batch.to(where)
            h = network.hidden(codes, gaps)[counted > 0]
            scale = torch.logsumexp(h @ matrix[:learned].T + bias[:learned], dim=-1, keepdim=True)
            total += float(torch.exp(h @ words.T - scale).double().sum())
            count += len(h) * len(words)
        share = share_of_new(packs.sequences)
    odds = share / max(1 - share, 1e-6)
    with torch.no_grad():
        network.bias_met.fill_(math.log(odds * count / max(total, 1e-30)))
