"""Export: the step graph gives what the network gives."""

from __future__ import annotations

import numpy as np
import pytest

from logwright.sequence.export import ring_bias
from sequence_nets import KINDS, by_torch, drawn, exported, network, runtime, vocabulary


@pytest.mark.parametrize("name", KINDS)
def test_the_graph_agrees_with_the_network_at_any_length(name: str) -> None:
    sequences = drawn([0, 1, 2, 3, 6, 7, 8, 15, 60])
    tokens = runtime(name).score(sequences)
    for i in range(len(sequences)):
        span = slice(tokens.bounds[i], tokens.bounds[i + 1])
        assert tokens.nll[span] == pytest.approx(by_torch(name, sequences, i), abs=1e-4)


@pytest.mark.parametrize("name", KINDS)
def test_the_graph_agrees_with_the_networks_own_steps(name: str) -> None:
    torch = pytest.importorskip("torch")
    made, run = network(name), runtime(name)
    events = drawn([30]).events
    states = [torch.zeros(1, *shape) for shape in made.body.state_shapes]
    from logwright.sequence.states import States

    own = States(run.parts, 1)
    for code in events:
        x = run.weights.read(np.array([code], np.int32))
        with torch.no_grad():
            h, states = made.body.step(torch.from_numpy(x), states)
        got, *new = run.step(x, own.first(1), own.seen[:1])
        own.write(np.zeros(1, np.intp), new)
        assert got == pytest.approx(h.numpy(), abs=1e-4)


@pytest.mark.parametrize("name", KINDS)
def test_the_state_of_a_session_is_a_row_not_all_it_holds(name: str) -> None:
    run = runtime(name)
    for part, row in zip(run.parts, run.begin[1:], strict=True):
        assert row.size == (2 * 8 if part.ring else 16)


@pytest.mark.parametrize("name", KINDS)
def test_same_network_same_bytes(name: str) -> None:
    from logwright.sequence.export import export

    assert export(network(name))[0] == exported(name)[0]


@pytest.mark.parametrize("name", KINDS)
def test_an_event_met_later_has_the_embedding_the_network_gives_it(name: str) -> None:
    known, run, made = vocabulary(), runtime(name), network(name)
    code = known.meet("new", "disk part never seen before")
    run.weights.meet(known)
    made.meet(known)
    assert run.weights.matrix == pytest.approx(made.matrix().detach().numpy(), abs=1e-6)
    assert run.weights.bias == pytest.approx(made.bias().detach().numpy(), abs=1e-6)
    assert len(run.weights) == code + 1


@pytest.mark.parametrize("reach", [1, 2, 5])
def test_the_ring_is_read_by_distance_wherever_it_stands(reach: int) -> None:
    distance = np.arange(reach, dtype=np.float32)[None]
    table, ring = ring_bias(distance), max(1, reach - 1)
    held: dict[int, int] = {}
    for seen in range(3 * ring + 1):
        row = table[seen if seen < ring else ring + seen % ring][0, 0]
        for slot in range(ring):
            apart = seen - held[slot] if slot in held else reach
            assert row[slot] == (apart if apart < reach else np.float32(-1e9))
        assert row[ring] == 0
        held[seen % ring] = seen
