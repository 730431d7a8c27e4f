"""Export of a `NeoNetwork` as the step graph of `export`, for ONNX Runtime on a CPU or a card.

The graph has the inputs and outputs that `export` states, so `runtime` and `streams` run it as they
run the small presets. Three things differ from the network, and are the price of a runtime that
needs numpy and onnxruntime alone:

- *Words.* The runtime has no tokenizer, only a hashed table of words. A word of the events learned
  gets the mean of its tokens' rows there, all others get the mean of those words. So an event met
  later is understood as far as history holds its words; the network itself understands any.
- *Place.* The runtime cuts a session of more than 1,024 events, and each piece begins at GPT-Neo's
  first positions again. Up to there its scores are the network's.
- *Size.* One ONNX file holds 2 GiB. GPT-Neo 125M has .34 GB and is kept as it is. 1.3B has 4.8: the
  matrices of its layers are kept as whole numbers from -127 to 127 with a scale for each output,
  and made float32 again when the file is loaded.

`pool` has none of these limits; it needs torch and an accelerator.
"""

from __future__ import annotations

import numpy as np

from logwright.errors import ModelError
from logwright.sequence.backbone import Texts
from logwright.sequence.graph import FORMAT, Graph, array_of
from logwright.sequence.neo import NeoBody, NeoNetwork
from logwright.sequence.scoring import Float32s
from logwright.sequence.vocabulary import BUCKETS, EventVocabulary, words
from logwright.sequence.weights import Weights

__all__ = ["MOST_BYTES", "export_neo"]

EXACT_BYTES = 2**31 - 2**24
"""Weights in float32 that one ONNX file holds as they are, beside the graph itself."""
MOST_BYTES = 4 * (2**31 - 2**26)
"""Weights in float32 that one ONNX file holds as whole numbers of one byte."""

_NEVER = -1e9


def export_neo(network: NeoNetwork, vocabulary: EventVocabulary) -> tuple[bytes, Weights]:
    """The graph of a network, as the bytes of an ONNX file, and its weights. LoRA has to be folded
    in before."""
    body = network.body
    assert isinstance(body, NeoBody)
    if any("lora_" in name for name, _ in network.named_parameters()):
        raise ModelError("The network has LoRA beside its weights: fold it in before the export")
    if not body.usual:
        raise ModelError("The backbone has another activation or norm than GPT-Neo's: no export")
    size = 4 * sum(number.numel() for number in body.parameters())
    if size > MOST_BYTES:
        raise ModelError(
            f"The network has {size / 1e9:.1f} GB of weights, and one ONNX file holds "
            f"{MOST_BYTES / 1e9:.1f} of them: train a smaller GPT-Neo"
        )
    arrays = {name: array_of(value) for name, value in body.state_dict().items()}
    graph = Graph(body.width)
    _layers(graph, arrays, body, exact=size <= EXACT_BYTES)
    learned = network.learned
    weights = Weights(
        array_of(network.matrix())[:learned],
        array_of(network.bias())[:learned],
        float(array_of(network.bias_met)[0]),
        table_of_words(array_of(network.tokens), network.texts, vocabulary),
        array_of(network.gaps) * (np.arange(len(network.gaps)) > 0)[:, None],
        learned,
    )
    data = graph.finish({"kind": "attention", "preset": network.preset.name, "step": FORMAT})
    return data, Weights.from_tables(weights.to_tables())


def table_of_words(rows_of_tokens: Float32s, texts: Texts, vocabulary: EventVocabulary) -> Float32s:
    """The hashed table [2,048, d] that stands in for the tokenizer, from the words of events."""
    known: dict[str, str] = {}
    for text in vocabulary.texts[: vocabulary.known]:
        for word in words(text):
            # The backbone tells `Block` from `block`; the table does not, so the first form counts.
            at = text.lower().find(word)
            known.setdefault(word, text[at : at + len(word)] if at >= 0 else word)
    out = np.zeros((BUCKETS, rows_of_tokens.shape[1]), np.float32)
    if not known:
        return out
    means = np.stack([rows_of_tokens[texts(form)].mean(0) for form in known.values()])
    # A word that is an event's whole text has that word's row and no other.
    rows = np.array([EventVocabulary([word], [word]).pieces[0][-1] for word in known])
    count = np.zeros(BUCKETS, np.float32)
    np.add.at(out, rows, means)
    np.add.at(count, rows, 1)
    out[count > 0] /= count[count > 0][:, None]
    out[count == 0] = means.mean(0)
    return out


def _layers(graph: Graph, arrays: dict[str, Float32s], body: NeoBody, exact: bool) -> None:
    d, heads = body.width, body.heads
    each = d // heads
    seen = graph.input("seen", [], "INT64")
    by_head, flat = graph.constant(np.array([0, heads, 1, each])), graph.constant(np.array([0, d]))

    def linear(x: str, name: str) -> str:
        weight = _matrix(graph, arrays[f"{name}.weight"], exact)
        made: str = graph.do("Gemm", x, weight, graph.constant(arrays[f"{name}.bias"]))
        return made

    one_by = graph.constant(np.array([-1, 1, 1, 1]))
    places = graph.constant(arrays["places.weight"])
    x = graph.do("Add", "x", graph.do("Gather", places, _place(graph, body, seen)))
    for i, reach in enumerate(body.reaches):
        ring, own = max(1, reach - 1), f"blocks.{i}."
        held = [graph.input(f"state_{2 * i + j}", [heads, ring, each]) for j in range(2)]
        names = [f"{own}attn.attention.{part}_proj.weight" for part in "qkv"]
        weight = np.concatenate([arrays[name] for name in names])
        normed = graph.normed(x, arrays, f"{own}ln_1")
        projected = graph.do("MatMul", normed, _matrix(graph, weight, exact))
        parts = graph.do("Split", projected, outputs=3, axis=1, num_outputs=3)
        query, key, value = (graph.do("Reshape", part, by_head) for part in parts)
        for j, row in enumerate((key, value)):
            graph.output(row, f"new_state_{2 * i + j}", [heads, 1, each])
        before = graph.do("MatMul", query, graph.do("Transpose", held[0], perm=[0, 1, 3, 2]))
        # The order of keys in the ring is of no matter: position was added to the events. With a
        # reach of 1 the ring's one slot is never looked at.
        slot = graph.constant(np.arange(ring).reshape(1, 1, 1, -1) + (2**62 if reach == 1 else 0))
        empty = graph.do("Less", slot, graph.do("Reshape", seen, one_by))
        never = graph.constant(np.array(_NEVER, np.float32))
        before = graph.do("Where", empty, before, never)
        itself = graph.do("MatMul", query, graph.do("Transpose", key, perm=[0, 1, 3, 2]))
        shares = graph.do("Softmax", graph.do("Concat", before, itself, axis=3), axis=3)
        cut = graph.constant(np.array([ring, 1]))
        of_ring, of_self = graph.do("Split", shares, cut, outputs=2, axis=3)
        got = graph.do("Add", graph.do("MatMul", of_ring, held[1]), graph.do("Mul", of_self, value))
        got = linear(graph.do("Reshape", got, flat), f"{own}attn.attention.out_proj")
        x = graph.do("Add", x, got)
        fed = linear(graph.normed(x, arrays, f"{own}ln_2"), f"{own}mlp.c_fc")
        fed = linear(graph.do("Gelu", fed, approximate="tanh"), f"{own}mlp.c_proj")
        x = graph.do("Add", x, fed)
    graph.output(graph.normed(x, arrays, "norm"), "h", [d])


def _matrix(graph: Graph, weight: Float32s, exact: bool) -> str:
    """A layer's matrix [in, out] of its `weight` [out, in], as it is or as whole numbers."""
    if exact:
        return graph.constant(weight.T)
    scale = np.maximum(np.abs(weight).max(axis=1), 1e-12) / np.float32(127)
    whole = np.rint(weight / scale[:, None]).astype(np.int8)
    # Plain operators on constants: ONNX Runtime works them out once, when it loads the file.
    number = graph.do("Cast", graph.constant(whole.T), to=1)  # 1 is float32
    made: str = graph.do("Mul", number, graph.constant(scale[None, :].astype(np.float32)))
    return made


def _place(graph: Graph, body: NeoBody, seen: str) -> str:
    """`fold` of the number of events seen, as nodes of the graph."""
    back = min(body.longest, body.positions - 1)
    first, period = graph.constant(np.array(back)), graph.constant(np.array(body.positions - back))
    beyond = graph.do("Mod", graph.do("Sub", seen, first), period)
    folded = graph.do("Add", first, beyond)
    place: str = graph.do("Where", graph.do("Less", seen, first), seen, folded)
    return place
