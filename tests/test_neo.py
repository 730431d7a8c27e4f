"""`NeoNetwork`: GPT-Neo's weights behind the interface of `EventNetwork`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import SettingsError
from logwright.sequence.sequences import Sequences
from logwright.sequence.vocabulary import END, FIRST, START, EventVocabulary
from neo_checkpoint import POSITIONS, TEXTS, WINDOW, checkpoint, events, shape

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("transformers", reason="needs the extra train")

from logwright.sequence import pretraining  # noqa: E402
from logwright.sequence.backbone import Backbone, read  # noqa: E402
from logwright.sequence.neo import NeoBody, NeoNetwork, fold  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("neo"))


@pytest.fixture(scope="module")
def backbone(folder: Path) -> Backbone:
    return read(folder)


def made(folder: Path, **changes: int) -> NeoNetwork:
    return NeoNetwork(events(), shape(**changes), read(folder)).eval()


def test_within_reach_it_computes_what_transformers_computes(folder: Path) -> None:
    network = made(folder, reach_global=POSITIONS, reach_local=WINDOW)
    neo = read(folder).neo.eval()
    x = torch.randn(3, POSITIONS, 16)
    with torch.no_grad():
        theirs = neo(inputs_embeds=x).last_hidden_state
        assert (network.body(x) - theirs).abs().max() < 1e-4
    assert network.body.reaches == [POSITIONS, WINDOW, POSITIONS, WINDOW]


@given(
    length=st.integers(1, 3 * POSITIONS),
    reach_global=st.integers(1, 2 * POSITIONS),
    reach_local=st.integers(1, 2 * WINDOW),
    seed=st.integers(0, 5),
)
def test_event_by_event_is_the_same_as_whole(
    backbone: Backbone, length: int, reach_global: int, reach_local: int, seed: int
) -> None:
    # In float64, so that rounding cannot hide a wrong mask.
    body = NeoBody(backbone, reach_global, reach_local).double()
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(2, length, 16, generator=draw, dtype=torch.float64)
    states = [torch.zeros(2, *one) for one in body.state_shapes[:1]]
    states += [torch.zeros(2, *one, dtype=torch.float64) for one in body.state_shapes[1:]]
    with torch.no_grad():
        whole = body(x)
        for at in range(length):
            h, states = body.step(x[:, at], states)
            assert (h - whole[:, at]).abs().max() < 1e-9
            assert [tuple(one.shape[1:]) for one in states] == body.state_shapes


@given(positions=st.integers(2, 40), longest=st.integers(1, 40), length=st.integers(1, 200))
def test_places_fold_into_positions_that_exist(positions: int, longest: int, length: int) -> None:
    longest = min(longest, positions)
    places = torch.arange(length)
    folded = fold(places, positions, longest)
    assert int(folded.min()) >= 0
    assert int(folded.max()) < positions
    assert folded[:positions].equal(places[:positions])
    # A state holds the folded place alone: what follows it must not depend on the true one.
    assert fold(folded[:-1] + 1, positions, longest).equal(folded[1:])
    beyond = folded[longest:]
    assert len(beyond) == 0 or int(beyond.min()) >= min(longest, positions - 1)


def test_embeddings_begin_as_the_mean_of_their_tokens(folder: Path) -> None:
    network, backbone = made(folder), read(folder)
    table, matrix = backbone.neo.wte.weight, network.matrix()
    for at, text in enumerate(TEXTS):
        wanted = table[backbone.texts(text)].mean(0)
        assert (matrix[FIRST + at] - wanted).abs().max() < 1e-6
    assert matrix[START].equal(table[0])
    assert matrix[END].equal(table[0])


def test_an_event_met_later_is_read_by_its_words(folder: Path) -> None:
    vocabulary = events()
    network = NeoNetwork(vocabulary, shape(), read(folder)).eval()
    before = network(torch.tensor([[START, 2, 3]])).detach()
    same, other = (
        vocabulary.meet("n1", "Deleting block file"),
        vocabulary.meet("n2", "kernel panic"),
    )
    network.meet(vocabulary)
    matrix = network.matrix()
    assert (matrix[same] - matrix[3]).abs().max() < 1e-6
    assert (matrix[other] - matrix[3]).abs().max() > 0.1
    after = network(torch.tensor([[START, 2, 3]])).detach()
    assert after.shape[-1] == len(vocabulary)
    assert (after[..., : network.learned] - before).abs().max() < 1e-6


def test_the_preset_tells_the_true_sizes(folder: Path) -> None:
    preset = made(folder, reach_global=10_000, reach_local=10_000).preset
    assert (preset.width, preset.layers, preset.heads) == (16, 4, 2)
    assert (preset.reach_global, preset.reach_local) == (POSITIONS, WINDOW)
    assert preset.piece > preset.reach_global
    with pytest.raises(SettingsError, match="no reach"):
        made(folder, reach_local=0)


def test_recomputing_layers_gives_the_same_gradients(folder: Path) -> None:
    codes = torch.tensor([[START, 2, 3, 4, 5, 2, 3, 4, 5, 6]])
    found = []
    for sparing in (False, True):
        network = made(folder).train()
        network.body.sparing = sparing
        torch.manual_seed(1)
        network(codes).square().sum().backward()
        found.append({name: number.grad for name, number in network.named_parameters()})
    assert found[0].keys() == found[1].keys()
    for name, gradient in found[0].items():
        if gradient is None:
            assert name == "gaps"
        else:
            assert torch.allclose(gradient, found[1][name], atol=1e-5), name


def test_in_bf16_it_stays_near(folder: Path) -> None:
    network = made(folder)
    codes = torch.tensor([[START, 2, 3, 4, 5, 2, 3, 4, 5, 6]])
    exact = network(codes).detach()
    network.body.to(torch.bfloat16)
    near = network(codes).detach()
    assert near.dtype == torch.float32
    assert (near - exact).norm() < 0.05 * exact.norm()


def sessions(count: int, seed: int) -> Sequences:
    """Cycles through the events, each begun anywhere: easy to learn, impossible to guess."""
    dice = np.random.default_rng(seed)
    begins, lengths = dice.integers(0, 5, count), dice.integers(3, 60, count)
    return Sequences.of_lists(
        [
            [FIRST + (begin + at) % 5 for at in range(length)]
            for begin, length in zip(begins.tolist(), lengths.tolist(), strict=True)
        ]
    )


class Cut(Exception):  # noqa: N818
    """The end of a run at a bad moment."""


def test_it_learns_in_the_same_loop_and_resumes_bitwise(folder: Path, tmp_path: Path) -> None:
    def trained(resume: Path | None, cut: int | None = None) -> pretraining.Trained:
        def stop(told: pretraining.Check) -> None:
            if told.step == cut:
                raise Cut

        network = made(folder)
        return pretraining.pretrain(
            sessions(40, 0), sessions(10, 1), events(), network.preset, 0, stop, resume,
            network=network,
        )  # fmt: skip

    whole = trained(None)
    # Nothing learned is log 6 = 1.79 nats; only how often each comes, 1.75.
    assert whole.losses[-1].check < 1.55
    file = tmp_path / "run.safetensors"
    with pytest.raises(Cut):
        trained(file, cut=20)
    resumed = trained(file)
    for name, number in whole.network.state_dict().items():
        assert number.equal(resumed.network.state_dict()[name]), name


def test_an_event_without_text_goes_by_its_name(folder: Path) -> None:
    vocabulary = EventVocabulary(["disk full", "block"])
    network = NeoNetwork(vocabulary, shape(), read(folder)).eval()
    matrix = network.matrix()
    assert (matrix[FIRST] - matrix[FIRST + 1]).abs().max() > 0.1
