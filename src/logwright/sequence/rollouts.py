"""Rollouts: a policy's acts in sessions, with what a reward and PPO need to know of them.

The policy is the network: in a session so far, it says how likely each next event is, and an act is
one event. `forced`: the session is the real one, and the acts are the events that really came (so
the acts are logged, not drawn). `free`: after a prompt, the first fifth of a real session as LogGPT
has it, the network goes on by its own draws, up to the length of the real one; it is then judged by
how it ranks what really came at each place, in the session that it has itself made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from logwright.sequence.network import EventNetwork
from logwright.sequence.packing import Batch
from logwright.sequence.vocabulary import FIRST

__all__ = ["PROMPT", "Rollout", "forced", "free", "log_chances"]

PROMPT = 0.2
"""The share of a session that is given before the network goes on freely (LogGPT's code)."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """B sessions of T places. `codes` [B, T] went in and `acts` [B, T] were answered; `acted` 1.0
    where the act counts; `old` [B, T] its log-probability then; `ranks` [B, T] the rank (1 = the
    likeliest) of what really came; `at` [B, T] its place in the session, 0 first to 1 last;
    `hidden` [B, T, d] the network's state then."""

    codes: Tensor
    gaps: Tensor | None
    acts: Tensor
    acted: Tensor
    old: Tensor
    ranks: NDArray[np.int64]
    at: NDArray[np.float64]
    hidden: Tensor

    @property
    def places(self) -> int:
        """Places of the rollout, as counted for computing: those that act or go before."""
        return int((self.acted.flip(1).cumsum(1) > 0).sum())


def log_chances(network: EventNetwork, codes: Tensor, gaps: Tensor | None) -> tuple[Tensor, Tensor]:
    """Log-probabilities [B, T, V] of the codes learned, and the hidden state [B, T, d] behind them,
    without what training leaves out at random."""
    hidden = network.hidden(codes, gaps)
    learned = network.learned
    logits = hidden @ network.matrix()[:learned].T + network.bias()[:learned]
    return logits.log_softmax(-1), hidden


@torch.no_grad()
def forced(network: EventNetwork, batch: Batch) -> Rollout:
    """The real sessions; the events that came are the acts."""
    codes, gaps, targets, counted = batch.to("cpu")
    chances, hidden = log_chances(network, codes, gaps)
    return _rollout(chances, hidden, codes, gaps, targets, targets, counted)


@torch.no_grad()
def free(network: EventNetwork, batch: Batch, generator: torch.Generator) -> Rollout:
    """Real beginnings, gone on with draws of the network; times between events are left out."""
    codes, _, targets, counted = batch.to("cpu")
    matrix, bias = network.matrix(), network.bias()
    matrix, bias = matrix[: network.learned], bias[: network.learned]
    sizes = counted.flip(1).cumsum(1).gt(0).sum(1)
    prompt = (sizes * PROMPT).ceil().long().clamp(min=1)
    states = [torch.zeros(len(codes), *shape) for shape in network.body.state_shapes]
    taken, acts = codes.clone(), targets.clone()
    for place in range(codes.shape[1]):
        now, states = network.body.step(matrix[taken[:, place]], states)
        chances = (now @ matrix.T + bias).softmax(-1)
        chances[:, :FIRST] = 0  # the length is that of the real session: no marks are drawn
        chances = chances + 1e-9 * (torch.arange(len(bias)) >= FIRST)
        drawn = torch.multinomial(chances, 1, generator=generator).squeeze(1)
        within = (place >= prompt) & (place < sizes - 1)
        acts[:, place] = torch.where(within, drawn, acts[:, place])
        if place + 1 < codes.shape[1]:
            taken[:, place + 1] = torch.where(within, drawn, taken[:, place + 1])
    places = torch.arange(codes.shape[1])
    acted = ((places >= prompt.unsqueeze(1)) & (places < sizes.unsqueeze(1) - 1)).float()
    logged, hidden = log_chances(network, taken, None)
    return _rollout(logged, hidden, taken, None, acts, targets, acted)


def _rollout(
    chances: Tensor,
    hidden: Tensor,
    codes: Tensor,
    gaps: Tensor | None,
    acts: Tensor,
    truth: Tensor,
    acted: Tensor,
) -> Rollout:
    old = chances.gather(-1, acts.unsqueeze(-1)).squeeze(-1)
    ranks = (chances > chances.gather(-1, truth.unsqueeze(-1))).sum(-1) + 1
    sizes = acted.flip(1).cumsum(1).gt(0).sum(1, keepdim=True)
    at = (torch.arange(codes.shape[1]) / (sizes - 1).clamp(min=1)).clamp(max=1.0)
    return Rollout(codes, gaps, acts, acted, old, ranks.numpy(), at.double().numpy(), hidden)
