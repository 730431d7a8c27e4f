"""`NeoNetwork`: a pretrained GPT-Neo behind the interface of `EventNetwork`.

The backbone's vocabulary of words gives way to one of events: an event's embedding is the mean of
the rows that its template's tokens have in the backbone's own table, by the backbone's own
tokenizer, plus a part of its own that begins at zero. Both marks begin as the token that stood
between documents when the backbone was trained. So an event met later has an embedding from its
words, as in the small presets, and the network differs from them in its table and its body only.

    backbone = read("EleutherAI/gpt-neo-1.3B")
    network = NeoNetwork(vocabulary, preset("neo-1.3b"), backbone)
    trained = pretrain(train, check, vocabulary, network.preset, seed, network=network)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from logwright.errors import SettingsError
from logwright.sequence.backbone import Backbone
from logwright.sequence.network import EventNetwork
from logwright.sequence.presets import Preset
from logwright.sequence.sequences import BUCKETS_OF_TIME
from logwright.sequence.vocabulary import FIRST, EventVocabulary

__all__ = ["NeoBody", "NeoNetwork", "fold"]


def fold(places: Tensor, positions: int, longest: int) -> Tensor:
    """The learned position that stands for each place [...] of a session of any length.

    GPT-Neo has `positions` learned ones. A place beyond goes back to the last stretch of them, not
    to the first: the first `longest` positions are those of a session whose beginning is still in
    reach, which a long session's is not.

    >>> fold(torch.arange(12), positions=8, longest=4).tolist()
    [0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7]
    """
    back = min(longest, positions - 1)
    return torch.where(places < back, places, back + (places - back) % (positions - back))


class NeoBody(nn.Module):
    """x [B, T, d] -> h [B, T, d], or one event at a time with `step`, by GPT-Neo's weights.

    It computes what `transformers` computes as long as a session is within reach. Its attention is
    called here, over the same weights, for two reasons: theirs is computed in full and in float32,
    and theirs has no bound on the state of an open session. A global layer sees the last
    `reach_global` events, a local one the checkpoint's own window or `reach_local`, whichever is
    less.

    The first state is the position of the next event, the others the layers' keys and values,
    oldest first, as in `AttentionBody`; all begin as zeros.
    """

    def __init__(self, backbone: Backbone, reach_global: int, reach_local: int) -> None:
        super().__init__()
        neo = backbone.neo
        config = neo.config
        self.width: int = config.hidden_size
        self.heads: int = config.num_heads
        self.positions: int = config.max_position_embeddings
        local = min(reach_local, config.window_size, self.positions)
        self.reaches = [
            local if kind == "local" else min(reach_global, self.positions)
            for kind in config.attention_layers
        ]
        self.longest = max(self.reaches)
        self.blocks, self.places, self.norm = neo.h, neo.wpe, neo.ln_f
        self.usual = (config.activation_function, config.layer_norm_epsilon) == ("gelu_new", 1e-5)
        """Whether it computes as every published GPT-Neo does, which the export relies on."""
        self.sparing = False
        """Whether a training step keeps each layer's input only and computes the rest again."""
        self.state_shapes: list[tuple[int, ...]] = [(1,)]
        self.state_shapes += [(reach - 1, 2 * self.width) for reach in self.reaches]

    @property
    def dtype(self) -> torch.dtype:
        """The kind of number the body computes in; outputs come in the kind of the inputs."""
        return self.places.weight.dtype

    def forward(self, x: Tensor) -> Tensor:
        t = x.shape[1]
        at = torch.arange(t, device=x.device)
        apart = at.unsqueeze(1) - at
        y = (x + self.places(fold(at, self.positions, self.longest))).to(self.dtype)
        for block, reach in zip(self.blocks, self.reaches, strict=True):
            # Without a mask the quickest kernels apply, and most sessions are within reach.
            seen = None if t <= reach else (apart >= 0) & (apart < reach)
            if self.sparing and self.training and torch.is_grad_enabled():
                y = checkpoint(self._whole, block, y, seen, use_reentrant=False)
            else:
                y = self._whole(block, y, seen)
        h: Tensor = self.norm(y).to(x.dtype)
        return h

    def step(self, x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One event of each of B sessions: x [B, d], `states` as `state_shapes` says."""
        place = states[0]
        y = (x + self.places(place.squeeze(1).long())).to(self.dtype)
        after = [fold(place + 1, self.positions, self.longest)]
        for block, reach, state in zip(self.blocks, self.reaches, states[1:], strict=True):
            age = torch.arange(reach - 1, -1, -1, device=x.device, dtype=place.dtype)
            seen = (age <= place).view(-1, 1, 1, reach)
            q, new = self.project(block, y)
            held = torch.cat((state, new.unsqueeze(1).to(state.dtype)), dim=1)
            y = self.combine(block, y, q, held.to(self.dtype), seen)
            after.append(held[:, 1:])
        h: Tensor = self.norm(y).to(x.dtype)
        return h, after

    def project(self, block: Any, y: Tensor) -> tuple[Tensor, Tensor]:
        """A layer's query [B, d] for one event each, its key and value side by side [B, 2 d]."""
        attention = block.attn.attention
        normed = block.ln_1(y)
        kv = torch.cat((attention.k_proj(normed), attention.v_proj(normed)), dim=1)
        q: Tensor = attention.q_proj(normed)
        return q, kv

    def combine(self, block: Any, y: Tensor, q: Tensor, held: Tensor, seen: Tensor) -> Tensor:
        """A layer's output [B, d] from its query and the keys and values `held` [B, R, 2 d], of
        which `seen` [B, 1, 1, R] may be looked at."""
        each = self.width // self.heads
        kv = held.view(held.shape[0], -1, 2 * self.heads, each).transpose(1, 2)
        got = functional.scaled_dot_product_attention(
            q.view(-1, self.heads, 1, each),
            kv[:, : self.heads],
            kv[:, self.heads :],
            attn_mask=seen,
            scale=1.0,
        )
        return self._feed(block, y, got.reshape(-1, self.width))

    def _whole(self, block: Any, y: Tensor, seen: Tensor | None) -> Tensor:
        """A layer over whole sessions, y [B, T, d]."""
        attention = block.attn.attention
        normed = block.ln_1(y)
        q, k, v = (
            part(normed).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in (attention.q_proj, attention.k_proj, attention.v_proj)
        )
        # GPT-Neo was trained without the division by the root of the width of a head.
        got = functional.scaled_dot_product_attention(
            q, k, v, attn_mask=seen, is_causal=seen is None, scale=1.0
        )
        return self._feed(block, y, got.transpose(1, 2).flatten(2))

    def _feed(self, block: Any, y: Tensor, got: Tensor) -> Tensor:
        y = y + block.attn.attention.out_proj(got)
        fed: Tensor = y + block.mlp(block.ln_2(y))
        return fed


class NeoNetwork(EventNetwork):
    """`EventNetwork` with a backbone's table and body. Its `preset` is the given one with the
    backbone's true sizes, and its reaches bounded by the backbone's.

    The network takes the backbone's weights over, without a copy of 5 GB: read the backbone again
    for another network."""

    def __init__(self, vocabulary: EventVocabulary, preset: Preset, backbone: Backbone) -> None:
        nn.Module.__init__(self)
        self.texts = backbone.texts
        config = backbone.neo.config
        if min(preset.reach_global, preset.reach_local) < 1:
            raise SettingsError(
                f"the preset {preset.name} has no reach of attention, so no GPT-Neo can follow it"
            )
        self.body = NeoBody(backbone, preset.reach_global, preset.reach_local)  # type: ignore[assignment]
        reach = min(preset.reach_global, config.max_position_embeddings)
        self.preset = replace(
            preset,
            width=config.hidden_size,
            layers=config.num_layers,
            heads=config.num_heads,
            reach_global=reach,
            reach_local=min(preset.reach_local, config.window_size),
            # Half of a piece of a long session is read only: all that counts sees its reach.
            piece=max(preset.piece, 2 * reach),
        )
        d = self.preset.width
        self.learned = vocabulary.learned
        self.tokens = nn.Parameter(backbone.neo.wte.weight.detach())
        self.residual = nn.Parameter(torch.zeros(self.learned, d))
        self.biases = nn.Parameter(torch.zeros(self.learned))
        self.register_buffer("bias_met", torch.zeros(1))
        self.gaps = nn.Parameter(torch.zeros(BUCKETS_OF_TIME, d))
        for name in ("rows", "owner", "sizes"):
            self.register_buffer(name, torch.zeros(0, dtype=torch.int64), persistent=False)
        self.meet(vocabulary)

    def meet(self, vocabulary: EventVocabulary) -> None:
        """Take in the events that the vocabulary has met since, by the backbone's tokenizer."""
        names = [
            # An id says something only where there is no text, and a hash not even then.
            vocabulary.texts[code] or vocabulary.ids[code]
            for code in range(len(vocabulary) - FIRST)
        ]
        flat, bounds = self.texts.rows(["", "", *names])
        sizes = np.diff(bounds)
        where = self.tokens.device
        self.rows = torch.from_numpy(flat).to(where)
        self.owner = torch.from_numpy(np.repeat(np.arange(len(sizes)), sizes)).to(where)
        self.sizes = torch.from_numpy(sizes).to(where)
