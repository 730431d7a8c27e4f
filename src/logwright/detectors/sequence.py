"""The sequence step: how unexpected the events of a window are to a trained model of their order.

What was trained (`training`, `sequence`) is a small network that gives each next event of a session
a probability. A window's score is `sequence.scoring.combined`: the surprise (natural log of one
over the probability) of its least expected event, plus a multiple of the mean over its events.
Windows that cheaper rungs flag are not asked about.

The pattern of a finding is the event that came and the one before it, never the score: a verdict
is on the step from one to the other.

A sequence that was scored before is looked up: most sessions of a log are alike.

Limits: of one window the `_MOST` least expected steps are told. Templates that were never seen in
training are scored by the words of their text (`sequence.vocabulary`). Windows that are no sessions
begin and end anywhere: that one ends is no event there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Evidence, Floats, State
from logwright.errors import ModelError
from logwright.findings.finding import SEVERITIES, Severity
from logwright.findings.run import many
from logwright.findings.severity import rank
from logwright.logs.batch import Int32s
from logwright.sequence.recall import Recall, Scorer
from logwright.sequence.scoring import MEAN_WEIGHT, Float32s, Tokens, combined
from logwright.sequence.sequences import Sequences
from logwright.sequence.vocabulary import END, EventVocabulary
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows

__all__ = ["FILE", "NextEvent"]

FILE = "sequence.onnx"
"""The name of the network's file in a model's folder."""

_WEIGHTS = "weights_"  # the tables that are rows of numbers, a column per place
_MOST = 3
_BEFORE = 3  # lines cited before the one that was not expected
_EXPECTED = 3  # events named as expected
_NAMED = 0.01  # ... if they are this probable
_MEMO = 100_000  # sequences whose score is remembered
_LEAST = 1e-5  # a smaller probability is told as "under"


class NextEvent:
    """Scores a window by how unexpected its events are. `opened` makes what scores from a state.

    What was trained comes by `load`; nothing is learned from windows here.
    """

    name = "sequence"
    unit = "next_event"

    def __init__(self, opened: Callable[[State, EventVocabulary], Scorer] | None = None) -> None:
        self._opened = _Running if opened is None else opened
        self._state: State | None = None
        self._recall: Recall | None = None
        self._events = EventVocabulary([], [])
        self._codes = np.empty(0, np.int32)  # of the templates with these hashes
        self._hashes = np.empty(0, np.uint64)
        self._memo: dict[bytes, float] = {}  # the score of each sequence

    @property
    def meta(self) -> dict[str, Any]:
        """What is told of the training."""
        return {} if self._state is None else self._state.meta

    def open(self) -> None:
        """Make ready what scores: `MissingExtraError` where what it needs is not installed,
        `ModelError` where the network cannot be read."""
        if self._recall is not None or self._state is None:
            return
        try:
            self._recall = Recall(self._opened(self._state, self._events))
        except (LookupError, TypeError, ValueError) as error:
            raise ModelError(
                f"the sequence step of this model cannot be read ({error}): train it again"
            ) from None

    @classmethod
    def of(
        cls,
        network: bytes,
        weights: Mapping[str, Float32s],
        events: EventVocabulary,
        meta: Mapping[str, Any],
    ) -> NextEvent:
        """A step from what training made: the network as ONNX, `Weights.to_tables`, the events, and
        what is to be told of it."""
        ids, texts = events.ids[: events.known], events.texts[: events.known]
        tables: dict[str, dict[str, NDArray[Any]]] = {
            "events": {"id": np.array(ids, object), "text": np.array(texts, object)}
        }
        for name, rows in weights.items():
            tables[f"{_WEIGHTS}{name}"] = {str(i): rows[:, i] for i in range(rows.shape[1])}
        step = cls()
        step.load(State(dict(meta), tables, {FILE: network}))
        return step

    def fit(self, windows: Windows, vocabulary: Vocabulary) -> None:
        """Nothing is learned here: see `training`."""

    def score(self, windows: Windows, vocabulary: Vocabulary) -> Floats:
        """How unexpected the events of each window, and its end, are (`combined`, in nats)."""
        self.open()
        if self._recall is None or not len(windows):
            return np.zeros(len(windows))
        distinct, inverse = self._sequences(windows, vocabulary).distinct()
        keys = [
            blake2b(distinct.one(i).tobytes(), digest_size=16).digest()
            for i in range(len(distinct))
        ]
        fresh = np.array([key not in self._memo for key in keys], bool)
        if fresh.any():
            if len(self._memo) + len(keys) > _MEMO:
                self._memo.clear()
                fresh[:] = True
            scores = combined(self._tokens(distinct.take(fresh), windows.kind)).tolist()
            asked = (key for key, new in zip(keys, fresh.tolist(), strict=True) if new)
            self._memo.update(zip(asked, scores, strict=True))
        found = np.array([self._memo[key] for key in keys])[inverse]
        return np.where(windows.sizes > 0, found, 0.0)

    def _sequences(self, windows: Windows, vocabulary: Vocabulary) -> Sequences:
        every = Sequences.of_windows(windows, self._codes_of(vocabulary))
        # Without the times: with them hardly two sessions are alike, and each would be computed.
        return Sequences(every.events, every.bounds, every.weights)

    def _tokens(self, sequences: Sequences, kind: str) -> Tokens:
        assert self._recall is not None
        tokens = self._recall.score(sequences)
        if kind != "session":
            nll = tokens.nll.copy()
            nll[tokens.bounds[1:] - 1] = 0.0
            tokens = Tokens(nll, tokens.rank, tokens.bounds)
        return tokens

    def _codes_of(self, vocabulary: Vocabulary) -> Int32s:
        """The code of each template by index; templates that are new here are met."""
        hashes = vocabulary.hashes
        known = len(self._hashes)
        if len(hashes) < known or (hashes[:known] != self._hashes).any():  # another vocabulary
            known = 0
        if len(hashes) > known:
            more = [
                self._events.meet(event_name(number), vocabulary.templates[known + at].text)
                for at, number in enumerate(hashes[known:].tolist())
            ]
            self._codes = np.concatenate((self._codes[:known], np.array(more, np.int32)))
            self._hashes = hashes.copy()
        return self._codes

    def evidence(
        self, windows: Windows, i: int, vocabulary: Vocabulary, threshold: float
    ) -> list[Evidence]:
        """The least expected steps of window `i`, one entry per pattern."""
        self.open()
        one = windows.select_one(i)
        if self._recall is None or not len(one.events):
            return []
        sequences = self._sequences(one, vocabulary)
        nll = self._recall.surprises(sequences.one(0)).astype(np.float64)
        if one.kind != "session":
            nll[-1] = 0.0
        scores = nll + MEAN_WEIGHT * nll.mean()  # the window's if it were the largest
        found: list[Evidence] = []
        told: set[tuple[int, int]] = set()
        events = sequences.one(0)
        for at in np.argsort(-nll, kind="stable").tolist():
            # The first one always: computed anew, it may score a last digit less than before.
            beside = scores[at] < threshold or nll[at] < nll.max() / 2
            if (found and beside) or len(found) == _MOST:
                break
            step = (int(events[at - 1]) if at else -1, int(events[at]) if at < len(events) else END)
            if step not in told:
                told.add(step)
                surprise, score = float(nll[at]), float(scores[at])
                found.append(self._told(one, vocabulary, sequences, at, surprise, score))
        return found

    def _told(
        self,
        one: Windows,
        vocabulary: Vocabulary,
        sequences: Sequences,
        at: int,
        surprise: float,
        score: float,
    ) -> Evidence:
        """The step to position `at` (that of the last event + 1: the end) in words."""
        assert self._recall is not None
        template, row = one.events.template, one.events.row
        n = len(template)
        ended = at == n
        likely = self._recall.expected(sequences.one(0), at, _EXPECTED)
        if one.kind != "session":
            likely = [(code, p) for code, p in likely if code != END]
        hopes = [(self._named(code), p) for code, p in likely if p >= _NAMED] or [
            (self._named(code), p) for code, p in likely[:1]
        ]
        expected = ", ".join(f"{name} {percent(p)}" for name, p in hopes)
        before = int(template[at - 1]) if at else None
        came = None if ended else int(template[at])
        chance = percent(float(np.exp(-surprise)))
        kind = "session" if one.kind == "session" else "window"
        where = f"after {many(n, 'event')}" if ended else f"event {at + 1:,} of {n:,}"
        texts = vocabulary.templates
        if came is None:
            what = f"the {kind} ends after '{texts[int(template[-1])].text}'"
            seen = f"the end {chance}"
        else:
            after = f"begins the {kind}" if before is None else f"after '{texts[before].text}'"
            what = f"'{texts[came].text}' {after}"
            seen = f"'{texts[came].text}' {chance}"
        last = min(at, n - 1)
        rows = row[max(0, last - _BEFORE) : last + 1].tolist()
        named = [t for t in (came, before) if t is not None]
        ids = ["start" if before is None else texts[before].id]
        ids.append("end" if came is None else texts[came].id)
        return Evidence(
            score=score,
            summary=f"unexpected: {what}, {where}, chance {chance}",
            expected=f"{where}: {expected}",
            seen=seen,
            rows=rows,
            key_rows=rows[-1:],
            templates=list(dict.fromkeys(named)),
            parts=[">".join(ids)],
            severity=_severity(int(one.events.level[last]), [texts[t].text for t in named[:1]]),
        )

    def _named(self, code: int) -> str:
        return "the end" if code == END else f"'{self._events.text(code)}'"

    def save(self) -> State:
        """What was trained."""
        return State({}) if self._state is None else self._state

    def load(self, state: State) -> None:
        """Take over what was trained; the network itself is opened when it is first asked."""
        if not state.meta and not state.files:
            return
        table = state.tables["events"]
        ids, texts = (list(map(str, table[name])) for name in ("id", "text"))
        self._state, self._recall = state, None
        self._events = EventVocabulary(ids, texts)
        self._codes, self._hashes = np.empty(0, np.int32), np.empty(0, np.uint64)
        self._memo.clear()


def event_name(number: int) -> str:
    """The name of the event that a template is, from its hash.

    >>> event_name(255)
    't-00000000000000ff'
    """
    return f"t-{number:016x}"


def percent(p: float) -> str:
    """A probability for people.

    >>> [percent(p) for p in (0.624, 0.0312, 0.0002, 1e-9)]
    ['62%', '3.1%', '0.02%', 'under 0.001%']
    """
    if p < _LEAST:
        return f"under {100 * _LEAST:g}%"
    if p >= 0.1:
        return f"{100 * p:.0f}%"
    return f"{float(f'{100 * p:.1g}'):g}%" if p < _NAMED else f"{100 * p:.1f}%"


def _severity(level: int, texts: list[str]) -> Severity:
    """That of the line in question: medium at least, as for any make-up that is not known."""
    return SEVERITIES[max(rank(level, texts), 1)]


class _Running:
    """A trained network that onnxruntime runs, which meets events as the vocabulary does."""

    def __init__(self, state: State, events: EventVocabulary) -> None:
        from logwright.sequence.runtime import Runtime
        from logwright.sequence.weights import Weights

        tables = {
            name.removeprefix(_WEIGHTS): np.column_stack(list(columns.values()))
            for name, columns in state.tables.items()
            if name.startswith(_WEIGHTS)
        }
        weights = Weights.from_tables(tables)
        if weights.learned != events.learned:
            raise ModelError(
                f"the sequence step knows {weights.learned:,} events and names {events.learned:,}: "
                "train it again"
            )
        self._runtime, self._events = Runtime(state.files[FILE], weights), events

    def looked(self, sequences: Sequences) -> tuple[Tokens, Float32s | None]:
        """The surprise of every event, and of the end, of sequences that differ; and the output
        before each, where that is not too much to keep."""
        self._runtime.weights.meet(self._events)
        return self._runtime.looked(sequences)

    def likeliest(self, h: Float32s, n: int) -> list[tuple[int, float]]:
        """The `n` most probable events after an output, with their probabilities."""
        return self._runtime.likeliest(h, n)

    def expected(self, sequence: Int32s, position: int, n: int) -> list[tuple[int, float]]:
        """The `n` most probable events at a position of a sequence, with their probabilities."""
        self._runtime.weights.meet(self._events)
        return self._runtime.expected(sequence, position, n)
