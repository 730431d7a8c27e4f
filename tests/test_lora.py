"""LoRA: what learns, what stays, and that folding in changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logwright.errors import SettingsError
from logwright.sequence.vocabulary import END, START
from neo_checkpoint import checkpoint, events, shape

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("peft", reason="needs the extra train")

from logwright.sequence import lora  # noqa: E402
from logwright.sequence.backbone import read  # noqa: E402
from logwright.sequence.neo import NeoNetwork  # noqa: E402

pytestmark = pytest.mark.slow

CODES = torch.tensor([[START, 2, 3, 4, 5, 2, 3, 4, 5, 6, 6, 2]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("neo"))


def made(folder: Path) -> NeoNetwork:
    return NeoNetwork(events(), shape(), read(folder)).eval()


def learn(network: NeoNetwork, steps: int = 6) -> list[float]:
    """A few steps on one session; its losses."""
    network.train()
    optimiser = torch.optim.AdamW([n for n in network.parameters() if n.requires_grad], 1e-2)
    targets = torch.cat((CODES[0, 1:], torch.tensor([END])))
    losses = []
    torch.manual_seed(0)
    for _ in range(steps):
        loss = torch.nn.functional.cross_entropy(network(CODES)[0], targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    network.eval()
    return losses


@given(rank=st.integers(1, 16), half=st.booleans())
@settings(max_examples=8)
def test_only_what_should_learn_learns(folder: Path, rank: int, half: bool) -> None:
    network = made(folder)
    before = network(CODES).detach()
    count = lora.add(network, rank, half=half)
    atol = 0.3 if half else 1e-6
    assert torch.allclose(network(CODES), before, atol=atol, rtol=atol)
    assert {number.dtype for number in lora.learning(network).values()} == {torch.float32}
    held = {name: number.detach().clone() for name, number in network.named_parameters()}
    losses = learn(network)
    assert losses[-1] < losses[0]
    changed = {n for n, number in network.named_parameters() if not number.equal(held[n])}
    assert changed <= set(lora.learning(network))
    assert {n.partition(".")[0] for n in changed if "lora_" not in n} <= {
        "residual", "biases", "bias_met",
    }  # fmt: skip
    # Each of the 6 linear layers of each of the 4 blocks.
    assert sum("lora_B" in n for n in changed) == 24
    assert count == sum(number.numel() for number in lora.learning(network).values())


def test_a_second_seed_begins_elsewhere_and_the_first_comes_again(folder: Path) -> None:
    def drawn(seed: int) -> torch.Tensor:
        network = made(folder)
        lora.add(network, 4, seed)
        return torch.cat([n.flatten() for k, n in lora.learning(network).items() if "lora_A" in k])

    state = torch.random.get_rng_state()
    assert drawn(1).equal(drawn(1))
    assert not drawn(1).equal(drawn(2))
    assert torch.random.get_rng_state().equal(state)


def test_folded_in_it_is_a_plain_network_that_computes_the_same(folder: Path) -> None:
    network = made(folder)
    plain = set(network.state_dict())
    first = network(CODES).detach()
    lora.add(network, 4)
    learn(network)
    learned = network(CODES).detach()
    assert not torch.allclose(learned, first, atol=1e-2)
    lora.fold_in(network)
    assert torch.allclose(network(CODES), learned, atol=1e-4)
    assert set(network.state_dict()) == plain
    assert all(number.requires_grad for number in network.parameters())
    lora.fold_in(network)
    assert torch.allclose(network(CODES), learned, atol=1e-4)


def test_what_learned_is_enough_to_go_on(folder: Path) -> None:
    network = made(folder)
    lora.add(network, 4)
    learn(network)
    held = {name: number.clone() for name, number in lora.learning(network).items()}
    # At 1.3B the table of words and the body are 99 % of all numbers; here most of them.
    assert sum(map(torch.numel, held.values())) < sum(map(torch.numel, network.parameters())) / 2
    other = made(folder)
    lora.add(other, 4, seed=7)
    lora.restore(other, held)
    assert other(CODES).equal(network(CODES))
    narrow = made(folder)
    lora.add(narrow, 2)
    with pytest.raises(SettingsError, match="does not fit"):
        lora.restore(narrow, held)


@pytest.mark.parametrize("rank", [0, -1, 17])
def test_a_rank_that_cannot_be_is_one_sentence(folder: Path, rank: int) -> None:
    with pytest.raises(SettingsError, match="rank of LoRA"):
        lora.add(made(folder), rank)


def test_twice_is_refused(folder: Path) -> None:
    network = made(folder)
    lora.add(network, 2)
    with pytest.raises(SettingsError, match="LoRA already"):
        lora.add(network, 2)
