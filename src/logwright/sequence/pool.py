"""`Pool`: open sessions of a `NeoNetwork` in an accelerator's memory, scored as their events come.

A step of a large network is bound by memory: its weights are read once however many sessions it
serves. So the keys and values of all open sessions stay where the weights are, as rings that a step
writes one place of, and a step is recorded once for each size of batch as a CUDA graph, which saves
the launches of some four hundred small kernels. Without CUDA the same steps run one by one: slow,
and the same numbers.

This is the one place where scoring needs torch; the small presets are served by `runtime`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from logwright.errors import SettingsError
from logwright.logs.batch import Int32s, Int64s
from logwright.sequence.neo import NeoBody, NeoNetwork, fold
from logwright.sequence.network import token_nll
from logwright.sequence.vocabulary import END, START

__all__ = ["BATCHES", "Pool"]

BATCHES = (16, 64, 256)
"""The sizes of batch for which a step is recorded; fewer events are filled up, more are parted."""


class Pool:
    """`sessions` places for open sessions. Who has which place is the caller's matter.

    `state_bytes` is what the places hold; it does not grow.
    """

    def __init__(
        self, network: NeoNetwork, sessions: int, batches: Sequence[int] = BATCHES
    ) -> None:
        if sessions < 1 or not batches or min(batches) < 1:
            raise SettingsError("a pool needs at least one session and one size of batch")
        assert isinstance(network.body, NeoBody)
        self._body, self._learned = network.body.eval(), network.learned
        where, kind = network.tokens.device, network.body.dtype
        self.sessions = sessions
        with torch.no_grad():
            self._matrix = network.matrix().detach().to(kind)
            self._bias = network.bias().detach().float()
            self._gaps = network.gaps.detach().to(kind)
        d, more = self._body.width, sessions + 1  # the last place takes what fills a batch up
        self._held = [
            torch.zeros(more, reach, 2 * d, dtype=kind, device=where)
            for reach in self._body.reaches
        ]
        self._after = torch.zeros(more, d, dtype=kind, device=where)
        self._count = torch.zeros(more, dtype=torch.int64, device=where)
        self.state_bytes = sum(one.nbytes for one in (*self._held, self._after, self._count))
        self._steps = {size: self._recorded(size, where) for size in sorted(set(batches))}
        self._keep_start()

    def open(self, places: Int64s) -> None:
        """Begin new sessions, at places whose session, if any, is over."""
        at = torch.from_numpy(places).to(self._count.device)
        for held, start in zip(self._held, self._start, strict=True):
            held[at, 0] = start
        self._after[at] = self._start_after
        self._count[at] = 1

    def push(
        self, places: Int64s, codes: Int32s, gaps: NDArray[np.int8] | None = None
    ) -> tuple[NDArray[np.float32], Int32s]:
        """Score the next event of each of n different open sessions and take it in: its negative
        log-likelihood [n], in nats, and how many of the codes learned were likelier [n]."""
        n, most = len(places), max(self._steps)
        nll, rank = np.empty(n, np.float32), np.empty(n, np.int32)
        for begin in range(0, n, most):
            part = slice(begin, min(begin + most, n))
            count = part.stop - part.start
            size = next(size for size in self._steps if size >= count)
            filled = np.full((3, size), 0, np.int64)
            filled[0] = self.sessions
            filled[0, :count], filled[1, :count] = places[part], codes[part]
            if gaps is not None:
                filled[2, :count] = gaps[part]
            got = self._steps[size](torch.from_numpy(filled)).cpu().numpy()
            nll[part], rank[part] = got[0, :count], got[1, :count]
        return nll, rank

    def close(self, places: Int64s) -> NDArray[np.float32]:
        """How unexpected the end of each session is now [n], in nats; its place is free after."""
        at = torch.from_numpy(places).to(self._count.device)
        logits = (self._after[at] @ self._matrix.T).float() + self._bias
        end = torch.full_like(at, END)
        ended: NDArray[np.float32] = token_nll(logits, end, self._learned).cpu().numpy()
        return ended

    @torch.no_grad()
    def _step(self, given: Tensor) -> Tensor:
        """One event of each of B sessions; `given` [3, B] are places, codes and gaps, and what
        comes back [2, B] float32 is how unexpected each event was and how many were likelier."""
        places, codes, gaps = given
        logits = (self._after[places] @ self._matrix.T).float() + self._bias
        nll = token_nll(logits, codes, self._learned)
        own = logits.gather(1, codes.unsqueeze(1))
        rank = (logits[:, : self._learned] > own).sum(1)
        body, count = self._body, self._count[places]
        x = self._matrix[codes] + functional.embedding(gaps, self._gaps) * (gaps > 0).unsqueeze(1)
        y = x + body.places(fold(count, body.positions, body.longest))
        for block, reach, held in zip(body.blocks, body.reaches, self._held, strict=True):
            q, new = body.project(block, y)
            # GPT-Neo tells position by what was added to the event, so the order of keys within
            # the ring is of no matter, and no key has to move.
            held[places, count % reach] = new
            seen = torch.arange(reach, device=count.device) <= count.unsqueeze(1)
            y = body.combine(block, y, q, held[places], seen.view(-1, 1, 1, reach))
        self._after[places] = body.norm(y)
        self._count[places] = count + 1
        return torch.stack((nll, rank.float()))

    def _recorded(self, size: int, where: torch.device) -> Callable[[Tensor], Tensor]:
        """A step for a batch of this size, recorded where CUDA is at hand."""
        given = torch.zeros(3, size, dtype=torch.int64, device=where)
        given[0] = self.sessions
        if where.type != "cuda":
            return lambda now: self._step(now.to(where))
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):  # what is set up at first use must not be recorded
                self._step(given)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            got = self._step(given)

        def replay(now: Tensor) -> Tensor:
            given.copy_(now, non_blocking=False)
            graph.replay()
            return got

        return replay

    def _keep_start(self) -> None:
        """What a session holds after its start mark, which is the same for all."""
        size, last = min(self._steps), self.sessions
        self._count[last] = 0
        given = torch.zeros(3, size, dtype=torch.int64)
        given[0], given[1] = last, START
        self._steps[size](given)
        self._start = [held[last, 0].clone() for held in self._held]
        self._start_after = self._after[last].clone()
