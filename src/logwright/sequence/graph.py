"""`Graph`: an ONNX graph written node by node.

It needs the package `onnx`, as training does; running a graph does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from logwright.errors import MissingExtraError
from logwright.sequence.scoring import Float32s

__all__ = ["FORMAT", "Graph", "array_of"]

FORMAT = "1"
"""The version of a step graph's inputs and outputs, in its metadata under `logwright.step`."""

_OPSET, _IR = 20, 10


def array_of(tensor: Any) -> Float32s:
    """The numbers of a tensor of torch, as float32."""
    found: Float32s = tensor.detach().float().cpu().numpy()
    return found


class Graph:
    """A graph in the making. Names of values are given by the order in which they are made."""

    def __init__(self, width: int) -> None:
        try:
            import onnx
        except ImportError:
            raise MissingExtraError("train", "onnx") from None
        self._onnx: Any = onnx
        self.width = width
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._last: str = self.input("x", [width])

    def input(self, name: str, shape: list[int], kind: str = "FLOAT") -> str:
        """An input of each session; B stands before its shape."""
        self._inputs.append(self._value(name, shape, kind))
        return name

    def output(self, value: str, name: str, shape: list[int]) -> None:
        """Give a value out under a name."""
        self._nodes.append(self._onnx.helper.make_node("Identity", [value], [name]))
        self._outputs.append(self._value(name, shape, "FLOAT"))

    def constant(self, value: Any) -> str:
        """A constant array."""
        name = f"c{len(self._constants)}"
        self._constants.append(
            self._onnx.numpy_helper.from_array(np.ascontiguousarray(value), name)
        )
        return name

    def do(self, op: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Apply an operator; the name of its output, or a list of names."""
        names = [f"v{len(self._nodes)}_{i}" for i in range(outputs)]
        self._nodes.append(self._onnx.helper.make_node(op, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def linear(self, x: str, weight: Float32s, bias: Float32s) -> str:
        """x @ weight.T + bias, the weight as torch keeps it."""
        made: str = self.do("Gemm", x, self.constant(weight.T), self.constant(bias))
        return made

    def normed(self, x: str, arrays: dict[str, Float32s], name: str) -> str:
        """Layer normalisation."""
        scale, shift = (self.constant(arrays[f"{name}.{part}"]) for part in ("weight", "bias"))
        made: str = self.do("LayerNormalization", x, scale, shift, axis=-1, epsilon=1e-5)
        return made

    def finish(self, facts: dict[str, str]) -> bytes:
        """The checked graph as bytes, with facts in its metadata."""
        helper = self._onnx.helper
        outputs = sorted(self._outputs, key=lambda one: one.name != "h")
        graph = helper.make_graph(self._nodes, "step", self._inputs, outputs, self._constants)
        opset = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=_IR)
        helper.set_model_props(model, {f"logwright.{key}": value for key, value in facts.items()})
        self._onnx.checker.check_model(model)
        data: bytes = model.SerializeToString()
        return data

    def _value(self, name: str, shape: list[int], kind: str) -> Any:
        helper = self._onnx.helper
        return helper.make_tensor_value_info(
            name, getattr(self._onnx.TensorProto, kind), ["B", *shape]
        )
