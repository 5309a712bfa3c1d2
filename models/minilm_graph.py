"""Writes ``minilm_int8.onnx``: ``python -m personaagent.models.minilm_graph MODEL_FOLDER``.

The published file holds its weights in int8, but its graph casts them to floats at load and computes
in floats. This graph uses the same weights, where they stand in that file, and multiplies integers.
The result is part of the package; only this script needs the package ``onnx``.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OUTPUT = Path(__file__).with_name("minilm_int8.onnx")
WEIGHTS = "model.onnx"
LAYERS = 6
HEADS = 12
EPSILON = 1e-12
CONTRIB = "com.microsoft"
"""The domain of onnxruntime's fused operators."""


def int8_graph(weights: bytes) -> onnx.ModelProto:
    """The model over ``weights``, the contents of the published file.

    Inputs ``input_ids`` and ``attention_mask``: int64, [texts, tokens]. Output ``embedding``: float,
    [texts, 384], the mean over a text's tokens, brought to unit length.
    """
    graph = _Graph(weights)
    hidden = _embeddings(graph)
    mask = graph.node("Cast", "attention_mask", to=TensorProto.INT32)
    for layer in range(LAYERS):
        hidden = _layer(graph, hidden, mask, layer)
    _mean_pooling(graph, hidden)
    return graph.model()


def _embeddings(graph: "_Graph") -> str:
    prefix = "inner.embeddings"
    length = graph.node("Shape", "input_ids", start=1, end=2)
    zero = graph.constant("zero", np.array([0], np.int64))
    positions = graph.node(
        "Slice", graph.constant("positions", np.arange(512, dtype=np.int64)), zero, length, zero
    )
    first_type = graph.node(
        "Gather",
        graph.stored(f"{prefix}.token_type_embeddings.weight"),
        graph.constant("first", np.array(0, np.int64)),
    )
    words = _rows(graph, f"{prefix}.word_embeddings.weight", "input_ids")
    placed = graph.node(
        "Add", words, _rows(graph, f"{prefix}.position_embeddings.weight", positions)
    )
    return graph.node(
        "LayerNormalization",
        graph.node("Add", placed, first_type),
        graph.stored(f"{prefix}.LayerNorm.weight"),
        graph.stored(f"{prefix}.LayerNorm.bias"),
        epsilon=EPSILON,
    )


def _rows(graph: "_Graph", table: str, ids: str) -> str:
    """Rows of an embedding table, of which only these become floats."""
    rows = graph.node("Gather", graph.stored(f"{table}_q"), ids)
    scales = graph.node("Gather", graph.stored(f"{table}_scale"), ids)
    return graph.node("Mul", graph.node("Cast", rows, to=TensorProto.FLOAT), scales)


def _layer(graph: "_Graph", hidden: str, mask: str, layer: int) -> str:
    """One encoder layer of BERT (Devlin et al. 2019, arXiv 1810.04805)."""
    prefix = f"inner.encoder.layer.{layer}"
    query, key, value, attended, wider, narrower = graph.matrices[6 * layer : 6 * layer + 6]
    heads = [
        graph.node("Add", product, graph.stored(f"{prefix}.attention.self.{name}.bias"))
        for name, product in zip(
            ("query", "key", "value"),
            _products(graph, hidden, [query, key, value]),
            strict=True,
        )
    ]
    attention = graph.node("MultiHeadAttention", *heads, "", mask, num_heads=HEADS)
    [attention] = _products(graph, attention, [attended])
    hidden = _add_and_normalise(graph, hidden, attention, f"{prefix}.attention.output")
    [wide] = _products(graph, hidden, [wider])
    wide = graph.node("BiasGelu", wide, graph.stored(f"{prefix}.intermediate.dense.bias"))
    [narrow] = _products(graph, wide, [narrower])
    return _add_and_normalise(graph, hidden, narrow, f"{prefix}.output")


def _products(graph: "_Graph", rows: str, matrices: list[str]) -> list[str]:
    """``rows`` times each matrix, in integers: a scale a token and a scale a column.

    A token's scale comes from its own values (ZeroQuant, arXiv 2206.01861, section 4.1), so that a
    text's vector does not depend on the texts in its batch, as it would with one scale for all.
    """
    largest = graph.node("ReduceMax", graph.node("Abs", rows), axes=[-1], keepdims=1)
    step = graph.node("Mul", largest, graph.constant("step", np.float32(1 / 127)))
    step = graph.node("Max", step, graph.constant("least", np.float32(1e-12)))
    middle = graph.constant("middle", np.float32(128))
    shifted = graph.node("Add", graph.node("Div", rows, step), middle)
    integers = graph.node("Cast", graph.node("Round", shifted), to=TensorProto.UINT8)
    zero_point = graph.constant("zero_point", np.uint8(128))
    return [
        graph.node(
            "Mul",
            graph.node(
                "Cast",
                graph.node("MatMulInteger", integers, graph.stored(f"{matrix}_q"), zero_point),
                to=TensorProto.FLOAT,
            ),
            graph.node("Mul", step, graph.stored(f"{matrix}_scale")),
        )
        for matrix in matrices
    ]


def _add_and_normalise(graph: "_Graph", hidden: str, change: str, prefix: str) -> str:
    return graph.node(
        "SkipLayerNormalization",
        hidden,
        change,
        *(graph.stored(f"{prefix}.LayerNorm.{name}") for name in ("weight", "bias")),
        graph.stored(f"{prefix}.dense.bias"),
        epsilon=EPSILON,
    )


def _mean_pooling(graph: "_Graph", hidden: str) -> None:
    last = graph.constant("last", np.array([-1], np.int64))
    counted = graph.node(
        "Unsqueeze", graph.node("Cast", "attention_mask", to=TensorProto.FLOAT), last
    )
    summed = graph.node(
        "ReduceSum",
        graph.node("Mul", hidden, counted),
        graph.constant("tokens", np.array([1], np.int64)),
        keepdims=0,
    )
    graph.node("LpNormalization", summed, output="embedding")  # the sum's direction is the mean's


class _Graph:
    """Nodes and tensors so far; a node's name is that of its one output."""

    def __init__(self, weights: bytes) -> None:
        self._weights = weights
        published = onnx.load_model_from_string(weights).graph
        self._published = {tensor.name: tensor for tensor in published.initializer}
        self.matrices = [
            node.input[1]
            for node in published.node
            if node.op_type == "MatMul" and f"{node.input[1]}_q" in self._published
        ]
        self._nodes: list[onnx.NodeProto] = []
        self._tensors: dict[str, onnx.TensorProto] = {}

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"{operator}_{len(self._nodes)}"
        fused = operator in {"MultiHeadAttention", "BiasGelu", "SkipLayerNormalization"}
        self._nodes.append(
            helper.make_node(
                operator, inputs, [output], domain=CONTRIB if fused else "", **attributes
            )
        )
        return output

    def constant(self, name: str, value: Any) -> str:
        self._tensors[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def stored(self, name: str) -> str:
        """A tensor of the published file, by its place there."""
        published = self._published[name]
        data = published.raw_data
        tensor = TensorProto(
            name=name,
            data_type=published.data_type,
            dims=published.dims,
            data_location=TensorProto.EXTERNAL,
        )
        place = {"location": WEIGHTS, "offset": self._weights.index(data), "length": len(data)}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        self._tensors[name] = tensor
        return name

    def model(self) -> onnx.ModelProto:
        integers = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
            for name in ("input_ids", "attention_mask")
        ]
        vectors = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["texts", 384])
        graph = helper.make_graph(
            self._nodes, "minilm_int8", integers, [vectors], [*self._tensors.values()]
        )
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


if __name__ == "__main__":
    weights = (Path(sys.argv[1]) / WEIGHTS).read_bytes()
    OUTPUT.write_bytes(int8_graph(weights).SerializeToString(deterministic=True))
