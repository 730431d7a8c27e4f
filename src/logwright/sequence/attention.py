"""Attention over the last events only: the body of the presets of the kind `attention`.

GPT-Neo lets layers that see everything alternate with layers that see the last few. Here both have
a reach (`presets`), and position is told by a learned bias per head and distance, never by an
absolute number. So the network is the same function at every place of a session of any length, and
feeding events one by one with the last `reach - 1` keys and values as state gives the same outputs
as computing a session as a whole.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from logwright.sequence.presets import Preset

__all__ = ["AttentionBody"]

_NEVER = -1e9


class _Layer(nn.Module):
    """One layer: attention over the last `reach` events, then a feed-forward part; both normed
    before and added to what came in."""

    def __init__(self, width: int, heads: int, reach: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.reach, self.each = heads, reach, width // heads
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(width)
        self.queries = nn.Linear(width, width, bias=False)
        self.keys_values = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, width)
        self.distance = nn.Parameter(torch.zeros(heads, reach))
        self.norm_feed = nn.LayerNorm(width)
        self.feed = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor, band: Tensor, seen: Tensor) -> Tensor:
        """x [B, T, d]; `band` [T, T] int64 the distance of key from query, clamped to the reach;
        `seen` [T, T] whether it may be looked at."""
        b, t, d = x.shape
        normed = self.norm(x)
        q = self.queries(normed).view(b, t, self.heads, self.each).transpose(1, 2)
        kv = self.keys_values(normed).view(b, t, 2, self.heads, self.each).permute(2, 0, 3, 1, 4)
        bias = self.distance[:, band].masked_fill(~seen, _NEVER)
        got = functional.scaled_dot_product_attention(
            q, kv[0], kv[1], attn_mask=bias.to(q.dtype).expand(b, -1, -1, -1)
        )
        x = x + self.dropout(self.out(got.transpose(1, 2).reshape(b, t, d)))
        fed: Tensor = x + self.dropout(self.feed(self.norm_feed(x)))
        return fed

    def step(self, x: Tensor, state: Tensor, absent: Tensor) -> tuple[Tensor, Tensor]:
        """x [B, d]; `state` [B, reach - 1, 2 d] the keys and values before, oldest first; `absent`
        [B, 1, reach] what to add to the scores of places that no event has filled."""
        d = self.heads * self.each
        normed = self.norm(x)
        q = self.queries(normed).view(-1, self.heads, 1, self.each)
        held = torch.cat((state, self.keys_values(normed).unsqueeze(1)), dim=1)
        kv = held.view(-1, self.reach, 2 * self.heads, self.each).transpose(1, 2)
        keys, values = kv[:, : self.heads], kv[:, self.heads :]
        scores = (q * keys).sum(-1) * self.each**-0.5 + self.distance.flip(1) + absent
        got = (scores.softmax(-1).unsqueeze(-1) * values).sum(2).view(-1, d)
        x = x + self.out(got)
        return x + self.feed(self.norm_feed(x)), held[:, 1:]


class AttentionBody(nn.Module):
    """x [B, T, d] -> h [B, T, d], or one event at a time with `step`.

    The first state is the number of events so far (up to the longest reach), the others the layers'
    keys and values; all begin as zeros.
    """

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        reaches = [preset.reach(layer) for layer in range(preset.layers)]
        self.layers = nn.ModuleList(
            _Layer(preset.width, preset.heads, reach, preset.dropout) for reach in reaches
        )
        self.norm = nn.LayerNorm(preset.width)
        self.dropout = nn.Dropout(preset.dropout)
        self.longest = max(reaches)
        self.state_shapes: list[tuple[int, ...]] = [(1,)]
        self.state_shapes += [(reach - 1, 2 * preset.width) for reach in reaches]

    def forward(self, x: Tensor) -> Tensor:
        x = self.dropout(x)
        place = torch.arange(x.shape[1], device=x.device)
        apart = place.unsqueeze(1) - place
        for layer in self.layers:
            reach: int = layer.reach  # type: ignore[assignment]
            x = layer(x, apart.clamp(0, reach - 1), (apart >= 0) & (apart < reach))
        h: Tensor = self.norm(x)
        return h

    def step(self, x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One event of each of B sessions: x [B, d], `states` as `state_shapes` says."""
        count = (states[0] + 1).clamp(max=self.longest)
        after = [count]
        for layer, state in zip(self.layers, states[1:], strict=True):
            reach: int = layer.reach  # type: ignore[assignment]
            age = torch.arange(reach - 1, -1, -1, device=x.device, dtype=x.dtype)
            absent = (age >= count).to(x.dtype).unsqueeze(1) * _NEVER
            x, state = layer.step(x, state, absent)  # type: ignore[operator]
            after.append(state)
        h: Tensor = self.norm(x)
        return h, after
