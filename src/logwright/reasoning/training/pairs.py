"""`Pair`: two replies to one prompt, of which one is to be preferred; from the model's own mistakes
(LogReasoner, arXiv 2509.20798) and from what experts corrected.

The rejected side is always what a model wrote. The chosen side is the teacher's answer, or the
model's own second try once it is told what the check found; a mistake that nobody can mend is left
out and counted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from logwright.reasoning import rewards
from logwright.reasoning.building.trajectories import Trajectory
from logwright.reasoning.speaking.prompts import again
from logwright.reasoning.training.examples import Example, finished
from logwright.reasoning.training.measuring import right
from logwright.reasoning.training.replies import Messages

__all__ = ["Found", "Pair", "Retry", "faults", "own_mistakes", "read_pairs", "write_pairs"]

Retry = Callable[[Sequence[Messages], int], list[str]]
"""Replies to conversations; the number is that of the attempt, so that each draws anew."""

_LIKE = 0.5  # a text this like the teacher's in wording is not called a mistake


@dataclass(frozen=True, slots=True)
class Pair:
    """`origin` says who mended it: "teacher", "self" or "expert"."""

    prompt: Messages
    chosen: str
    rejected: str
    origin: str


@dataclass(frozen=True, slots=True)
class Found:
    """Pairs, with what they came from: replies looked at, mistakes among them, and those mended."""

    pairs: tuple[Pair, ...]
    replies: int
    mistakes: int

    @property
    def told(self) -> dict[str, int]:
        """As JSON."""
        return {"replies": self.replies, "mistakes": self.mistakes, "pairs": len(self.pairs)}


def faults(item: Trajectory, reply: str) -> list[str]:
    """What is wrong with a reply, a sentence each. It never tells the true answer: a model that is
    given these must find that itself.

    >>> from logwright.reasoning.task import Task
    >>> item = Trajectory(task=Task.ANOMALY, strategy="", system="s", time=0, lines=("disk full",),
    ...     reasoning="", answer="abnormal", form="verdict", citations=(), teacher="evidence",
    ...     source="own")
    >>> faults(item, '<think>[1: "disk fine"]</think><answer>normal</answer>')
    ["line 1 does not say 'disk fine'", 'the answer is not right']
    >>> faults(item, '<think>[1: "disk full"]</think><answer>abnormal</answer>')
    []
    """
    found = rewards.parts(reply)
    if found is None:
        return ["the answer has not the form that was asked for: <think>, then <answer>"]
    told = []
    cited = rewards.cited_words(reply)
    for line, quote in cited:
        if rewards.cited(f"[{line}: {json.dumps(quote)}]", item.lines) == 1.0:
            continue
        told.append(f"line {line} does not say {quote!r:.120}")
    if not cited:
        told.append("no line is cited")
    if right(item.task, found.answer, item.answer) < _LIKE:
        told.append("the answer is not right")
    return told


def own_mistakes(
    examples: Sequence[Example],
    replies: Sequence[str],
    retry: Retry | None = None,
    attempts: int = 4,
) -> Found:
    """Pairs from a model's replies to `examples`: corrected by the teacher, or where `retry` is
    given by the model itself."""
    wrong = [
        (example, reply, told)
        for example, reply in zip(examples, replies, strict=True)
        if (told := faults(example.item, reply))
    ]
    if retry is None:
        pairs = [Pair(e.prompt, e.reply, reply, "teacher") for e, reply, _ in wrong]
        return Found(tuple(pairs), len(replies), len(wrong))
    mended: dict[int, str] = {}
    for attempt in range(attempts):
        left = [i for i in range(len(wrong)) if i not in mended]
        if not left:
            break
        asked = [_told_again(wrong[i][0], wrong[i][2]) for i in left]
        for i, reply in zip(left, retry(asked, attempt), strict=True):
            if not faults(wrong[i][0].item, reply):
                mended[i] = reply
    pairs = [Pair(wrong[i][0].prompt, mended[i], wrong[i][1], "self") for i in sorted(mended)]
    return Found(tuple(pairs), len(replies), len(wrong))


def _told_again(example: Example, told: Sequence[str]) -> Messages:
    """As `speaking` asks again; the true answer is not told."""
    return finished(again(list(example.asked), "; ".join(told)))


def write_pairs(path: Path, pairs: Sequence[Pair]) -> None:
    """As JSON Lines, for people and for a run that is taken up again."""
    work = path.with_name(f".{path.name}.tmp")
    # JSON escapes everything beyond ASCII, so lines that are no UTF-8 come back as they were.
    text = "".join(json.dumps(asdict(pair)) + "\n" for pair in pairs)
    work.write_text(text, "ascii")
    work.replace(path)


def read_pairs(path: Path) -> list[Pair]:
    """The pairs that `write_pairs` wrote."""
    with open(path, encoding="ascii") as file:
        return [Pair(**json.loads(line)) for line in file]
