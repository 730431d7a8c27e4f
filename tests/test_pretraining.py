"""Pretraining: it learns, stops, ends the same however often it was cut off; bad input is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from logwright.errors import InputError, ModelError  # noqa: E402
from logwright.sequence import pretraining  # noqa: E402
from logwright.sequence.network import token_nll  # noqa: E402
from logwright.sequence.presets import Preset, preset  # noqa: E402
from logwright.sequence.pretraining import Check, Trained, pretrain  # noqa: E402
from logwright.sequence.sequences import Sequences  # noqa: E402
from logwright.sequence.vocabulary import EventVocabulary  # noqa: E402

pytestmark = pytest.mark.slow

VOCABULARY = EventVocabulary(list("abcdef"), [f"step {c}" for c in "abcdef"])
LOOP = Sequences.of_lists([[2, 3, 4, 5], [2, 3, 3, 4, 5], [2, 6]] * 20)


def small(kind: str = "tiny", **changes: object) -> Preset:
    given = {"width": 16, "batch": 128, "steps": 60, "warmup": 5, "every": 20, "piece": 64}
    return replace(preset(kind), **(given | changes))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def same(a: Trained, b: Trained) -> bool:
    x, y = a.network.state_dict(), b.network.state_dict()
    return x.keys() == y.keys() and all(torch.equal(x[k], y[k]) for k in x)


@pytest.mark.parametrize("kind", ["tiny", "recurrent"])
def test_the_next_event_is_learned_and_one_out_of_order_stands_out(kind: str) -> None:
    told: list[Check] = []
    done = pretrain(LOOP, LOOP, VOCABULARY, small(kind, steps=300), 0, told.append)
    assert [c.step for c in told] == [c.step for c in done.losses]
    assert done.losses[-1].check < 0.6 < np.log(8)
    codes, targets = torch.tensor([[0, 2, 3, 4]]), torch.tensor([[2, 3, 4, 5]])
    with torch.inference_mode():
        usual = token_nll(done.network(codes), targets, done.network.learned)
        odd = token_nll(done.network(codes), torch.tensor([[2, 3, 4, 6]]), done.network.learned)
    assert usual.max() < 1.5
    assert odd[0, -1] > usual.max() + 1


@pytest.mark.parametrize("kind", ["tiny", "recurrent"])
def test_same_seed_same_weights_other_seed_others(kind: str) -> None:
    torch.manual_seed(5)
    first = pretrain(LOOP, LOOP, VOCABULARY, small(kind), 1)
    torch.manual_seed(6)
    assert same(first, pretrain(LOOP, LOOP, VOCABULARY, small(kind), 1))
    assert not same(first, pretrain(LOOP, LOOP, VOCABULARY, small(kind), 2))


def test_training_leaves_the_callers_chance_alone() -> None:
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    pretrain(LOOP, LOOP, VOCABULARY, small(), 1)
    assert torch.equal(torch.rand(1), wanted)


class CutError(Exception):
    """What ends a run from outside."""


@pytest.mark.parametrize("kind", ["tiny", "recurrent"])
def test_a_run_cut_off_and_resumed_ends_as_one_that_was_not(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    whole = pretrain(LOOP, LOOP, VOCABULARY, small(kind), 3)

    def cut(check: Check) -> None:
        if check.step < 60:
            raise CutError

    for _ in range(2):
        with pytest.raises(CutError):
            pretrain(LOOP, LOOP, VOCABULARY, small(kind), 3, cut, path)
    resumed = pretrain(LOOP, LOOP, VOCABULARY, small(kind), 3, cut, path)
    assert same(whole, resumed)
    assert [(c.step, c.loss, c.check) for c in resumed.losses] == [
        (c.step, c.loss, c.check) for c in whole.losses
    ]
    # A run that has ended is only read.
    assert same(whole, pretrain(LOOP, LOOP, VOCABULARY, small(kind), 3, None, path))


def test_a_run_on_other_data_seed_or_architecture_is_not_resumed(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    short = small(steps=2)
    pretrain(LOOP, LOOP, VOCABULARY, short, 0, None, path)
    with pytest.raises(ModelError, match="other data or seed"):
        pretrain(LOOP, LOOP, VOCABULARY, short, 1, None, path)
    with pytest.raises(ModelError, match="other data or seed"):
        pretrain(LOOP.take(slice(1, 3)), LOOP, VOCABULARY, short, 0, None, path)
    with pytest.raises(ModelError, match="its preset is tiny, not recurrent"):
        pretrain(LOOP, LOOP, VOCABULARY, small("recurrent", steps=2), 0, None, path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ModelError, match="damaged"):
        pretrain(LOOP, LOOP, VOCABULARY, short, 0, None, path)


def test_training_stops_when_the_check_part_gains_no_more_and_keeps_the_best() -> None:
    # The check part is the reverse of what is learned: it only gets worse from some step on.
    check = Sequences.of_lists([[5, 4, 3, 2]] * 4)
    given = small(steps=2_000, every=5, patience=2)
    done = pretrain(LOOP, check, VOCABULARY, given, 0)
    assert done.steps < 500
    packs = pretraining.Packs(check, 64, 32)
    best = min(c.check for c in done.losses)
    assert pretraining.mean_nll(done.network, packs) == pytest.approx(best, abs=1e-6)
    assert best < done.losses[-1].check


def test_gaps_are_learned_from_where_there_are_any() -> None:
    """Whether 3 or 4 follows is told by the time before 2's successor alone."""
    events = np.tile(np.array([2, 2, 3, 2, 2, 4], np.int32), 30)
    gaps = np.tile(np.array([0, 2, 2, 0, 12, 2], np.int8), 30)
    bounds = np.arange(0, len(events) + 1, 3)
    timed = Sequences(events, bounds, np.ones(60, np.int64), gaps)
    plain = Sequences(events, bounds, np.ones(60, np.int64))
    with_, without = (
        pretrain(s, s, VOCABULARY, small(steps=150), 0).losses[-1].check for s in (timed, plain)
    )
    assert with_ < without - 0.1


def test_one_session_of_a_million_events_is_learned_in_pieces() -> None:
    events = np.tile(np.array([2, 3, 4, 5], np.int32), 250_000)
    one = Sequences(events, np.array([0, 1_000_000]), np.ones(1, np.int64))
    check = one.take(slice(0, 0))
    given = small(steps=3, every=3, piece=512)
    done = pretrain(one, Sequences.of_lists([[2, 3, 4, 5]]), VOCABULARY, given, 0)
    assert done.steps == 3
    assert len(check) == 0


def test_empty_and_one_event_sessions_are_learned_from() -> None:
    few = Sequences.of_lists([[], [2], []])
    done = pretrain(few, few, VOCABULARY, small(steps=5), 0)
    assert np.isfinite(done.losses[-1].check)


@pytest.mark.parametrize("nothing", [[], [[]], [[], []]])
def test_no_events_at_all_is_one_sentence(nothing: list[list[int]]) -> None:
    with pytest.raises(InputError, match="no session has any"):
        pretrain(Sequences.of_lists(nothing), LOOP, VOCABULARY, small(), 0)


def test_codes_the_vocabulary_did_not_learn_are_told() -> None:
    with pytest.raises(InputError, match="hold the code 99"):
        pretrain(Sequences.of_lists([[2, 99]]), LOOP, VOCABULARY, small(), 0)
    with pytest.raises(InputError, match="hold the code -1"):
        pretrain(Sequences.of_lists([[2, -1]]), LOOP, VOCABULARY, small(), 0)


def test_without_a_check_part_the_training_part_is_watched() -> None:
    done = pretrain(LOOP, LOOP.take(slice(0, 0)), VOCABULARY, small(steps=5), 0)
    assert np.isfinite(done.losses[-1].check)


def test_training_in_parts_gives_the_gradient_of_the_whole() -> None:
    """The own parts left out are drawn per part, so this holds where none are."""
    import logwright.sequence.network as network

    before = network.LEFT_OUT
    network.LEFT_OUT = 0.0
    try:
        whole = pretrain(LOOP, LOOP, VOCABULARY, small(steps=3, dropout=0.0), 0)
        parts = pretrain(LOOP, LOOP, VOCABULARY, small(steps=3, dropout=0.0, accumulate=4), 0)
    finally:
        network.LEFT_OUT = before
    assert parts.losses[-1].loss == pytest.approx(whole.losses[-1].loss, abs=1e-4)
