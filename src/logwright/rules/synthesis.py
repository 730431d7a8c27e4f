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

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from logwright.llm import Answer, Ask, BudgetError, ChatModel, Message, ModelAnswerError, Waiting
from logwright.rules.attempt import Attempt
from logwright.rules.clustering import Space, clusters, space
from logwright.rules.diary import Diary
from logwright.rules.exam import Exam, Side
from logwright.rules.induction import Sample
from logwright.rules.plain import Window
from logwright.rules.prompts import Kind, opening
from logwright.rules.proposals import Proposal, kept, label
from logwright.rules.sampling import Anchored, anchored, contrast, shown, tokens_of
from logwright.rules.sandbox import Sandbox
from logwright.rules.tryout import Run, SandboxRun, forms, names

__all__ = ["ROOM", "Proposal", "Synthesis", "synthesize"]

Bools = NDArray[np.bool_]

MOST_CLUSTERS: dict[Kind, int] = {"abnormal": 24, "normal": 8}
"""Clusters of a side that are asked about, the largest first: one conversation each."""

LEAST_WINDOWS = 2
"""Of a cluster that is asked about."""

ROOM = 6000
"""Tokens of log text in an opening."""

_ANCHOR_SHARE, _LATER_ROOM = 3, 600
_COVERED = 0.8
"""Share of a cluster's windows that accepted rules tell, from which on its conversation ends."""


@dataclass(frozen=True)
class Synthesis:
    """The rules, most telling first; `ended` says what ended the loop early, if anything did."""

    rules: tuple[Proposal, ...]
    ended: str


def synthesize(
    chat: ChatModel,
    sample: Sample,
    read: Callable[[int], Window],
    diary: Path | None = None,
    run: Run | None = None,
) -> Synthesis:
    """Rules for the classes of anomaly of a sample, and for its normal windows. `read` gives a
    window as rules see it, by its number; `run` runs a rule over all of them (in the sandbox).

    Raises `Waiting` where the model is a batch whose answers are not there yet.
    """
    with Diary(diary) as pages, Sandbox() as sandbox:
        pages.title("Synthesis of rules", 1)
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
            ended = _rounds(chat, attempts, pages)
        except Waiting as waiting:
            pages.say(str(waiting))
            raise
        rules = tuple(rule for side in sides for rule in kept(side, attempts, pages))
        pages.title("End")
        pages.say(ended or "all conversations ended")
        pages.say(f"{len(rules)} rules; {chat.spending.told()}")
        for rule in rules:
            pages.say(f"{rule.name}: {rule.kind}, {rule.facts}")
    return Synthesis(rules, ended)


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


def _rounds(chat: ChatModel, attempts: Sequence[Attempt], pages: Diary) -> str:
    """Asks until all have ended; why it ended before that, if so."""
    number, ended = 0, ""
    while not ended:
        _spare(attempts)
        live = [attempt for attempt in attempts if not attempt.ended]
        if not live:
            return ""
        number += 1
        pages.title(f"Round {number}")
        pages.say(f"{len(live)} questions; before it: {chat.spending.told()}")
        answers, ended = _answers(chat, [attempt.ask for attempt in live])
        for attempt, answer in zip(live, answers, strict=True):
            if isinstance(answer, Answer):
                attempt.take(answer)
            else:
                attempt.end(answer)
    for attempt in attempts:
        if not attempt.ended:
            attempt.end(ended)
    return ended


def _answers(chat: ChatModel, asks: Sequence[Ask]) -> tuple[list[Answer | str], str]:
    """The answers of a round, or why there is none, and what ends the loop, if so. After a failure
    the answers that did come are fetched from the journal one by one; what failed is tried once
    more. Two failures in a row, or a spent budget, are the end."""
    try:
        return list(chat.ask_many(asks)), ""
    except (BudgetError, ModelAnswerError):
        pass
    answers: list[Answer | str] = []
    waiting: Waiting | None = None
    ended, failed = "", False
    for ask in asks:
        if ended:
            answers.append(ended)
            continue
        try:
            answer = chat.ask(ask.messages, max_tokens=ask.max_tokens, purpose=ask.purpose)
        except Waiting as found:
            waiting = found
        except (BudgetError, ModelAnswerError) as error:
            answers.append(str(error))
            if failed or isinstance(error, BudgetError):
                ended = str(error)
            failed = True
        else:
            answers.append(answer)
            failed = False
    if waiting is not None:
        raise waiting
    return answers, ended


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
            attempt.end("accepted rules tell its windows already")
