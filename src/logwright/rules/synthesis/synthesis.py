"""Synthesis: rules from labelled windows, written by a language model and believed in nothing.

CodeAD (arXiv 2510.22986): clusters of windows, a contrastive sample of each, and a loop of
generating, testing, repairing and refining; abnormal and normal rules apart. What a model answers
is text: it is parsed by the language's gate, and only the tree that comes out is tested, in the
sandbox. The numbers behind a rule are ours, never the model's. Every rule is a draft.

Each round asks for all clusters at once. An endpoint that fails, or a budget that is spent, ends
the loop with the rules found so far; a batch raises `Waiting` after each round, and a run that is
begun again with the same history and journal goes on from there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from logwright.llm import Answer, Ask, BudgetError, ChatModel, Message, ModelAnswerError, Waiting
from logwright.rules.induction.induction import Sample
from logwright.rules.language.plain import Window
from logwright.rules.sandbox.sandbox import Sandbox
from logwright.rules.synthesis.attempt import Attempt, Outcome
from logwright.rules.synthesis.clustering import Space, clusters, space
from logwright.rules.synthesis.diary import Diary
from logwright.rules.synthesis.exam import Exam, Side
from logwright.rules.synthesis.prompts import Kind, opening
from logwright.rules.synthesis.proposals import Proposal, kept, label
from logwright.rules.synthesis.sampling import Anchored, anchored, contrast, shown, tokens_of
from logwright.rules.synthesis.tryout import Run, SandboxRun, forms, names

__all__ = ["ROOM", "Proposal", "Synthesis", "synthesize"]

Bools = NDArray[np.bool_]

MOST_CLUSTERS: dict[Kind, int] = {"abnormal": 24, "normal": 8}
"""Clusters of a side that are asked about, the largest first: one conversation each."""

LEAST_WINDOWS = 2
"""Of a cluster that is asked about."""

ROOM = 6000
"""Tokens of log text in an opening."""

_ANCHOR_SHARE, _LATER_ROOM = 3, 600
_TRIES, _MOST_FAILURES = 2, 2
_COVERED = 0.8
"""Share of a cluster's windows that accepted rules tell, from which on its conversation ends."""


@dataclass(frozen=True)
class Synthesis:
    """The rules, most telling first; `ended` says what ended the loop early, if anything did;
    `answers` are those that came, and `outcomes` how often conversations ended in which way."""

    rules: tuple[Proposal, ...]
    ended: str
    answers: int
    outcomes: Mapping[Outcome, int]

    @property
    def told(self) -> str:
        """What came of the questions in one sentence.

        >>> Synthesis((), "", 9, {"refused": 8, "no rule": 1}).told
        '9 questions: 8 refused, 1 no rule'
        """
        if not self.outcomes:
            return f"nothing was asked: no cluster holds {LEAST_WINDOWS} windows of train"
        number = sum(self.outcomes.values())
        each = ", ".join(f"{count} {name}" for name, count in self.outcomes.items())
        return f"{_many(number, 'question')}: {each}"


def _quiet(_: str) -> None:
    """Tells nobody."""


def synthesize(
    chat: ChatModel,
    sample: Sample,
    read: Callable[[int], Window],
    diary: Path | None = None,
    run: Run | None = None,
    tell: Callable[[str], None] = _quiet,
) -> Synthesis:
    """Rules for the classes of anomaly of a sample, and for its normal windows. `read` gives a
    window as rules see it, by its number; `run` runs a rule over all of them (in the sandbox);
    `tell` is called with a sentence for each round.

    Raises `Waiting` where the model is a batch whose answers are not there yet.
    """
    with Diary(diary) as pages, Sandbox() as sandbox:
        pages.title(f"Synthesis of rules, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", 1)
        pages.say(f"sandbox: {', '.join(sandbox.protections) or 'no protection'}")
        for missing in sandbox.missing:
            pages.say(f"not protected: {missing}")
        runs = run or SandboxRun(sandbox, read, len(sample.windows))
        exam = Exam(
            sandbox,
            runs,
            read,
            sample.check,
            forms(map(read, range(len(sample.windows)))),
            names(map(read, range(len(sample.windows)))),
        )
        sides = list(_sides(sample))
        attempts = _attempts(sides, sample, read, exam, pages)
        try:
            ended = _rounds(chat, attempts, pages, tell)
        except Waiting as waiting:
            pages.say(str(waiting))
            raise
        rules = tuple(rule for side in sides for rule in kept(side, attempts, pages))
        pages.title("End")
        pages.say(ended or "all conversations ended")
        outcomes = Counter(attempt.outcome for attempt in attempts)
        found = Synthesis(rules, ended, sum(attempt.asked for attempt in attempts), outcomes)
        pages.say(found.told)
        pages.say(f"{_many(len(rules), 'rule')}; {chat.spending.told()}")
        for rule in rules:
            untested = "" if rule.facts.check != (0, 0) else "; True for no window of validation"
            pages.say(f"{rule.name}: {rule.kind}, {rule.facts}{untested}")
    return found


def _attempts(
    sides: Sequence[Side], sample: Sample, read: Callable[[int], Window], exam: Exam, pages: Diary
) -> list[Attempt]:
    texts = sample.texts if sample.texts is not None else [""] * len(sample.ids)
    held = space(sample.windows, texts)
    made = []
    for side in sides:
        made += list(_of_side(side, sample, held, texts, read, exam, pages))
    return made


def _sides(sample: Sample) -> Iterator[Side]:
    """The classes of anomaly, and the normal windows."""
    abnormal = np.zeros(len(sample.windows), bool)
    for name, which in sample.classes().items():
        abnormal |= which
        yield Side("abnormal", name, which)
    yield Side("normal", "", ~abnormal)


def _of_side(
    side: Side,
    sample: Sample,
    held: Space,
    texts: Sequence[str],
    read: Callable[[int], Window],
    exam: Exam,
    pages: Diary,
) -> Iterator[Attempt]:
    early = np.arange(len(sample.windows)) < sample.check
    found = clusters(held, side.which & early, MOST_CLUSTERS[side.kind])
    pages.title(f"Clusters: {side.told}")
    pages.say(f"{int((side.which & early).sum())} windows of train in {len(found)} clusters")
    for at in range(len(found)):
        if len(found.members(at)) < LEAST_WINDOWS:
            pages.say(f"cluster {at + 1} is left out: {len(found.members(at))} window")
            continue
        picked = anchored(sample.windows, held, found, at, early & ~side.which, len(texts))
        show = _Shower(read, sample.ids)
        first = _opening(side, picked, texts, show)
        name = "-".join(part for part in (side.kind, label(side.target), str(at + 1)) if part)
        pages.say(f"{name}: {len(picked.members)} windows, anchor {picked.anchor}")
        yield Attempt(name, side, picked, first, exam, pages, show)


class _Shower:
    """Shows windows within a room, what tells the sides apart first."""

    def __init__(self, read: Callable[[int], Window], ids: Sequence[str]) -> None:
        self._read, self._place = read, {name: at for at, name in enumerate(ids)}

    def __call__(self, window: int, picked: Anchored, room: int = _LATER_ROOM) -> list[str]:
        gaps = np.abs(picked.contrast.gaps)
        place = self._place
        return shown(
            self._read(window),
            room,
            lambda line: float(gaps[place[line.template]]) if line.template in place else 0.0,
        )


def _opening(side: Side, picked: Anchored, texts: Sequence[str], show: _Shower) -> list[Message]:
    told = contrast(picked.contrast, texts)
    room = ROOM - sum(map(tokens_of, told))
    anchor = show(picked.anchor, picked, room // _ANCHOR_SHARE)
    others = [*picked.fellows, *picked.opposites]
    each = (room - sum(map(tokens_of, anchor))) // max(len(others), 1)
    own = [anchor, *(show(i, picked, each) for i in picked.fellows)]
    other = [show(i, picked, each) for i in picked.opposites]
    return opening(side.kind, told, own, other, side.target)


def _rounds(
    chat: ChatModel, attempts: Sequence[Attempt], pages: Diary, tell: Callable[[str], None]
) -> str:
    """Asks until all have ended; why it ended before that, if so."""
    number, ended = 0, ""
    while not ended:
        _spare(attempts)
        live = [attempt for attempt in attempts if not attempt.ended]
        if not live:
            return ""
        number += 1
        pages.title(f"Round {number}")
        pages.say(f"{_many(len(live), 'question')}; before it: {chat.spending.told()}")
        tell(f"round {number}: {_many(len(live), 'question')}, {chat.spending.so_far} so far")
        answers, ended = _answers(chat, [attempt.ask for attempt in live])
        for attempt, answer in zip(live, answers, strict=True):
            if isinstance(answer, Answer):
                attempt.take(answer)
            else:
                attempt.end(answer, "no answer")
    for attempt in attempts:
        if not attempt.ended:
            attempt.end(ended, "no answer")
    return ended


def _answers(chat: ChatModel, asks: Sequence[Ask]) -> tuple[list[Answer | str], str]:
    """The answers of a round, or why there is none, and what ends the loop, if so. A question that
    failed is asked once more, after the others. A spent budget, a failure that all questions would
    share, and two failures without an answer between them are the end."""
    held: dict[int, Answer | str] = {}
    waiting: Waiting | None = None
    failed, row, ended = Counter[int](), 0, ""
    rest = list(range(len(asks)))
    while rest and not ended:
        outcomes = dict(zip(rest, chat.outcomes([asks[at] for at in rest]), strict=True))
        errors: list[BudgetError | ModelAnswerError] = []
        for at, outcome in outcomes.items():
            if isinstance(outcome, Answer):
                held[at] = outcome
            elif isinstance(outcome, Waiting):
                waiting = outcome
            elif isinstance(outcome, (BudgetError, ModelAnswerError)):
                errors.append(outcome)
                failed[at] += 1
                if failed[at] == _TRIES:
                    held[at] = str(outcome)
            elif outcome is not None:
                raise outcome
        row = 0 if any(isinstance(o, Answer) for o in outcomes.values()) else row + len(errors)
        final = [e for e in errors if isinstance(e, BudgetError) or e.final]
        if final or row >= _MOST_FAILURES:
            ended = str((final or errors)[0])
        rest = [at for at in rest if at not in held and not isinstance(outcomes[at], Waiting)]
        rest.sort(key=lambda at: failed[at])
    if waiting is not None:
        raise waiting
    return [held.get(at, ended) for at in range(len(asks))], ended


def _spare(attempts: Sequence[Attempt]) -> None:
    """Ends conversations whose windows the rules of others tell already."""
    for attempt in attempts:
        if attempt.ended or not attempt.asked:
            continue
        told = np.zeros(len(attempt.side.which), bool)
        for other in attempts:
            if other.side is attempt.side and other.best is not None:
                told |= other.best.result.fires
        if told[attempt.anchored.members].mean() >= _COVERED:
            attempt.end("accepted rules tell its windows already", "told by others")


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
