"""Presets: the shapes and the training of the networks that ship."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from logwright.errors import SettingsError

__all__ = ["PRESETS", "Preset", "preset"]


@dataclass(frozen=True)
class Preset:
    """`width` is the size of an embedding. Of `layers`, the odd ones (first, third, ...) see the
    last `reach_global` events, the even ones the last `reach_local`; a recurrent network has no
    reach and no heads. `batch` is the number of events per step, `accumulate` the parts in which a
    step is computed; `steps` the most steps, of which `warmup` bring the learning rate up to
    `rate`; `patience` the checks without gain, one each `every` steps, that end training; `piece`
    the longest sequence learned in one go: longer ones are cut; `dropout` the share of numbers
    left out inside the network while it learns, without which it is too sure of what is rare."""

    name: str
    kind: Literal["attention", "recurrent"]
    width: int
    layers: int
    heads: int = 0
    reach_global: int = 0
    reach_local: int = 0
    batch: int = 4_096
    accumulate: int = 1
    steps: int = 1_200
    warmup: int = 60
    every: int = 100
    patience: int = 4
    rate: float = 4e-3
    dropout: float = 0.1
    piece: int = 512
    why: str = ""

    def reach(self, layer: int) -> int:
        """How many events a layer sees, the present one included.

        >>> [PRESETS["tiny"].reach(layer) for layer in (0, 1)]
        [32, 8]
        """
        return self.reach_local if layer % 2 else self.reach_global


_ALL = (
    Preset(
        "tiny", "attention", 64, 2, 4, 32, 8,
        why="two layers of attention: minutes of training on two cores",
    ),
    Preset(
        "small", "attention", 128, 4, 8, 64, 16, steps=2_000, rate=2e-3,
        why="four layers of attention: for logs of many templates and long memory",
    ),
    Preset(
        "recurrent", "recurrent", 64, 2,
        why="an LSTM: a quarter of the time and a tenth of the memory of tiny per event",
    ),
    Preset(
        "neo-1.3b", "attention", 2_048, 24, 16, 64, 32,
        batch=16_384, accumulate=8, steps=1_000, warmup=100, rate=2e-5, dropout=0.0,
        why="GPT-Neo 1.3B as LogNEO uses it: needs an accelerator",
    ),
)  # fmt: skip

PRESETS = {one.name: one for one in _ALL}


def preset(name: str) -> Preset:
    """The preset of a name.

    >>> preset("tiny").width
    64
    """
    if name not in PRESETS:
        raise SettingsError(f"there is no preset {name!r}: it is one of {', '.join(PRESETS)}")
    return PRESETS[name]
