"""`EventNetwork`: from the events so far to how likely each next one is.

An event's embedding is the mean of the rows of its words in a small table that all events share,
plus a part of its own. In training the own part of some events is left out at random, as a whole,
so that words alone come to carry meaning; an event met later has no own part. The same matrix
reads events in and rates them on the way out.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from logwright.sequence.attention import AttentionBody
from logwright.sequence.presets import Preset
from logwright.sequence.recurrent import RecurrentBody
from logwright.sequence.sequences import BUCKETS_OF_TIME
from logwright.sequence.vocabulary import BUCKETS, FIRST, EventVocabulary

__all__ = ["EventNetwork", "token_nll"]

LEFT_OUT = 0.2
"""Share of the events whose own part is left out in a training step."""


class EventNetwork(nn.Module):
    """The network of a vocabulary. B sessions, T events each, V codes, d the preset's width."""

    rows: Tensor
    owner: Tensor
    sizes: Tensor
    bias_met: Tensor

    def __init__(self, vocabulary: EventVocabulary, preset: Preset) -> None:
        super().__init__()
        self.preset = preset
        self.learned = vocabulary.learned
        d = preset.width
        self.tokens = nn.Parameter(torch.zeros(BUCKETS, d))
        self.residual = nn.Parameter(torch.randn(self.learned, d) * 0.1)
        self.biases = nn.Parameter(torch.zeros(self.learned))
        self.register_buffer("bias_met", torch.zeros(1))
        self.gaps = nn.Parameter(torch.zeros(BUCKETS_OF_TIME, d))
        self.body: AttentionBody | RecurrentBody
        self.body = AttentionBody(preset) if preset.kind == "attention" else RecurrentBody(preset)
        for name in ("rows", "owner", "sizes"):
            self.register_buffer(name, torch.zeros(0, dtype=torch.int64), persistent=False)
        self.meet(vocabulary)

    def meet(self, vocabulary: EventVocabulary) -> None:
        """Take in the events that the vocabulary has met since."""
        flat, bounds = vocabulary.pieces
        sizes = np.diff(bounds)
        where = self.tokens.device
        self.rows = torch.from_numpy(flat.astype(np.int64)).to(where)
        self.owner = torch.from_numpy(np.repeat(np.arange(len(sizes)), sizes)).to(where)
        self.sizes = torch.from_numpy(sizes).to(where)

    def matrix(self) -> Tensor:
        """E [V, d]: the embedding of every code, as the vocabulary stood at the last `meet`."""
        return self._matrix(None)

    def bias(self) -> Tensor:
        """[V]: what is added to the rating of every code; one number, `bias_met`, for all that are
        met later (`novelty` sets it)."""
        return torch.cat((self.biases, self.bias_met.expand(len(self.sizes) - self.learned)))

    def hidden(self, codes: Tensor, gaps: Tensor | None = None) -> Tensor:
        """h [B, T, d] after each of the events `codes` [B, T] int64, of which the first is `START`;
        `gaps` [B, T] are their buckets of time."""
        return self._hidden(self.matrix(), codes, gaps)

    def forward(self, codes: Tensor, gaps: Tensor | None = None) -> Tensor:
        """The ratings (logits) [B, T, V] of what comes after each of the events `codes`."""
        own = None
        if self.training:
            own = torch.rand(self.learned, device=codes.device) >= LEFT_OUT
        matrix = self._matrix(own)
        return self._hidden(matrix, codes, gaps) @ matrix.T + self.bias()

    def _hidden(self, matrix: Tensor, codes: Tensor, gaps: Tensor | None) -> Tensor:
        x = functional.embedding(codes, matrix)
        if gaps is not None:
            x = x + functional.embedding(gaps.long(), self.gaps, padding_idx=0)
        h: Tensor = self.body(x)
        return h

    def _matrix(self, own: Tensor | None) -> Tensor:
        total = torch.zeros(len(self.sizes), self.preset.width, device=self.tokens.device)
        total = total.index_add(0, self.owner, self.tokens[self.rows])
        mean = total / self.sizes.unsqueeze(1)
        residual = self.residual if own is None else self.residual * own.unsqueeze(1)
        return mean + functional.pad(residual, (0, 0, 0, len(mean) - self.learned))

    def words_only(self) -> Tensor:
        """[learned - 2, d]: what the events learned would be, had they been met later."""
        residual = functional.pad(self.residual, (0, 0, 0, len(self.sizes) - self.learned))
        return (self.matrix() - residual)[FIRST : self.learned]


def token_nll(logits: Tensor, targets: Tensor, learned: int) -> Tensor:
    """The negative log-likelihood of each target [...] under ratings [..., V], in nats.

    The total runs over the codes learned and the target itself. So what a session scores does not
    depend on which other events have been met since training.
    """
    total = torch.logsumexp(logits[..., :learned], dim=-1)
    own = logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    total = torch.where(targets >= learned, torch.logaddexp(total, own), total)
    return total - own
