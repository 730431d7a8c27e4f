"""Export: a network as the step graph that ONNX Runtime runs, and the `Weights` beside it.

The graph takes one event of each of B sessions: `x` [B, d] float32 and the session's state; it
gives `h` [B, d] and what the state changes by. It is written out node by node with `onnx.helper`
rather than traced by `torch.onnx.export`, for two reasons. A traced step would take in and give
back every key and value held, 20 KB a session, to change 1 KB of it; written out, attention reads
the ring of keys and values as it lies in memory and gives only the new row, which is what makes
the step quick. And tracing binds us to the exporter's version and warnings for 25 nodes a layer.
The price, that a layer is written twice, is paid for by parity tests at 1e-4.

States, for attention layer ``i``: `state_{2i}` the keys and `state_{2i+1}` the values [B, heads,
ring, each], oldest overwritten first, so that the event number `seen` ([B] int64, the events of the
session before this one) lies in slot ``seen % ring``; `new_state_*` are the rows [B, heads, 1,
each] to write there. For a recurrent layer: its output and its cell [B, d], replaced whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logwright.sequence.graph import FORMAT, Graph, array_of
from logwright.sequence.scoring import Float32s
from logwright.sequence.weights import Weights

if TYPE_CHECKING:
    from logwright.sequence.network import EventNetwork

__all__ = ["export", "ring_bias"]

_NEVER = -1e9


def export(network: EventNetwork) -> tuple[bytes, Weights]:
    """The graph of a network, as the bytes of an ONNX file, and its weights."""
    preset = network.preset
    arrays = {name: array_of(value) for name, value in network.body.state_dict().items()}
    graph = Graph(preset.width)
    if preset.kind == "attention":
        reaches = [preset.reach(layer) for layer in range(preset.layers)]
        _attention(graph, arrays, reaches, preset.heads)
    else:
        _recurrent(graph, arrays, preset.layers)
    matrix, bias = array_of(network.matrix()), array_of(network.bias())
    weights = Weights(
        matrix[: network.learned],
        bias[: network.learned],
        float(array_of(network.bias_met)[0]),
        array_of(network.tokens),
        array_of(network.gaps),
        network.learned,
    )
    data = graph.finish({"kind": preset.kind, "preset": preset.name, "step": FORMAT})
    return data, Weights.from_tables(weights.to_tables())


def ring_bias(distance: Float32s) -> Float32s:
    """What is added to the scores of a ring's slots and, in the last column, of the event itself.

    Args:
        distance: [heads, reach], the learned bias by distance, 0 for the event itself.

    Returns:
        [2 ring, heads, 1, ring + 1]: row ``seen`` while the ring fills, then
        ``ring + seen % ring``.

    >>> ring_bias(np.array([[0.0, 1, 2]], np.float32)).astype(int)[:, 0, 0].tolist()
    ... # doctest: +NORMALIZE_WHITESPACE
    [[-1000000000, -1000000000, 0], [1, -1000000000, 0], [2, 1, 0], [1, 2, 0]]
    """
    heads, reach = distance.shape
    ring = max(1, reach - 1)
    out = np.full((2 * ring, heads, 1, ring + 1), _NEVER, np.float32)
    slot = np.arange(ring)
    for row in range(2 * ring):
        apart = (row - slot - 1) % ring + 1
        held = (apart < reach) & ((slot < row) | (row >= ring))
        out[row][:, 0, :-1][:, held] = distance[:, apart[held]]
        out[row, :, 0, -1] = distance[:, 0]
    return out


def _attention(graph: Graph, arrays: dict[str, Float32s], reaches: list[int], heads: int) -> None:
    d = graph.width
    each = d // heads
    seen = graph.input("seen", [], "INT64")
    by_head, flat = graph.constant(np.array([0, heads, 1, each])), graph.constant(np.array([0, d]))
    last_axis = graph.constant(np.array([3]))
    x = "x"
    for i, reach in enumerate(reaches):
        ring, own = max(1, reach - 1), f"layers.{i}."
        held = [graph.input(f"state_{2 * i + j}", [heads, ring, each]) for j in range(2)]
        # The scale of the scores goes into the weights of the queries.
        queries = arrays[f"{own}queries.weight"] * np.float32(each**-0.5)
        weight = np.concatenate([queries, arrays[f"{own}keys_values.weight"]])
        normed = graph.normed(x, arrays, f"{own}norm")
        projected = graph.do("MatMul", normed, graph.constant(weight.T))
        parts = graph.do("Split", projected, outputs=3, axis=1, num_outputs=3)
        query, key, value = (graph.do("Reshape", part, by_head) for part in parts)
        for j, row in enumerate((key, value)):
            graph.output(row, f"new_state_{2 * i + j}", [heads, 1, each])
        before = graph.do("MatMul", query, graph.do("Transpose", held[0], perm=[0, 1, 3, 2]))
        itself = graph.do("ReduceSum", graph.do("Mul", query, key), last_axis, keepdims=1)
        scores = graph.do("Concat", before, itself, axis=3)
        size = graph.constant(np.array(ring))
        turned = graph.do("Add", graph.do("Mod", seen, size), size)
        row = graph.do("Where", graph.do("Less", seen, size), seen, turned)
        bias = graph.constant(ring_bias(arrays[f"{own}distance"]))
        scores = graph.do("Add", scores, graph.do("Gather", bias, row))
        shares = graph.do("Softmax", scores, axis=3)
        cut = graph.constant(np.array([ring, 1]))
        of_ring, of_self = graph.do("Split", shares, cut, outputs=2, axis=3)
        got = graph.do("Add", graph.do("MatMul", of_ring, held[1]), graph.do("Mul", of_self, value))
        got = graph.do("Reshape", got, flat)
        got = graph.linear(got, arrays[f"{own}out.weight"], arrays[f"{own}out.bias"])
        x = graph.do("Add", x, got)
        fed = graph.normed(x, arrays, f"{own}norm_feed")
        fed = graph.linear(fed, arrays[f"{own}feed.0.weight"], arrays[f"{own}feed.0.bias"])
        fed = graph.do("Gelu", fed, approximate="tanh")
        fed = graph.linear(fed, arrays[f"{own}feed.2.weight"], arrays[f"{own}feed.2.bias"])
        x = graph.do("Add", x, fed)
    graph.output(graph.normed(x, arrays, "norm"), "h", [d])


def _recurrent(graph: Graph, arrays: dict[str, Float32s], layers: int) -> None:
    d, x = graph.width, "x"
    for i in range(layers):
        hidden, cell = (graph.input(f"state_{2 * i + j}", [d]) for j in range(2))
        weight = np.concatenate(
            [arrays[f"lstm.weight_ih_l{i}"], arrays[f"lstm.weight_hh_l{i}"]], axis=1
        )
        bias = arrays[f"lstm.bias_ih_l{i}"] + arrays[f"lstm.bias_hh_l{i}"]
        gates = graph.linear(graph.do("Concat", x, hidden, axis=1), weight, bias)
        parts = graph.do("Split", gates, outputs=4, axis=1, num_outputs=4)
        let_in, forget, let_out = (graph.do("Sigmoid", parts[j]) for j in (0, 1, 3))
        kept = graph.do("Mul", forget, cell)
        cell = graph.do("Add", kept, graph.do("Mul", let_in, graph.do("Tanh", parts[2])))
        x = graph.do("Mul", let_out, graph.do("Tanh", cell))
        graph.output(x, f"new_state_{2 * i}", [d])
        graph.output(cell, f"new_state_{2 * i + 1}", [d])
    graph.output(graph.linear(x, arrays["out.weight"], arrays["out.bias"]), "h", [d])
