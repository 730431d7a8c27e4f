"""An LSTM: the body of the presets of the kind `recurrent`.

Its state is two vectors per layer, whatever the length of the session.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from logwright.sequence.presets import Preset

__all__ = ["RecurrentBody"]


class RecurrentBody(nn.Module):
    """x [B, T, d] -> h [B, T, d], or one event at a time with `step`.

    The states are each layer's output and cell, in turn; all begin as zeros.
    """

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self.depth, self.width = preset.layers, preset.width
        self.lstm = nn.LSTM(
            preset.width, preset.width, preset.layers, batch_first=True, dropout=preset.dropout
        )
        self.dropout = nn.Dropout(preset.dropout)
        self.out = nn.Linear(preset.width, preset.width)
        self.state_shapes: list[tuple[int, ...]] = [(preset.width,)] * (2 * preset.layers)

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.out(self.dropout(self.lstm(self.dropout(x))[0]))
        return h

    def step(self, x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One event of each of B sessions: x [B, d], `states` as `state_shapes` says."""
        after = []
        for layer in range(self.depth):
            hidden, cell = states[2 * layer], states[2 * layer + 1]
            w_x, w_h, b_x, b_h = self.lstm.all_weights[layer]
            gates = functional.linear(x, w_x, b_x) + functional.linear(hidden, w_h, b_h)
            let_in, forget, new, let_out = gates.chunk(4, dim=1)
            cell = forget.sigmoid() * cell + let_in.sigmoid() * torch.tanh(new)
            x = let_out.sigmoid() * torch.tanh(cell)
            after += [x, cell]
        h: Tensor = self.out(x)
        return h, after
