"""Sequence steps for tests: one that a few lines of arithmetic score, and one that is trained."""

from __future__ import annotations

import zlib
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np

from logwright.detectors.base import State
from logwright.detectors.sequence import FILE, NextEvent
from logwright.sequence.scoring import Tokens
from logwright.sequence.sequences import Sequences
from logwright.sequence.vocabulary import END, FIRST, START, EventVocabulary


class FakeRuntime:
    """Each step from one event to the next has a surprise of 0 to 9 nats, by the hash of the names,
    or what `steps` (pairs of texts) says; whatever is asked, the end is expected at 90 %."""

    def __init__(
        self, events: EventVocabulary, steps: dict[tuple[str, str], float] | None = None
    ) -> None:
        self.events, self.steps, self.asked = events, steps, 0

    def _surprise(self, before: int, came: int) -> float:
        pair = self.events.text(before), self.events.text(came)
        if self.steps is not None:
            return self.steps.get(pair, 0.0)
        return float(zlib.crc32(repr(pair).encode()) % 10)

    def looked(self, sequences: Sequences) -> tuple[Tokens, None]:
        self.asked += len(sequences)
        rows = []
        for i in range(len(sequences)):
            path = [START, *sequences.one(i).tolist(), END]
            rows.append([self._surprise(a, b) for a, b in pairwise(path)])
        return Tokens.of_lists(rows, [[1] * len(row) for row in rows]), None

    def likeliest(self, h: np.ndarray, n: int) -> list[tuple[int, float]]:
        raise AssertionError("there are no outputs")

    def expected(self, sequence: np.ndarray, position: int, n: int) -> list[tuple[int, float]]:
        return [(END, 0.9), (FIRST, 0.09)][:n]


def fake(steps: dict[tuple[str, str], float] | None = None) -> NextEvent:
    """A sequence step that a fake runtime scores."""
    return NextEvent(lambda state, events: FakeRuntime(events, steps))


def state_of(names: list[str], texts: list[str]) -> State:
    """What a training that saw these events would have left."""
    table = {"id": np.array(names, object), "text": np.array(texts, object)}
    return State({"preset": "fake"}, {"events": table}, {FILE: b"onnx"})


def trained(vocabulary, known: int, steps: dict[tuple[str, str], float] | None = None) -> NextEvent:
    """A step whose training saw the first `known` templates of a vocabulary."""
    detector = fake(steps)
    held = vocabulary.templates[:known]
    detector.load(state_of([t.id for t in held], [t.text for t in held]))
    return detector


@cache
def network(names: tuple[str, ...], texts: tuple[str, ...]) -> State:
    """What a few steps of training on sessions of these events leave."""
    from logwright.sequence.export import export
    from logwright.sequence.presets import preset
    from logwright.sequence.pretraining import pretrain

    events = EventVocabulary(names, texts)
    codes = list(range(FIRST, len(events)))
    sessions = Sequences.of_lists([codes[i:] + codes[:i] for i in range(len(codes))])
    few = replace(preset("tiny"), steps=4, warmup=1, every=4, batch=64)
    made = pretrain(sessions, sessions, events, few, seed=1)
    graph, weights = export(made.network)
    return NextEvent.of(graph, weights.to_tables(), events, {"preset": "tiny"}).save()


def real(vocabulary, known: int) -> NextEvent:
    """A step that onnxruntime runs, whose training saw the first `known` templates."""
    held = vocabulary.templates[:known]
    detector = NextEvent()
    detector.load(network(tuple(t.id for t in held), tuple(t.text for t in held)))
    return detector


def scorer_of(step: NextEvent) -> FakeRuntime:
    """The fake runtime of a step."""
    step.open()
    assert step._recall is not None
    scorer = step._recall.scorer
    assert isinstance(scorer, FakeRuntime)
    return scorer
