"""The network: one function of the events so far, whole or one by one; words give embeddings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="torch is not installed")

from logwright.sequence.network import EventNetwork, token_nll  # noqa: E402
from logwright.sequence.presets import preset  # noqa: E402
from logwright.sequence.vocabulary import FIRST, EventVocabulary  # noqa: E402

KINDS = st.sampled_from(["tiny", "recurrent"])


def network(name: str, events: int = 6, seed: int = 0) -> EventNetwork:
    """A small network with weights far from their start, so that everything in it matters."""
    given_ = replace(preset(name), width=16, reach_global=5, reach_local=3)
    vocabulary = EventVocabulary(
        [str(i) for i in range(events)], [f"w{i} x" for i in range(events)]
    )
    torch.manual_seed(seed)
    made = EventNetwork(vocabulary, given_)
    for one in made.parameters():
        torch.nn.init.normal_(one, std=0.4)
    torch.nn.init.zeros_(made.gaps[0])
    return made.eval()


def stepped(net: EventNetwork, codes: torch.Tensor, gaps: torch.Tensor | None) -> torch.Tensor:
    matrix = net.matrix()
    states = [torch.zeros(len(codes), *shape) for shape in net.body.state_shapes]
    out = []
    for t in range(codes.shape[1]):
        x = matrix[codes[:, t]]
        if gaps is not None:
            x = x + net.gaps[gaps[:, t]] * (gaps[:, t] > 0).unsqueeze(1)
        h, states = net.body.step(x, states)
        assert [tuple(s.shape[1:]) for s in states] == net.body.state_shapes
        out.append(h)
    return torch.stack(out, 1)


@given(KINDS, st.integers(1, 40), st.integers(0, 2**30), st.booleans())
def test_one_by_one_gives_what_the_whole_gives(
    name: str, length: int, seed: int, timed: bool
) -> None:
    net = network(name)
    rng = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 8, (3, length), generator=rng)
    gaps = torch.randint(0, 16, (3, length), generator=rng) if timed else None
    with torch.inference_mode():
        whole, single = net.hidden(codes, gaps), stepped(net, codes, gaps)
        assert (whole - single).abs().max() < 1e-5
        logits = single @ net.matrix().T + net.bias()
        assert (net(codes, gaps) - logits).abs().max() < 1e-4


@given(KINDS, st.integers(2, 30), st.data())
def test_nothing_depends_on_what_comes_later(name: str, length: int, data: st.DataObject) -> None:
    net = network(name)
    at = data.draw(st.integers(1, length - 1))
    codes = torch.randint(0, 8, (1, length), generator=torch.Generator().manual_seed(length))
    other = codes.clone()
    other[0, at] = (other[0, at] + 1) % 8
    with torch.inference_mode():
        a, b = net.hidden(codes), net.hidden(other)
    assert torch.allclose(a[0, :at], b[0, :at], atol=1e-6)
    assert not torch.allclose(a[0, at], b[0, at], atol=1e-6)


def test_attention_forgets_what_is_out_of_the_reach_of_its_layers() -> None:
    net = network("tiny")
    reach = sum(layer.reach - 1 for layer in net.body.layers)
    codes = torch.full((1, 30), 3)
    other = codes.clone()
    other[0, 0] = 4
    with torch.inference_mode():
        apart = (net.hidden(codes) - net.hidden(other)).abs().amax(-1)[0]
    assert (apart[: reach + 1] > 1e-6).all()
    assert (apart[reach + 1 :] < 1e-6).all()


def test_an_event_met_later_is_the_mean_of_its_words_and_changes_no_other() -> None:
    net = network("tiny")
    vocabulary = EventVocabulary([str(i) for i in range(6)], [f"w{i} x" for i in range(6)])
    before = net.matrix().detach().clone()
    code = vocabulary.meet("new", "w1 w2")
    net.meet(vocabulary)
    after = net.matrix().detach()
    rows, bounds = vocabulary.pieces
    wanted = net.tokens.detach()[rows[bounds[code] :].astype(np.int64)].mean(0)
    assert torch.allclose(after[code], wanted, atol=1e-6)
    assert torch.equal(after[:code], before)
    assert torch.allclose(
        before[3] - net.residual.detach()[3],
        net.tokens.detach()[rows[bounds[3] : bounds[4]].astype(np.int64)].mean(0),
        atol=1e-6,
    )
    assert net.bias()[code] == net.bias_met[0]
    assert net(torch.tensor([[0, code]])).shape == (1, 2, len(vocabulary))


def test_what_a_session_scores_does_not_depend_on_events_met_elsewhere() -> None:
    net = network("recurrent")
    vocabulary = EventVocabulary([str(i) for i in range(6)], [f"w{i} x" for i in range(6)])
    codes, targets = torch.tensor([[0, 3, 4]]), torch.tensor([[3, 4, 8]])
    vocabulary.meet("a", "w1")
    net.meet(vocabulary)
    before = token_nll(net(codes), targets, net.learned)
    for number in range(50):
        vocabulary.meet(str(100 + number), f"w{number} y")
    net.meet(vocabulary)
    assert torch.allclose(token_nll(net(codes), targets, net.learned), before, atol=1e-5)
    plain = net(codes)[..., : net.learned].log_softmax(-1)[0, 0, 3]
    assert torch.allclose(-plain, before[0, 0], atol=1e-5)


def test_training_leaves_out_own_parts_and_evaluation_none() -> None:
    net = network("tiny")
    codes = torch.tensor([[0, FIRST, 3]])
    assert torch.equal(net(codes), net(codes))
    net.train()
    torch.manual_seed(1)
    drawn = [net(codes).detach() for _ in range(8)]
    assert any(not torch.equal(drawn[0], other) for other in drawn[1:])


def test_the_first_gap_bucket_is_as_no_gap() -> None:
    net = network("tiny")
    codes = torch.tensor([[0, 3, 4]])
    assert torch.equal(net(codes), net(codes, torch.zeros_like(codes)))
    assert not torch.equal(net(codes), net(codes, torch.tensor([[0, 0, 5]])))
