"""Figures of answers: what a row of the reasoning suite says of one engine on one set.

Where an engine says "not enough evidence" it has not found what was asked for: for anomalies and
failures that is no alarm, a template or a text is empty, a cause is wrong. So silence never pays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import mean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.bench.metrics import Tally, Triple, interval
from logwright.bench.reasoning_asked import Asked
from logwright.bench.reasoning_causal import causal_lines
from logwright.reasoning.overlap import overlap
from logwright.reasoning.task import Task
from logwright.reasoning.token_f1 import token_f1

__all__ = ["alarms", "anomalies", "causes", "templates", "texts"]

_DIGITS = 4
_ROUNDS = 1_000
_FIRST = 3
_POSITIVE = {Task.ANOMALY: "abnormal", Task.FAILURE: "failure"}


def templates(asked: Sequence[Asked]) -> dict[str, Any]:
    """Token F1 (which tokens vary) and the share of templates that are exactly right; by system."""
    f1 = [
        token_f1(one.said, one.item.truth, one.item.material.text(1)) if one.said else 0.0
        for one in asked
    ]
    exact = [one.said == one.item.truth for one in asked]
    return {
        **_mean("token_f1", f1),
        **_mean("exact", exact),
        "token_f1_by_system": _by_system(asked, f1),
        "exact_by_system": _by_system(asked, exact),
    }


def alarms(asked: Sequence[Asked], published: bool = False) -> dict[str, Any]:
    """Precision, recall and F1 of "abnormal" or "failure", with how common these are; `published`
    takes the labels as the set has them, uncorrected."""
    positive = _POSITIVE[asked[0].item.task]
    told = [one.item.published if published else one.item.truth for one in asked]
    truth = np.array([one == positive for one in told])
    found = np.array([one.said == positive for one in asked])
    tally = Tally.of(found, truth)
    out: dict[str, Any] = {"positive_rate": round(float(truth.mean()), _DIGITS)}
    if truth.any():
        triple = Triple(*np.round([tally.precision, tally.recall, tally.f1], _DIGITS).tolist())
        low, high = interval(tally)
        out |= {"precision": triple.precision, "recall": triple.recall, "f1": triple.f1}
        out |= {"f1_ci_low": round(low, _DIGITS), "f1_ci_high": round(high, _DIGITS)}
    return out | {"tp": tally.tp, "fp": tally.fp, "fn": tally.fn, "tn": tally.tn}


def anomalies(asked: Sequence[Asked]) -> dict[str, Any]:
    """`alarms` by the corrected labels, and F1 by those that were published."""
    before = alarms(asked, published=True)
    named = {f"{key}_published": before[key] for key in ("f1", "positive_rate") if key in before}
    return {**alarms(asked), **named}


def texts(asked: Sequence[Asked]) -> dict[str, Any]:
    """How far texts overlap with those that people or models wrote: means of BLEU-4 (as released,
    0 where one order of n-grams has no match) and of ROUGE. Likeness of wording, not truth."""
    each = [overlap(_told(one), one.item.truth) for one in asked]
    out: dict[str, Any] = {
        name: round(mean(getattr(one, name) for one in each), _DIGITS)
        for name in ("bleu", "rouge1", "rouge2", "rouge_l")
    }
    out["words"] = round(mean(len(_told(one).split()) for one in asked), 1)
    return out | _pointed(asked)


def causes(asked: Sequence[Asked]) -> dict[str, Any]:
    """How often the injected fault is named first: over all incidents, and as the mean over the
    classes of fault; what was named in its place; whether a line that tells of the fault is among
    the first three cited, of the incidents that have such lines."""
    truth = np.array([one.item.truth for one in asked], object)
    right = np.array([_named(one) == one.item.truth for one in asked])
    names = sorted(set(truth.tolist()))
    drawn = np.random.default_rng(0).integers(len(right), size=(_ROUNDS, len(right)))
    spread = [_recall(truth[d], right[d], names) for d in drawn]
    out: dict[str, Any] = {"macro_recall": round(_recall(truth, right, names), _DIGITS)}
    low, high = np.quantile(spread, [0.025, 0.975])
    out |= {"macro_recall_low": round(float(low), _DIGITS)}
    out |= {"macro_recall_high": round(float(high), _DIGITS)}
    out["accuracy"] = round(float(right.mean()), _DIGITS)
    out |= _pointed(asked)
    pairs = Counter((one.item.truth, _named(one) or "not enough evidence") for one in asked)
    out["confusion"] = {f"{true} as {said}": many for (true, said), many in sorted(pairs.items())}
    return out


def _recall(truth: NDArray[np.object_], right: NDArray[np.bool_], names: Sequence[str]) -> float:
    """The mean over classes of the share named rightly; a draw without a class leaves it out."""
    return mean(float(right[truth == name].mean()) for name in names if (truth == name).any())


def _named(one: Asked) -> str:
    """The cause named first."""
    return one.said.strip().lower()


def _told(one: Asked) -> str:
    """The text of an answer; a floor says only a verdict."""
    if one.answer is None or not one.answer.enough:
        return ""
    return one.answer.text or one.answer.verdict


def _mean(name: str, values: Sequence[float]) -> dict[str, float]:
    """The mean with its 95 % bootstrap interval over items."""
    each = np.array(values, float)
    drawn = np.random.default_rng(0).integers(len(each), size=(_ROUNDS, len(each)))
    low, high = np.quantile(each[drawn].mean(axis=1), [0.025, 0.975])
    found = {name: each.mean(), f"{name}_low": low, f"{name}_high": high}
    return {key: round(float(value), _DIGITS) for key, value in found.items()}


def _by_system(asked: Sequence[Asked], values: Sequence[float]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for one, value in zip(asked, values, strict=True):
        found.setdefault(one.item.system, []).append(value)
    return {system: round(mean(each), _DIGITS) for system, each in found.items()}


def _pointed(asked: Sequence[Asked]) -> dict[str, Any]:
    """Whether a line that tells of the fault is among the first three cited, of the items that
    have such lines; nothing of engines that cite none."""
    if not any(one.answer is not None and one.answer.citations for one in asked):
        return {}
    found = []
    for one in asked:
        telling = set(one.item.telling or causal_lines(one.item.truth, one.item.lines))
        if telling:
            cited = () if one.answer is None else one.answer.citations[:_FIRST]
            found.append(any(citation.line in telling for citation in cited))
    return (
        {"causal_in_first_3": round(mean(found), _DIGITS), "with_causal_lines": len(found)}
        if found
        else {}
    )
