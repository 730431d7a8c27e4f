"""DeepLog (Du et al., CCS 2017): a recurrent network that expects the next event.

Two LSTM layers read the last ten events and rank what may come next; an event that is not among
the nine likeliest is an alarm. The values are the paper's for HDFS (window 10, two layers of 64,
g = 9). A window's score is the worst rank among its events, so that the alarm is a rank above g.
The start of a window is filled with a mark, so that its first events are judged as well.

Logs repeat themselves: training draws from the distinct contexts of history as often as they come,
a fixed number of steps whatever the length of history, and scoring looks at each context once.
Values of parameters, the paper's second model, are not looked at.

Needs torch (`pip install logwright[train]`), on the processor alone, so that a seed gives the same
numbers again on the same machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.bench.methods.base import Needs
from logwright.bench.parts import Train
from logwright.detectors.base import Floats
from logwright.errors import MissingExtraError
from logwright.windows.window import Windows, mix

__all__ = ["DeepLog"]

_LAG = 10
_WIDE = 64
_LAYERS = 2
_BATCH = 512
_SCORED = 8_192
_RATE = 3e-3


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise MissingExtraError("train", "torch") from None
    return torch


class DeepLog:
    """Scores windows by the worst rank of an event among those that were expected."""

    name = "DeepLog"
    needs: Needs = "normal"
    seeded = True

    def __init__(self, top: int = 9, steps: int = 3_000) -> None:
        self.natural: float | None = top + 1.0
        self._steps = steps

    def fit(self, train: Train) -> None:
        """Train the network on history's contexts."""
        torch = _torch()
        # Codes: 0 the mark before the start, from 1 on the events of history, then anything new.
        known = np.unique(train.windows.events.template)
        self._code = np.full(int(known.max(initial=-1)) + 2, len(known) + 1, np.int64)
        self._code[known] = np.arange(1, len(known) + 1)
        self._events = len(known)
        contexts, times, _ = _distinct(self._codes(train.windows), train.windows)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(train.seed)
            self._network = _network(torch, self._events)
            if len(contexts):
                self._train(torch, contexts, times, train.seed)

    def _codes(self, windows: Windows) -> NDArray[np.int64]:
        return self._code[np.minimum(windows.events.template, len(self._code) - 1)]

    def _train(
        self, torch: Any, contexts: NDArray[np.int64], times: NDArray[np.int64], seed: int
    ) -> None:
        random = np.random.default_rng(seed)
        chance = np.cumsum(times) / times.sum()
        network = self._network
        learner = torch.optim.Adam(network.parameters(), lr=_RATE)
        slower = torch.optim.lr_scheduler.CosineAnnealingLR(learner, self._steps)
        network.train()
        for _ in range(self._steps):
            drawn = np.searchsorted(chance, random.random(_BATCH), side="right")
            batch = torch.from_numpy(contexts[np.minimum(drawn, len(contexts) - 1)])
            loss = torch.nn.functional.cross_entropy(network(batch[:, :-1]), batch[:, -1] - 1)
            learner.zero_grad()
            loss.backward()
            learner.step()
            slower.step()
        network.eval()

    def score(self, windows: Windows) -> Floats:
        """The worst rank, from 1; an event that history never held ranks behind all others."""
        torch = _torch()
        contexts, _, inverse = _distinct(self._codes(windows), windows)
        ranks = np.full(len(contexts), self._behind)
        old = np.flatnonzero(contexts[:, -1] <= self._events)
        with torch.no_grad():
            for start in range(0, len(old), _SCORED):
                at = old[start : start + _SCORED]
                batch = torch.from_numpy(contexts[at])
                expected = self._network(batch[:, :-1])
                mine = expected.gather(1, batch[:, -1:] - 1)
                ranks[at] = 1.0 + (expected > mine).sum(dim=1).numpy()
        out = np.zeros(len(windows))
        np.maximum.at(out, windows.owner, ranks[inverse])
        return out

    @property
    def _behind(self) -> float:
        """The rank of what is new; it is an alarm even where history holds fewer than g events."""
        return max(self._events + 1.0, self.natural or 0.0)


def _network(torch: Any, events: int) -> Any:
    """Codes of the last events in, a value per event of history out."""

    class Network(torch.nn.Module):  # type: ignore[misc]  # torch is loaded here and not before
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(events + 2, _WIDE)
            self.memory = torch.nn.LSTM(_WIDE, _WIDE, _LAYERS, batch_first=True)
            self.values = torch.nn.Linear(_WIDE, max(events, 1))

        def forward(self, batch: Any) -> Any:
            return self.values(self.memory(self.embedding(batch))[0][:, -1])

    return Network()


def _distinct(
    codes: NDArray[np.int64], windows: Windows
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.intp]]:
    """Every event with the ten before it, once each; how often; and which one each event is."""
    place = np.arange(len(codes)) - windows.bounds[:-1][windows.owner]
    keys = np.zeros(len(codes), np.uint64)
    for lag in range(_LAG + 1):
        keys = mix(keys + _before(codes, place, lag).astype(np.uint64) + np.uint64(1))
    _, first, inverse, times = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    lags = range(_LAG, -1, -1)
    columns = [_before(codes, place, lag, first) for lag in lags]
    return np.stack(columns, axis=1), times.astype(np.int64), inverse


def _before(
    codes: NDArray[np.int64],
    place: NDArray[np.int64],
    lag: int,
    at: NDArray[np.intp] | None = None,
) -> NDArray[np.int64]:
    """The code `lag` events earlier in the same window, 0 before its start."""
    at = np.arange(len(codes)) if at is None else at
    return np.where(place[at] >= lag, codes[np.maximum(at - lag, 0)], 0)
