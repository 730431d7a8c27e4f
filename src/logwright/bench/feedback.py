"""Ask once: questions asked and F1 reached, on HDFS sessions and on BGL windows of 20 lines.

Both sets in order of time, with the same default settings: history is the first part, normal
windows only (labels choose them); the unit to ask about is chosen by the product from history; from
then on an expert answers by the true labels (`bench.asking`). Rows also tell what happens with
wrong, late, few or no answers, without the templates' texts, and for other lengths of history.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.bench.asking import Expert, Outcome, Part, ask
from logwright.bench.cost import costs
from logwright.bench.hdfs import EventIds, counts_of, read
from logwright.detectors.counts import Counts
from logwright.detectors.ladder import Budget
from logwright.detectors.learner import CHECK_SHARE, Learner
from logwright.feedback.rarity import LATELY, Rarity
from logwright.feedback.unit import Choice, Expected, choose
from logwright.settings import Settings
from logwright.templates.vocabulary import Vocabulary
from logwright.templates.wording import SYMPTOM, trouble, words
from logwright.windows.window import Windows

__all__ = ["run"]

_CURVE = (0, 1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 100, 150)
_SEEDS = 5
_AGAIN = 100
_REFIT = 500


@dataclass(frozen=True, slots=True)
class _Set:
    """A data set; `day` is how many of its windows came in a day."""

    name: str
    file: str
    texts: str | None
    history: float
    others: tuple[float, ...]
    day: int


_SETS = (
    # 575,061 blocks in 38.7 hours; 4,747,963 lines, by 20, in 214 days.
    _Set("hdfs", "hdfs/hdfs_sequences.tsv.zst", None, 0.6, (0.05, 0.2, 0.4, 0.5, 0.7), 356_600),
    _Set(
        "bgl",
        "bgl/bgl_windows20.tsv.zst",
        "bgl/bgl_windows20_templates.json",
        0.2,
        (0.1, 0.3, 0.4, 0.5, 0.6),
        1_109,
    ),
)


def run(data: Path, quick: bool = False) -> dict[str, Any]:
    """Rows per set and policy; curves of F1 against questions; what single words are worth."""
    rows: list[dict[str, Any]] = []
    curves: dict[str, list[dict[str, Any]]] = {}
    summary: dict[str, Any] = {}
    told = []
    for each in _SETS:
        labels, sequences = read(data / each.file, 20_000 if quick else None)
        windows = Windows.of_sequences(sequences)
        vocabulary = EventIds(int(windows.events.template.max()) + 1)
        texts = None if each.texts is None else _texts(data / each.texts, len(vocabulary))
        case = _Case(each, windows, labels, vocabulary, texts)
        part, choice = case.part(each.history)
        truth = labels[len(labels) - len(part.windows) :]
        answers = _answers(case, part, truth, choice)
        rows += answers
        rows += _floors(case, part, truth)
        rows += [_at(case, share) for share in each.others[: 1 if quick else None]]
        curves[each.name] = _curve(part, truth, _CURVE[: 3 if quick else None])
        summary |= {
            f"{each.name}_f1": answers[0]["f1"],
            f"{each.name}_questions": answers[0]["questions"],
            f"{each.name}_f1_without_answers": answers[-1]["f1"],
            f"{each.name}_unit": choice.reason,
        }
        if texts is not None and not quick:
            summary["bgl_words"] = _without_each_word(part, truth)
        told.append(f"{each.file}: {len(labels):,} windows, {labels.mean():.2%} abnormal")
    return {
        "data": "; ".join(told) + "; in order of time",
        "settings": {"budget": Settings().budget, "seeds": _SEEDS},
        "rows": rows,
        "curves": curves,
        "times": costs(data, quick),
        "summary": summary,
    }


def _texts(path: Path, size: int) -> list[str]:
    named = json.loads(path.read_text("utf-8"))
    return [named[str(i)] for i in range(size)]


@dataclass(slots=True)
class _Case:
    set: _Set
    windows: Windows
    labels: NDArray[np.bool_]
    vocabulary: Vocabulary
    texts: Sequence[str] | None

    def part(self, share: float, texts: bool = True) -> tuple[Part, Choice]:
        """The part after `share` of the set as history, with the unit that the product chooses."""
        cut = int(len(self.labels) * share)
        at = np.arange(len(self.labels))
        past = self.windows.select((at < cut) & ~self.labels)
        learner = Learner("session", 0, self.vocabulary, Budget(Settings().budget))
        first = np.arange(len(past)) < int(len(past) * (1 - CHECK_SHARE))
        for which, checking in ((first, False), (~first, True)):
            one = past.select(which)
            learner.see(one.events, checking)
            (learner.check if checking else learner.learn)(one)
        choice = choose([Expected(*asked) for asked in learner.asked()])
        test = self.windows.select(at >= cut)
        known = self.texts if texts else None
        return Part(past, test, self.vocabulary, known, choice.unit, self.set.day), choice


def _row(
    name: str,
    share: float,
    policy: str,
    unit: str,
    truth: NDArray[np.bool_],
    o: Outcome,
) -> dict[str, Any]:
    counted = counts_of(o.flagged, truth)
    return {
        "set": name,
        "history": f"{share:.0%}",
        "policy": policy,
        "unit": unit,
        "precision": counted["precision"],
        "recall": counted["recall"],
        "f1": counted["f1"],
        "f1_answered": counts_of(o.answered, truth)["f1"],
        "questions": len(o.asked),
        "benign": o.benign,
        "windows": len(truth),
        "alarms_per_10k": counted["alarms_per_10k"],
        "positive_rate": round(float(truth.mean()), 4),
    }


def _answers(
    case: _Case, part: Part, truth: NDArray[np.bool_], choice: Choice
) -> list[dict[str, Any]]:
    """Rows for experts of several kinds; the last one is that nobody answers."""
    name, share = case.set.name, case.set.history
    experts = (
        ("answers at once", Expert()),
        ("answers 1,000 windows late", Expert(delay=1_000)),
        ("10 answers a day", Expert(per_day=10)),
    )
    rows = [_row(name, share, p, choice.unit, truth, ask(part, truth, e)) for p, e in experts]
    rows.append(_wrong(case, part, truth, choice, None))
    rows.append(_wrong(case, part, truth, choice, _AGAIN))
    if case.texts is not None:
        bare, _ = case.part(share, texts=False)
        rows.append(
            _row(
                name,
                share,
                "answers at once, texts not looked at",
                choice.unit,
                truth,
                ask(bare, truth, Expert()),
            )
        )
    rows.append(_row(name, share, "nobody answers", choice.unit, truth, ask(part, truth, None)))
    return rows


def _wrong(
    case: _Case, part: Part, truth: NDArray[np.bool_], choice: Choice, again: int | None
) -> dict[str, Any]:
    """One answer in ten is wrong: the median over seeds, with the range of F1."""
    policy = "10 % of answers wrong"
    policy += f", second opinion after {again} windows" if again else ""
    rows = [
        _row(
            case.set.name,
            case.set.history,
            policy,
            choice.unit,
            truth,
            ask(part, truth, Expert(wrong=0.1, again=again, seed=seed)),
        )
        for seed in range(_SEEDS)
    ]
    rows.sort(key=lambda row: float(row["f1"]))
    middle = rows[_SEEDS // 2]
    middle["questions"] = int(median(row["questions"] for row in rows))
    middle["f1_range"] = f"{rows[0]['f1']:.3f} to {rows[-1]['f1']:.3f}"
    return middle


def _at(case: _Case, share: float) -> dict[str, Any]:
    part, choice = case.part(share)
    truth = case.labels[len(case.labels) - len(part.windows) :]
    outcome = ask(part, truth, Expert())
    return _row(case.set.name, share, "answers at once", choice.unit, truth, outcome)


def _floors(case: _Case, part: Part, truth: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """What needs no thought: everything, nothing, any new template, any word of trouble, a new
    length, and rare templates (SeaLog's score)."""
    n = len(truth)
    flags = {
        "floor: flag all": np.ones(n, bool),
        "floor: flag none": np.zeros(n, bool),
        "floor: unseen template": part.unseen,
        "floor: unseen length": _unseen_length(case, part),
        f"floor: rare among the last {LATELY} templates (EVT)": _rare(part),
    }
    if case.texts is not None:
        bad = np.array([trouble(text) >= SYMPTOM for text in case.texts])
        flags["floor: keyword list"] = _any(part.windows, bad)
    return [
        _row(case.set.name, case.set.history, policy, "", truth, Outcome(flagged, flagged))
        for policy, flagged in flags.items()
    ]


def _any(windows: Windows, templates: NDArray[np.bool_]) -> NDArray[np.bool_]:
    sums = np.concatenate(([0], np.cumsum(templates[windows.events.template])))
    held: NDArray[np.bool_] = sums[windows.bounds[1:]] > sums[windows.bounds[:-1]]
    return held


def _unseen_length(case: _Case, part: Part) -> NDArray[np.bool_]:
    cut = len(case.labels) - len(part.windows)
    at = np.arange(len(case.labels))
    length = Counts("length")
    length.fit(case.windows.select((at < cut) & ~case.labels), case.vocabulary)
    new: NDArray[np.bool_] = length.score(part.windows, case.vocabulary) >= 1.0
    return new


def _rare(part: Part) -> NDArray[np.bool_]:
    """Windows that hold a template of which nine tenths of those seen lately come more often."""
    seen: dict[int, int] = {}  # the one seen last is last
    flagged = np.zeros(len(part.windows), bool)
    rarity: Rarity | None = None
    owner, template, number = part.windows.counts()
    for at, t, n in zip(owner.tolist(), template.tolist(), number.tolist(), strict=True):
        if at % _REFIT == 0:
            rarity = Rarity.of(list(seen.values())[-LATELY:])
        before = seen.pop(t, 0)
        flagged[at] |= rarity is not None and rarity.score(before + n) > 0.9
        seen[t] = before + n
    return flagged


def _curve(part: Part, truth: NDArray[np.bool_], numbers: Sequence[int]) -> list[dict[str, Any]]:
    """F1 by how many questions the expert answers, the first ones that are asked."""
    points = []
    for most in numbers:
        outcome = ask(part, truth, Expert(most=most) if most else None)
        points.append(
            {"questions": len(outcome.asked), "f1": counts_of(outcome.flagged, truth)["f1"]}
        )
        if len(outcome.asked) < most:
            break
    return points


def _without_each_word(part: Part, truth: NDArray[np.bool_]) -> str:
    """How F1 without answers changes if one word of the list is unknown; the list is that of
    `templates.wording`, which is older than this measurement."""
    assert part.texts is not None
    found = sorted({word for text in part.texts for word in words(text)})
    results = {
        word: counts_of(ask(part.reworded(_hide(part.texts, word)), truth, None).flagged, truth)[
            "f1"
        ]
        for word in found
    }
    low, high = min(results, key=results.__getitem__), max(results, key=results.__getitem__)
    return (
        f"F1 without answers if one of {len(found)} words were not in the list: "
        f"{results[low]:.3f} (without '{low}') to {results[high]:.3f} (without '{high}')"
    )


def _hide(texts: Iterable[str], word: str) -> list[str]:
    """Texts in which a word is spelled so that no list knows it, everywhere in the same way."""
    spelled = f"{word[0]}q{word[1:]}"
    return [re.sub(re.escape(word), spelled, text, flags=re.I) for text in texts]
