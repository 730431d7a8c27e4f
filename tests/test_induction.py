"""Induction: planted causes are found, bounds are kept, and the bars are reached on real logs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.bench.datasets import open_dataset
from logwright.bench.joined import joined_parts
from logwright.bench.protocol import Cut
from logwright.errors import LogwrightError
from logwright.rules.book.rulebook import may_be
from logwright.rules.induction.drafts import Draft
from logwright.rules.induction.induction import Sample, induce
from logwright.rules.induction.sightings import Sightings
from logwright.rules.language.emit import callable_of
from logwright.rules.language.gate import parse
from logwright.windows.window import Windows
from rule_windows import IDS, TEXTS, plainly, sequences

Flags = np.ndarray


def made(windows: Windows, labels: Sequence[str] | Flags, share: float = 0.8) -> Sample:
    return Sample(windows, TEXTS, IDS, labels, int(len(windows) * share))


def alarms(
    drafts: Sequence[Draft], windows: Windows, texts: Sequence[str] | None, ids: Sequence[str]
) -> Flags:
    """Windows on which a rule that is fit to be active fires."""
    sightings = Sightings(windows, texts, ids)
    fired = [d.fires(sightings) for d in drafts if d.kind == "abnormal" and not d.single]
    return np.any(fired, axis=0) if fired else np.zeros(len(windows), bool)


def scores(flagged: Flags, truth: Flags) -> tuple[float, float]:
    """Precision and F1."""
    right = int((flagged & truth).sum())
    return right / max(int(flagged.sum()), 1), 2 * right / max(int(flagged.sum() + truth.sum()), 1)


def drawn(seed: int, size: int = 300) -> list[list[int]]:
    random = np.random.default_rng(seed)
    return [random.integers(0, 5, random.integers(1, 7)).tolist() for _ in range(size)]


@given(st.integers(0, 2**32 - 1))
def test_a_planted_cause_is_found(seed: int) -> None:
    templates = drawn(seed)
    truth = np.array([1 in t or t.count(3) >= 2 for t in templates])
    windows = Windows.of_sequences(templates, "count")
    train = np.arange(300) < 200
    drafts = induce(made(windows.select(train), truth[train]), words=False)
    _, f1 = scores(alarms(drafts, windows.select(~train), TEXTS, IDS), truth[~train])
    assert f1 > 0.95


@given(sequences(least=1, most=40), st.integers(0, 2**32 - 1))
def test_every_rule_passes_the_gate_and_says_what_its_columns_say(
    templates: list[list[int]], seed: int
) -> None:
    labels = np.random.default_rng(seed).random(len(templates)) < 0.4
    for kind in ("session", "count"):
        windows = Windows.of_sequences(templates, kind)
        drafts = induce(made(windows, labels))
        assert len({draft.name for draft in drafts}) == len(drafts)
        for draft in drafts:
            assert may_be(draft.name)
            rule = callable_of(parse(draft.source))
            fired = draft.fires(Sightings(windows, TEXTS, IDS))
            assert fired.tolist() == [rule(w) for w in plainly(windows, TEXTS, IDS)]


@given(sequences(least=1, most=60), st.integers(0, 2**32 - 1))
def test_facts_are_those_of_the_windows(templates: list[list[int]], seed: int) -> None:
    labels = np.random.default_rng(seed).random(len(templates)) < 0.4
    windows = Windows.of_sequences(templates)
    sample = made(windows, labels)
    early = np.arange(len(labels)) < sample.check
    for draft in induce(sample):
        fired = draft.fires(Sightings(windows, TEXTS, IDS))
        right = labels if draft.kind == "abnormal" else ~labels
        assert draft.facts.train == ((fired & right & early).sum(), (fired & ~right & early).sum())
        assert draft.facts.check == (
            (fired & right & ~early).sum(),
            (fired & ~right & ~early).sum(),
        )
        assert (fired & right)[list(draft.examples)].all()
        assert not (fired | right)[list(draft.counter_examples)].any()


@given(sequences(least=1, most=60), st.integers(0, 2**32 - 1))
def test_a_normal_rule_never_fires_on_an_abnormal_window_of_validation(
    templates: list[list[int]], seed: int
) -> None:
    labels = np.random.default_rng(seed).random(len(templates)) < 0.2
    for kind in ("session", "count"):
        for draft in induce(made(Windows.of_sequences(templates, kind), labels, 0.5)):
            if draft.kind == "normal":
                assert draft.facts.check[1] == 0


@pytest.mark.parametrize("at", [100, 390])
def test_what_was_abnormal_once_is_not_normal(at: int) -> None:
    labels = np.zeros(420, bool)
    labels[[at, *range(400, 420)]] = True
    templates = [[2, 2]] * 400 + [[2, 0]] * 20
    drafts = induce(made(Windows.of_sequences(templates, "count"), labels))
    assert [d for d in drafts if d.kind == "normal"] == []


def test_a_stretch_of_lines_is_normal_only_as_a_whole() -> None:
    templates = [[2, 2, 2]] * 30 + [[2, 0]] * 10 + [[2, 4, 2]] * 30
    labels = np.array([False] * 30 + [True] * 10 + [False] * 30)
    drafts = induce(made(Windows.of_sequences(templates, "count"), labels, 1.0))
    normal = [d for d in drafts if d.kind == "normal"]
    assert normal
    assert {c.kind for d in normal for c in d.conditions} == {"only"}


def test_classes_are_told_from_all_others() -> None:
    templates = [[2], [0, 2], [3, 2], [2, 2]] * 30
    labels = ["", "disk", "network", ""] * 30
    drafts = induce(made(Windows.of_sequences(templates), labels))
    found = {d.target: d.conditions[0].a.of for d in drafts if d.basis == "covering" and d.target}
    assert set(found) == {"disk", "network"}
    fires = {
        d.target: d.fires(Sightings(Windows.of_sequences(templates[:4]), TEXTS, IDS))
        for d in drafts
        if d.basis == "covering"
    }
    assert fires["disk"].tolist() == [False, True, False, False]
    assert fires["network"].tolist() == [False, False, True, False]


def test_a_single_form_of_window_stays_a_draft() -> None:
    templates = [[2]] * 50 + [[1, 2]] * 4 + [[2]] * 10
    labels = np.array([False] * 50 + [True] * 4 + [False] * 10)
    drafts = induce(made(Windows.of_sequences(templates, "count"), labels), words=False)
    assert [d.single for d in drafts if d.kind == "abnormal"] == [True]


def test_words_of_one_form_of_window_stay_a_draft() -> None:
    for often, single in (([[1, 2]] * 4, True), ([[1, 2], [1, 2, 2]] * 2, False)):
        templates = [[2]] * 50 + often + [[2]] * 10
        labels = np.array([1 in window for window in templates])
        drafts = induce(made(Windows.of_sequences(templates, "count"), labels))
        assert {d.single for d in drafts if d.basis == "words"} == {single}


def test_without_anomalies_there_are_no_rules() -> None:
    windows = Windows.of_sequences([[0, 1]] * 20)
    assert induce(made(windows, np.zeros(20, bool))) == []


def test_labels_are_of_windows() -> None:
    with pytest.raises(LogwrightError, match="2 labels for 3 windows"):
        Sample(Windows.of_sequences([[0]] * 3), None, IDS, ["", ""], 2)


def test_the_same_sample_gives_the_same_rules() -> None:
    templates = drawn(7)
    labels = np.array([0 in t and 3 not in t for t in templates])
    sample = made(Windows.of_sequences(templates), labels)
    assert [d.source for d in induce(sample)] == [d.source for d in induce(sample)]


def of_history(
    name: str, data: Path, share: float
) -> tuple[list[Draft], Windows, Flags, Sequence[str] | None, list[str]]:
    """Rules of the first share of a set of windows, of which the last sixth is the validation
    slice, and the rest of the set."""
    dataset = open_dataset(name, data)
    part, n = dataset.held, len(dataset.held)
    assert hasattr(part, "windows")
    cut = int(n * share)
    early = np.arange(n) < cut
    windows: Windows = part.windows
    ids = [str(i) for i in range(int(windows.events.template.max()) + 1)]
    texts = dataset.texts
    sample = Sample(windows.select(early), texts, ids, part.truth[early], cut * 5 // 6)
    return induce(sample), windows.select(~early), part.truth[~early], texts, ids


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.4, 0.5, 0.6, 0.7])
def test_bgl_rules_find_what_is_worded_alike(data: Path, share: float) -> None:
    drafts, windows, truth, texts, ids = of_history("bgl-windows20", data, share)
    precision, f1 = scores(alarms(drafts, windows, texts, ids), truth)
    assert precision >= 0.97
    assert f1 >= 0.65
    sources = [d.source for d in drafts]
    assert not any(re.search(r'phrase\(line.text, "[^"]*\d', source) for source in sources)
    normal = [d for d in drafts if d.kind == "normal"]
    sightings = Sightings(windows, texts, ids)
    covered = np.any([d.fires(sightings) for d in normal], axis=0)
    assert covered.mean() > 0.3
    assert (covered & truth).sum() <= 1e-4 * covered.sum()


def test_bgl_lines_are_told_by_their_words(data: Path) -> None:
    series = open_dataset("bgl-raw", data).series("100")
    n = len(series)
    cut, end = int(n * 0.6), int(n * 0.7)
    split = series.split(Cut(0.0, slice(0, cut), slice(cut, end), slice(series.after_gap(end), n)))
    history = joined_parts(split.train, split.validation)
    ids = [f"t-{i}" for i in range(len(split.texts or ()))]
    drafts = induce(Sample(history.windows, split.texts, ids, history.truth, len(split.train)))
    flagged = alarms(drafts, split.test.windows, split.texts, ids)
    assert scores(flagged, split.test.truth)[1] >= 0.97


@pytest.mark.long
def test_hdfs_sessions_are_told_by_at_most_forty_rules(data: Path) -> None:
    drafts, windows, truth, texts, ids = of_history("hdfs", data, 0.6)
    assert len([d for d in drafts if d.kind == "abnormal"]) <= 40
    assert scores(alarms(drafts, windows, texts, ids), truth)[1] >= 0.995


def test_of_words_that_one_incident_holds_no_more_is_made_than_one_rule() -> None:
    texts = ["all is well", "disk severed", "peer closed: try later", "socket lost"]
    templates = [[0], [1, 2], [0], [2, 1], [0], [0], [3], [0], [3], [0]] * 4
    labels = np.array([any(window) for window in templates])
    windows = Windows.of_sequences(templates, "count")
    sample = Sample(windows, texts, ["t-1", "t-2", "t-3", "t-4"], labels, 30)
    words = [d for d in induce(sample, normal=None) if d.basis == "words"]
    assert len(words) == 2
    fired = [d.fires(Sightings(windows, texts, sample.ids)) for d in words]
    assert (np.any(fired, axis=0) == labels).all()
