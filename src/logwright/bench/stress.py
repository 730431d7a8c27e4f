"""Stress: what is left of a method when something of the ordinary is taken away.

F1 at the first offset, for every method where it makes sense:

* duplicates removed: one test window for each make-up;
* mislabelled: so many windows of train have the wrong label. Methods that use labels to choose the
  normal windows of history learn from abnormal ones then;
* a kind held out: the commonest kind of anomaly that both train and test hold is taken out of
  train, for methods that learn from labels; its recall is told;
* renamed: a tenth of the templates that train and test share come under ids never seen;
* second parser: Drain3 instead of ours, on raw logs;
* another system: learned here, tested there, for methods that read texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from logwright.bench.joined import moved
from logwright.bench.metrics import f1_of
from logwright.bench.parts import Part, Split
from logwright.bench.protocol import Listed, renumbered, seen_first
from logwright.bench.runner import Make, Run, View, run_method
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import mix

__all__ = ["Stressed", "mislabelled", "renamed", "transferred", "without_kind"]

_NOISE = (0.01, 0.05, 0.1)
_RENAMED = 0.1
_READ_TEXTS = ("keyword list", "nearest neighbour")
_NO_THOUGHT = ("flag all", "flag none")


@dataclass(frozen=True, slots=True)
class Stressed:
    """What is tried: other splits beside the one that a view is of, by name."""

    others: Mapping[str, View]
    """Splits that any method can be run on: another parser."""
    foreign: Mapping[str, View]
    """Splits whose test part is of another system."""
    seed: int = 0
    noisy: Mapping[str, View] | None = None
    renamed: View | None = None
    held_out: tuple[str, View] | None = None

    @staticmethod
    def of(
        split: Split, others: Mapping[str, View], foreign: Mapping[str, View], seed: int
    ) -> Stressed:
        """Prepared once for all methods of a set."""
        kind = commonest_kind(split)
        return Stressed(
            others,
            foreign,
            seed,
            {f"{share:.0%} mislabelled": View(mislabelled(split, share, seed)) for share in _NOISE},
            View(renamed(split, _RENAMED, seed)),
            None if kind is None else (kind, View(without_kind(split, kind))),
        )

    def __call__(self, view: View, make: Make, run: Run) -> dict[str, Any]:
        """F1 (recall, of a kind held out) by what was done."""
        method = make()
        if method.name in _NO_THOUGHT:
            return {}
        test = view.split.test
        distinct = view.distinct
        found: dict[str, Any] = {
            "duplicates removed": f1_of(run.alarms[distinct], test.truth[distinct])
        }
        if method.needs != "nothing":
            for name, noisy in (self.noisy or {}).items():
                found[name] = self._f1(make, noisy)
        if self.held_out is not None and method.needs == "labels":
            kind, held = self.held_out
            alarms = run_method(make, held, self.seed).alarms
            mine = np.array(held.split.test.kinds, dtype=object) == kind
            found[f"{kind} held out (its recall)"] = round(float(alarms[mine].mean()), 4)
        if self.renamed is not None:
            found["10% of templates renamed"] = self._f1(make, self.renamed)
        for name, other in self.others.items():
            found[name] = self._f1(make, other)
        if method.name in _READ_TEXTS:
            for name, other in self.foreign.items():
                found[name] = self._f1(make, other)
        return {name: value for name, value in found.items() if value is not None}

    def _f1(self, make: Make, view: View) -> float | None:
        run = run_method(make, view, self.seed)
        return f1_of(run.alarms, view.split.test.truth)


def mislabelled(split: Split, share: float, seed: int) -> Split:
    """The same split, the labels of a share of the windows of train turned round."""
    n = len(split.train)
    wrong = np.zeros(n, bool)
    wrong[np.random.default_rng(seed).permutation(n)[: round(n * share)]] = True
    return replace(split, train=replace(split.train, truth=split.train.truth ^ wrong))


def commonest_kind(split: Split) -> str | None:
    """The kind of most abnormal windows of test that train holds too, where there are others."""
    if split.train.kinds is None or split.test.kinds is None:
        return None
    known = set(split.train.kinds) - {""}
    counted = Counter(kind for kind in split.test.kinds if kind in known)
    if len(known) < 2 or not counted:
        return None
    return min(counted, key=lambda kind: (-counted[kind], kind))


def without_kind(split: Split, kind: str) -> Split:
    """The same split, no window in train that holds anything of this kind, nor any template that
    only such windows have."""
    train = split.train.select(~split.train.holds(kind))
    return seen_first(replace(split, train=train))


def renamed(split: Split, share: float, seed: int) -> Split:
    """The same split, a share of the templates that train and test share under new ids in test."""
    size = len(split.vocabulary)
    in_both = np.intersect1d(
        split.train.windows.events.template, split.test.windows.events.template
    )
    chosen = np.random.default_rng(seed).permutation(in_both)
    chosen = np.sort(chosen[: max(1, round(len(in_both) * share))]).astype(np.intp)
    number = np.arange(size, dtype=np.int32)
    number[chosen] = np.arange(size, size + len(chosen))
    same = Listed.picked(split.vocabulary, chosen)
    fresh = Listed(mix(same.hashes + np.uint64(1)), same.templates)
    texts = split.texts
    return replace(
        split,
        test=renumbered(split.test, number),
        vocabulary=_all_of(split.vocabulary) + fresh,
        texts=None if texts is None else [*texts, *(texts[i] for i in chosen.tolist())],
    )


def transferred(split: Split, part: Part, vocabulary: Vocabulary, texts: list[str]) -> Split:
    """Learned on this split, tested on a part of another system: templates are the same where their
    texts are."""
    assert split.texts is not None, "only sets with texts can be transferred"
    own = {text: i for i, text in enumerate(split.texts)}
    size = len(split.vocabulary)
    number = np.empty(len(texts), np.int32)
    added: list[int] = []
    for i, text in enumerate(texts):
        if text in own:
            number[i] = own[text]
        else:
            number[i] = size + len(added)
            added.append(i)
    # Numbers are taken for others than those of this system, whatever they are there.
    foreign = Listed.picked(vocabulary, np.array(added, np.intp))
    foreign = Listed(mix(foreign.hashes), foreign.templates)
    last = max(
        int(p.windows.events.row.max(initial=-1))
        for p in (split.train, split.validation, split.test)
    )
    return replace(
        split,
        test=moved(renumbered(part, number), last + 1),
        vocabulary=_all_of(split.vocabulary) + foreign,
        texts=[*split.texts, *(texts[i] for i in added)],
        by_time=False,
    )


def _all_of(vocabulary: Vocabulary) -> Listed:
    return Listed(vocabulary.hashes, vocabulary.templates)
