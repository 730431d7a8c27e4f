"""What a model's answer earns: R-Log's reward as released, and ours.

`released` is that of R-Log's code (arXiv 2509.25987), term for term: the format, and the answer by
task. Its defects, and what `ours` does about each:

* Nothing balances classes: with 12 % abnormal, "always normal" earns +0.76 a line. With a `Balance`
  a class that comes rarely weighs more, so that a constant answer earns 0 on the whole.
* An answer without its tags raises an error there; here it earns the format's penalty.
* The check of answer-first texts looks for `<//answer>` and can never pass; here it looks right.
* BLEU is 0 as soon as one order of n-grams has no match; here it is smoothed.
* Nothing asks whether what is cited stands in the lines, nor how long a reply is; here both count.

Pure functions of texts. Rewards are unit-free; a whole one is in [-2, 2.6] or so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from logwright.reasoning.building.trajectories import cited_in
from logwright.reasoning.overlap import overlap
from logwright.reasoning.speaking.quotes import plain, quoted
from logwright.reasoning.task import Task
from logwright.reasoning.token_f1 import token_f1

__all__ = [
    "Balance",
    "Parts",
    "Reward",
    "cited",
    "cited_words",
    "judged",
    "ours",
    "parts",
    "released",
    "too_long",
    "verdict_of",
    "worded",
]

FORMAT = 0.1
MISSHAPEN = -1.0
LIKENESS = 0.8  # the mean overlap that earns 1, as released
CITED = 0.5  # what citing only what is there adds in `ours`
MOST_WORDS = 400  # R-Log's reasonings have 171 on average, those of solutions 345

_TAGS = {
    False: ("<think>", "</think>", "<answer>", "</answer>"),
    True: ("<answer>", "</answer>", "<think>", "</think>"),
}
_LINE_CITATION = re.compile(r"^\s*(\d{1,7}):[ \t]*(\S.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Parts:
    """The two parts of a text that are scored, stripped."""

    think: str
    answer: str


def parts(text: str, answer_first: bool = False) -> Parts | None:
    """The parts, or None unless each of the four tags stands in the text once, in order.

    >>> parts("<think>a</think><answer>normal</answer>")
    Parts(think='a', answer='normal')
    >>> parts("<think>a</think>normal"), parts("<answer>normal</answer><think>a</think>")
    (None, None)
    >>> parts("<answer>normal</answer><think>a</think>", answer_first=True).answer
    'normal'
    """
    tags = _TAGS[answer_first]
    places = [text.find(tag) for tag in tags]
    if min(places) < 0 or places != sorted(places) or any(text.count(tag) > 1 for tag in tags):
        return None
    first = text[places[0] + len(tags[0]) : places[1]].strip()
    second = text[places[2] + len(tags[2]) : places[3]].strip()
    return Parts(second, first) if answer_first else Parts(first, second)


@dataclass(frozen=True, slots=True)
class Balance:
    """The weight of each true verdict, so that each class counts the same on the whole.

    >>> truths = ["normal"] * 88 + ["abnormal"] * 12
    >>> balance = Balance.of(truths)
    >>> round(sum(balance.weight(truth) * judged("normal", truth) for truth in truths), 6)
    0.0
    """

    weights: Mapping[str, float]

    @classmethod
    def of(cls, truths: Iterable[str]) -> Balance:
        """From the true verdicts of the training set."""
        counts = Counter(truth.strip().lower() for truth in truths)
        total = sum(counts.values())
        return cls({verdict: total / (len(counts) * n) for verdict, n in counts.items()})

    def weight(self, truth: str) -> float:
        """1 for a verdict that was not in the training set."""
        return self.weights.get(truth.strip().lower(), 1.0)


def judged(answer: str, truth: str) -> float:
    """+1 for the true verdict, -1 for any other; case does not count.

    >>> judged(" Abnormal", "abnormal"), judged("abnormal, or normal", "abnormal")
    (1.0, -1.0)
    """
    return 1.0 if answer.strip().lower() == truth.strip().lower() else -1.0


def verdict_of(answer: str) -> str:
    """The verdict of an answer: its first line, plain.

    >>> verdict_of("abnormal\\nThe disk is full.")
    'abnormal'
    """
    return plain(answer.strip().partition("\n")[0]).strip()


def worded(answer: str, truth: str, smooth: bool = True) -> float:
    """Likeness of wording, 1 at a mean overlap of 0.8; at most 1.25.

    >>> worded("the disk of node 7 is full", "the disk of node 7 is full"), worded("", "disk")
    (1.25, 0.0)
    """
    return overlap(answer, truth, smooth).mean / LIKENESS


def cited_words(text: str) -> list[tuple[int, str]]:
    """What a text cites, each once: `[12: "words"]` anywhere, and the rows of `<lines>`.

    >>> cited_words('<think>[2: "disk full"]</think><lines>\\n2: disk full\\n3: gone</lines>')
    [(2, 'disk full'), (3, 'gone')]
    """
    found = [(citation.line, citation.quote) for citation in cited_in(text)]
    _, opened, rest = text.partition("<lines>")
    if opened:
        rows = rest.partition("</lines>")[0]
        found += [(int(match[1]), match[2]) for match in _LINE_CITATION.finditer(rows)]
    return list(dict.fromkeys(found))


def cited(text: str, lines: Sequence[str]) -> float:
    """The share of a text's citations that hold; 0 where it cites nothing.

    >>> cited('[1: "disk full"] and [9: "gone"]', ["the disk full"]), cited("trust me", ["a"])
    (0.5, 0.0)
    """
    found = cited_words(text)
    if not found:
        return 0.0
    return sum(_holds(number, quote.strip(), lines) for number, quote in found) / len(found)


def _holds(number: int, quote: str, lines: Sequence[str]) -> bool:
    # The same rule as that of `answer.problems`: no single letter is a quote of a longer line.
    if not 1 <= number <= len(lines):
        return False
    line = lines[number - 1]
    return len(quote) >= min(3, len(line.strip())) and quoted(quote, line) is not None


def too_long(text: str, most: int = MOST_WORDS) -> float:
    """The penalty for words beyond `most`: 0 up to there, -1 from twice as many on.

    >>> too_long("word " * 100, most=100), too_long("word " * 150, most=100)
    (0.0, -0.5)
    """
    beyond = len(text.split()) - most
    return -min(1.0, beyond / most) if beyond > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Reward:
    """What a text earns, by part."""

    format: float
    answer: float
    citations: float = 0.0
    length: float = 0.0

    @property
    def total(self) -> float:
        """The sum."""
        return self.format + self.answer + self.citations + self.length


def released(task: Task, text: str, truth: str, line: str = "") -> Reward:
    """R-Log's joint reward; `line` is the raw line, which parsing is scored on.

    Failure prediction, which R-Log does not have, is scored as anomaly is.

    >>> told = "<think>It says so.</think><answer>abnormal</answer>"
    >>> round(released(Task.ANOMALY, told, "abnormal").total, 2)
    1.1
    >>> round(released(Task.ANOMALY, told, "normal").total, 2)
    -0.9
    >>> released(Task.ANOMALY, "abnormal", "abnormal").total
    -2.0
    """
    found = parts(text)
    if found is None:
        return Reward(MISSHAPEN, -1.0)
    return Reward(FORMAT, _answered(task, found.answer, truth, line, smooth=False))


def ours(
    task: Task,
    text: str,
    truth: str,
    lines: Sequence[str],
    balance: Balance | None = None,
    answer_first: bool = False,
    most_words: int = MOST_WORDS,
) -> Reward:
    """The joint reward with R-Log's defects mended, plus citations and length.

    >>> lines = ["all well", "disk full on /dev/sda"]
    >>> told = '<think>Line [2: "disk full"] says it.</think><answer>abnormal</answer>'
    >>> round(ours(Task.ANOMALY, told, "abnormal", lines).total, 2)
    1.6
    >>> round(ours(Task.ANOMALY, told.replace("2:", "1:"), "abnormal", lines).total, 2)
    1.1
    """
    found = parts(text, answer_first)
    length = too_long(text, most_words)
    if found is None:
        return Reward(MISSHAPEN, -1.0, 0.0, length)
    answer = _answered(task, found.answer, truth, "\n".join(lines), smooth=True)
    if task.verdicts and balance is not None:
        answer *= balance.weight(truth)
    return Reward(FORMAT, answer, CITED * cited(text, lines), length)


def _answered(task: Task, answer: str, truth: str, line: str, smooth: bool) -> float:
    answer = plain(answer)
    if smooth and task not in (Task.INTERPRET, Task.SOLUTION):
        # Ours: the verdict stands alone on the first line, and sentences may follow.
        answer = verdict_of(answer)
    if task is Task.PARSE:
        return token_f1(answer, truth, line)
    return judged(answer, truth) if task.verdicts else worded(answer, truth, smooth)
