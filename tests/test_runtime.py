"""The runtime: same numbers whatever the batch, and a sentence for every bad file."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logwright.errors import InputError, ModelError
from logwright.sequence import runtime as module
from logwright.sequence.providers import SIZES
from logwright.sequence.runtime import Runtime
from logwright.sequence.sequences import Sequences
from logwright.sequence.vocabulary import END, EventVocabulary
from logwright.sequence.weights import Weights
from sequence_nets import KINDS, by_torch, drawn, exported, runtime, vocabulary


@pytest.mark.parametrize("name", KINDS)
@given(lengths=st.lists(st.integers(0, 20), max_size=8))
@settings(max_examples=15)
def test_a_sequence_scores_the_same_alone_and_in_company(name: str, lengths: list[int]) -> None:
    run, sequences = runtime(name), drawn(lengths)
    tokens = run.score(sequences)
    assert tokens.lengths.tolist() == [n + 1 for n in lengths]
    for i in range(len(sequences)):
        alone = run.score(sequences.take(np.array([i])))
        span = slice(tokens.bounds[i], tokens.bounds[i + 1])
        assert tokens.nll[span] == pytest.approx(alone.nll, abs=1e-5)


@pytest.mark.parametrize("name", KINDS)
def test_long_sequences_in_pieces_give_the_numbers_of_the_whole(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequences = drawn([100, 3, 64, 65, 63])
    whole = runtime(name).score(sequences)
    monkeypatch.setattr(module, "_PIECE", 16)
    monkeypatch.setattr(module, "_ROWS", 2)
    pieces = runtime(name).score(sequences)
    assert pieces.nll == pytest.approx(whole.nll, abs=1e-4)


@pytest.mark.parametrize("name", KINDS)
def test_more_sequences_than_fit_a_batch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sequences = drawn([5, 0, 9, 2, 9, 4, 1])
    whole = runtime(name).score(sequences)
    monkeypatch.setattr(module, "_ROWS", 3)
    assert runtime(name).score(sequences).nll == pytest.approx(whole.nll, abs=1e-5)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("numbers", [1, 200])
def test_few_columns_at_once_give_the_same_numbers(
    name: str, numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PIECE", 8)
    sequences = drawn([5, 0, 9, 2, 30, 4, 1])
    whole = runtime(name).score(sequences)
    monkeypatch.setattr(module, "_NUMBERS", numbers)
    parts = runtime(name).score(sequences)
    assert parts.nll == pytest.approx(whole.nll, abs=1e-5)
    assert parts.rank.tolist() == whole.rank.tolist()


@pytest.mark.parametrize("name", KINDS)
@given(lengths=st.lists(st.integers(0, 30), max_size=8), before=st.integers(0, 40))
@settings(max_examples=15)
def test_an_output_is_rated_alike_alone_and_in_company(
    name: str, lengths: list[int], before: int
) -> None:
    run, sequences = runtime(name), drawn(lengths)
    tokens, outputs = run.looked(sequences)
    assert outputs is not None
    codes = np.array([c for i in range(len(sequences)) for c in (*sequences.one(i), END)], np.int32)
    company = np.random.default_rng(1).normal(size=(before, run.weights.width)).astype(np.float32)
    some = np.concatenate([np.zeros(before, np.int32), codes])
    nll, rank = run.weights.rate(np.concatenate([company, outputs]), some)
    assert nll[before:].tolist() == tokens.nll.tolist()
    assert rank[before:].tolist() == tokens.rank.tolist()
    for at in range(len(codes)):
        alone, _ = run.weights.rate(outputs[at : at + 1], codes[at : at + 1])
        assert alone[0] == tokens.nll[at]


def test_outputs_are_kept_while_they_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    run, sequences = runtime("recurrent"), drawn([3, 4])
    tokens, outputs = run.looked(sequences)
    assert outputs is not None
    assert outputs.shape == (9, run.weights.width)
    monkeypatch.setattr(module, "_NUMBERS", 9 * run.weights.width - 1)
    again, none = run.looked(sequences)
    assert none is None
    assert again.nll == pytest.approx(tokens.nll, abs=1e-5)


@pytest.mark.parametrize("name", KINDS)
def test_padding_to_the_sizes_of_an_engine_changes_nothing(name: str) -> None:
    run, sequences = runtime(name), drawn([5, 0, 9])
    before = run.score(sequences)
    run.choice = replace(run.choice, sizes=SIZES)
    assert run.score(sequences).nll == pytest.approx(before.nll, abs=1e-5)


@pytest.mark.parametrize("name", KINDS)
def test_expected_events_are_those_the_rank_speaks_of(name: str) -> None:
    run, sequences = runtime(name), drawn([25])
    tokens = run.score(sequences)
    for position in range(26):
        # Without gaps at hand, what is expected is asked for without times.
        bare = Sequences(sequences.events, sequences.bounds, sequences.weights)
        tokens = run.score(bare)
        every = run.expected(bare.one(0), position, 1_000)
        came = int(bare.events[position]) if position < 25 else END
        assert sum(share for _, share in every) == pytest.approx(1, abs=1e-5)
        assert [code for code, _ in every].index(came) + 1 == tokens.rank[position]
        assert -np.log(dict(every)[came]) == pytest.approx(tokens.nll[position], abs=1e-4)
    assert run.expected(bare.one(0), 3, 2) == run.expected(bare.one(0), 3, 1_000)[:2]


@pytest.mark.parametrize("name", KINDS)
def test_an_event_met_later_is_scored_and_leaves_other_scores_alone(name: str) -> None:
    run, known = runtime(name), vocabulary()
    before = run.score(drawn([12]))
    code = known.meet("new", "disk part never seen before")
    with pytest.raises(InputError, match="meet"):
        run.score(Sequences.of_lists([[code]]))
    run.weights.meet(known)
    assert run.score(drawn([12])).nll.tolist() == before.nll.tolist()
    sequences = Sequences.of_lists([[4, code, 5]])
    assert run.score(sequences).nll == pytest.approx(by_torch(name, sequences, 0, known), abs=1e-4)


@pytest.mark.parametrize("name", KINDS)
def test_weights_survive_their_tables(name: str) -> None:
    graph, weights = exported(name)
    again = Runtime(graph, Weights.from_tables(weights.to_tables()))
    sequences = drawn([9])
    assert again.score(sequences).nll.tolist() == runtime(name).score(sequences).nll.tolist()


def test_no_sequences_and_positions_that_are_not_there() -> None:
    run = runtime("tiny")
    assert len(run.score(drawn([]))) == 0
    with pytest.raises(InputError, match="position 3"):
        run.expected(np.array([4, 5], np.int32), 3, 1)
    with pytest.raises(InputError, match="code -1"):
        run.score(Sequences.of_lists([[4, -1]]))


def test_bad_files_are_one_sentence_each() -> None:
    onnx = pytest.importorskip("onnx")
    graph, weights = exported("tiny")
    with pytest.raises(ModelError, match="damaged or cut short"):
        Runtime(graph[: len(graph) // 2], weights)
    with pytest.raises(ModelError, match="damaged or cut short"):
        Runtime(b"", weights)
    other = onnx.load_from_string(graph)
    del other.metadata_props[:]
    with pytest.raises(ModelError, match="not a sequence model"):
        Runtime(other.SerializeToString(), weights)
    newer = onnx.load_from_string(graph)
    onnx.helper.set_model_props(newer, {"logwright.step": "9"})
    with pytest.raises(ModelError, match="format 9"):
        Runtime(newer.SerializeToString(), weights)
    wide = replace(
        weights, matrix=np.zeros((22, 8), np.float32), gaps=np.zeros((16, 8), np.float32)
    )
    with pytest.raises(ModelError, match="two models"):
        Runtime(graph, wide)


def test_numbers_that_are_none_are_refused() -> None:
    onnx = pytest.importorskip("onnx")
    graph, weights = exported("recurrent")
    tables = weights.to_tables()
    tables["gaps"] = np.full_like(tables["gaps"], np.nan)
    with pytest.raises(ModelError, match="'gaps'"):
        Weights.from_tables(tables)
    with pytest.raises(ModelError, match="do not fit"):
        Weights.from_tables({**weights.to_tables(), "gaps": np.zeros((16, 3), np.float32)})
    with pytest.raises(ModelError, match="'words'"):
        Weights.from_tables({n: t for n, t in weights.to_tables().items() if n != "words"})
    damaged = onnx.load_from_string(graph)
    first = damaged.graph.initializer[0]
    nan = np.full_like(onnx.numpy_helper.to_array(first), np.nan)
    first.CopyFrom(onnx.numpy_helper.from_array(nan, first.name))
    with pytest.raises(ModelError, match="no numbers"):
        Runtime(damaged.SerializeToString(), weights)


def test_scoring_needs_no_torch() -> None:
    pytest.importorskip("onnxruntime")
    program = "import sys, logwright.sequence.streams; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_vocabulary_that_met_nothing_changes_nothing() -> None:
    run = runtime("tiny")
    matrix = run.weights.matrix
    run.weights.meet(EventVocabulary(["a"], ["b"]))
    assert run.weights.matrix is matrix
