"""Small networks with random weights, exported: what tests of the sequence runtime run on."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from logwright.sequence.presets import PRESETS
from logwright.sequence.runtime import Runtime
from logwright.sequence.sequences import Sequences
from logwright.sequence.vocabulary import FIRST, EventVocabulary

KINDS = ("tiny", "recurrent")
EVENTS = 20


def vocabulary() -> EventVocabulary:
    return EventVocabulary(
        [f"id{i}" for i in range(EVENTS)],
        [f"disk {i % 3} part {'abcdefg'[i % 7]}" for i in range(EVENTS)],
    )


@cache
def network(name: str) -> Any:
    """A network whose every weight matters: gaps, distances and biases are not left at zero."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    torch.set_num_threads(1)
    from logwright.sequence.network import EventNetwork

    torch.manual_seed(3)
    # Reaches far below the lengths of the sequences tested, so that rings turn several times.
    preset = replace(PRESETS[name], width=16, heads=2, reach_global=7, reach_local=3)
    made = EventNetwork(vocabulary(), preset)
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(torch.randn_like(weight) * 0.3)
        made.gaps[0] = 0
        made.bias_met.fill_(0.7)
    return made.eval()


@cache
def exported(name: str) -> Any:
    made = network(name)
    pytest.importorskip("onnx", reason="onnx is not installed")
    from logwright.sequence.export import export

    return export(made)


def runtime(name: str) -> Runtime:
    """A runtime of its own, so that events met in one test are not in another."""
    graph, weights = exported(name)
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    return Runtime(graph, replace(weights))


def drawn(lengths: list[int], seed: int = 1) -> Sequences:
    """Random sequences with times."""
    rng = np.random.default_rng(seed)
    lists = [rng.integers(FIRST, FIRST + EVENTS, n).tolist() for n in lengths]
    made = Sequences.of_lists(lists)
    gaps = rng.integers(0, 16, len(made.events)).astype(np.int8)
    return Sequences(made.events, made.bounds, made.weights, gaps)


def by_torch(
    name: str, sequences: Sequences, i: int, met: EventVocabulary | None = None
) -> np.ndarray:
    """The surprises of a sequence and its end, by the network computed as a whole."""
    import torch

    from logwright.sequence.network import token_nll

    made = network(name)
    made.meet(met or vocabulary())
    codes = torch.tensor([[0, *sequences.one(i).tolist()]])
    gaps = None
    if sequences.gaps is not None:
        gaps = torch.tensor([[0, *sequences.gaps[sequences.bounds[i] : sequences.bounds[i + 1]]]])
    with torch.no_grad():
        after = torch.tensor([[*sequences.one(i).tolist(), 1]])
        found: np.ndarray = token_nll(made(codes, gaps), after, made.learned)[0].numpy()
    return found
