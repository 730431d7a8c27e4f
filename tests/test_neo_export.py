"""A `NeoNetwork` as a step graph: the runtime gives the network's scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logwright.errors import ModelError
from logwright.sequence.sequences import Sequences
from logwright.sequence.vocabulary import END, FIRST, START
from neo_checkpoint import checkpoint, events, shape

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("transformers", reason="needs the extra train")
pytest.importorskip("onnx", reason="needs the extra train")
pytest.importorskip("onnxruntime", reason="needs the extra sequence")

from logwright.sequence import lora, neo_export  # noqa: E402
from logwright.sequence.backbone import Backbone, read  # noqa: E402
from logwright.sequence.neo import NeoNetwork  # noqa: E402
from logwright.sequence.neo_export import export_neo  # noqa: E402
from logwright.sequence.network import token_nll  # noqa: E402
from logwright.sequence.runtime import Runtime  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    return read(checkpoint(tmp_path_factory.mktemp("neo")))


@given(
    length=st.integers(0, 80),
    reach_global=st.integers(1, 24),
    reach_local=st.integers(1, 5),
    seed=st.integers(0, 9),
)
@settings(max_examples=15)
def test_the_runtime_scores_as_the_network(
    backbone: Backbone, length: int, reach_global: int, reach_local: int, seed: int
) -> None:
    preset = shape(reach_global=reach_global, reach_local=reach_local)
    network = NeoNetwork(events(), preset, backbone).eval()
    runtime = Runtime(*export_neo(network, events()))
    codes = np.random.default_rng(seed).integers(FIRST, FIRST + 5, length).tolist()
    tokens = runtime.score(Sequences.of_lists([codes, [FIRST]]))
    targets = torch.tensor([[*codes, END]])
    with torch.no_grad():
        wanted = token_nll(network(torch.tensor([[START, *codes]])), targets, network.learned)
    assert tokens.nll[: length + 1] == pytest.approx(wanted[0].numpy(), abs=1e-3)


def test_a_large_one_is_kept_as_whole_numbers_and_scores_nearly_the_same(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = NeoNetwork(events(), shape(), backbone).eval()
    codes = np.random.default_rng(0).integers(FIRST, FIRST + 5, 60).tolist()
    exact, weights = export_neo(network, events())
    monkeypatch.setattr(neo_export, "EXACT_BYTES", 1_000)
    small, _ = export_neo(network, events())
    assert len(small) < len(exact)
    both = [Runtime(one, weights).score(Sequences.of_lists([codes])).nll for one in (exact, small)]
    assert not np.array_equal(*both)
    assert np.abs(both[0] - both[1]).mean() < 0.05 * both[0].std()


def test_an_event_met_later_is_read_by_the_words_that_history_holds(backbone: Backbone) -> None:
    vocabulary = events()
    network = NeoNetwork(vocabulary, shape(), backbone).eval()
    runtime = Runtime(*export_neo(network, vocabulary))
    near, far = vocabulary.meet("n1", "block Receiving"), vocabulary.meet("n2", "zebra")
    runtime.weights.meet(vocabulary)
    network.meet(vocabulary)
    matrix = network.matrix().detach().numpy()

    # What it holds for an event is nearer to the network's own than what it holds for a stranger.
    middle = runtime.weights.words.mean(0)
    wanted = matrix[near]
    found = runtime.weights.matrix[near]
    assert np.linalg.norm(found - wanted) < 0.9 * np.linalg.norm(middle - wanted)
    assert np.linalg.norm(runtime.weights.matrix[far] - middle) < 0.2 < np.linalg.norm(middle)


def test_what_cannot_be_exported_is_one_sentence(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    network = NeoNetwork(events(), shape(), backbone).eval()
    with monkeypatch.context() as patch:
        patch.setattr(neo_export, "MOST_BYTES", 1_000)
        with pytest.raises(ModelError, match="one ONNX file holds"):
            export_neo(network, events())
    other = NeoNetwork(events(), shape(), read(checkpoint(tmp_path, layer_norm_epsilon=1e-3)))
    with pytest.raises(ModelError, match="another activation or norm"):
        export_neo(other, events())
    lora.add(network, 2)
    with pytest.raises(ModelError, match="fold it in"):
        export_neo(network, events())
