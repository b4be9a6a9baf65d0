"""A copy of an exported model with its large weights as int8: a quarter of the size.

Two ways, chosen by measurement (see docs/onnx.md): matrix products by onnxruntime's MatMulNBits,
and the table of word vectors, nine tenths of a small encoder, with one scale a word.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from classifier.export.graph import MOST_IN_ONE_FILE, quiet_exporters

_LARGE_TABLE = 1_000_000  # numbers; position vectors and the like are smaller, and stay as they are
_BLOCK = 32  # numbers with a scale of their own
_INT8_PRODUCTS = 4  # MatMulNBits' accuracy_level: its input as int8 too, block by block


def write_int8(source: Path, target: Path) -> None:
    """Write the model in `source`, as `graph.write_onnx` writes it, to `target` with int8 weights.

    Unlike with onnxruntime's dynamic quantisation, whose input has one scale a batch, an answer
    does not depend on the other reviews of a batch. Needs onnxruntime 1.22 or newer to be read.
    """
    with quiet_exporters():
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

        model = onnx.load(source)
        _quantise_tables(model.graph)
        quantiser = MatMulNBitsQuantizer(
            model,
            bits=8,
            block_size=_BLOCK,
            is_symmetric=True,
            accuracy_level=_INT8_PRODUCTS,
        )
        quantiser.process()
        smaller = quantiser.model.model
    onnx.save(
        smaller,
        target,
        save_as_external_data=smaller.ByteSize() > MOST_IN_ONE_FILE,
        location=f"{target.name}.data",
    )


def _quantise_tables(graph: GraphProto) -> None:
    """Replace look-ups in large tables by look-ups of int8 rows and of their scales."""
    tables = {
        table.name: table
        for table in graph.initializer
        if len(table.dims) == 2
        and table.data_type == TensorProto.FLOAT
        and np.prod(table.dims) >= _LARGE_TABLE
    }
    uses = [name for node in graph.node for name in node.input]
    nodes: list[NodeProto] = []
    for node in graph.node:
        name = node.input[0] if node.op_type == "Gather" else ""
        axis = next((one.i for one in node.attribute if one.name == "axis"), 0)
        if name not in tables or axis != 0 or uses.count(name) > 1:
            nodes.append(node)
            continue
        nodes += _look_up(node)
        table = tables[name]
        graph.initializer.extend(_int8_rows(numpy_helper.to_array(table), name))
        graph.initializer.remove(table)
    del graph.node[:]
    graph.node.extend(nodes)


def _int8_rows(table: np.ndarray, name: str) -> list[TensorProto]:
    """The table's rows between -127 and 127, and the scale of each."""
    scale = np.abs(table).max(axis=1, keepdims=True) / 127
    rows = np.rint(table / np.maximum(scale, np.finfo(np.float32).tiny)).astype(np.int8)
    return [
        numpy_helper.from_array(rows, f"{name}.int8"),
        numpy_helper.from_array(scale.astype(np.float32), f"{name}.scale"),
    ]


def _look_up(gather: NodeProto) -> list[NodeProto]:
    """The nodes that give what `gather` gave."""
    (name, ids), out = gather.input, gather.output[0]
    return [
        helper.make_node("Gather", [f"{name}.int8", ids], [f"{out}.int8"]),
        helper.make_node("Gather", [f"{name}.scale", ids], [f"{out}.scale"]),
        helper.make_node("Cast", [f"{out}.int8"], [f"{out}.float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{out}.float", f"{out}.scale"], [out]),
    ]
