"""An ONNX graph made safe and fit to run: nothing outside the file, a free batch, pixels in as they are.

The files in the wild have flaws that this mends in memory when they are loaded; the file itself stays as pinned:
weights listed among the inputs (which blocks graph optimisation), a batch or a picture size fixed at export, reshapes
that hard-code a batch of one. The preprocessing goes into the graph too, so that every engine takes the same thing:
uint8, (n, height, width, 3), RGB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from countenance.domain.errors import WeightsRefused
from countenance.faces.packs import ModelFile

if TYPE_CHECKING:
    from onnx import ModelProto

_DOMAINS = frozenset({"", "ai.onnx"})
"""The standard's own operators; any other would be code that somebody else brings."""


def prepare(content: bytes, model: ModelFile, *, free_size: bool) -> bytes:
    """The graph of `model` ready for an engine. `free_size` frees height and width too (detectors).

    Raises WeightsRefused when the file is no ONNX model of standard operators, or refers to anything outside itself.
    """
    import onnx

    try:
        graph = onnx.load_model_from_string(content)
    except Exception as error:  # protobuf has several unrelated exception types
        raise _refused(model, "it is not an ONNX file") from error
    _check(graph, model)
    _drop_weight_inputs(graph)
    if len(graph.graph.input) != 1:
        raise _refused(model, "it has several inputs")
    _free_dimensions(graph, free_size)
    if model.batch == "free-reshapes":
        _free_reshapes(graph)
    _take_pixels(graph, model, free_size)
    return bytes(graph.SerializeToString())


def _refused(model: ModelFile, why: str) -> WeightsRefused:
    return WeightsRefused(f"the model {model.file} is refused: {why}", advice="Check the pack it came with.")


def _check(graph: ModelProto, model: ModelFile) -> None:
    from onnx import TensorProto

    if len(graph.functions) or any(one.domain not in _DOMAINS for one in graph.opset_import):
        raise _refused(model, "it needs operators that are not standard")
    pending = [graph.graph]
    while pending:
        part = pending.pop()
        tensors = [*part.initializer]
        if len(part.sparse_initializer):
            raise _refused(model, "it holds sparse weights")
        for node in part.node:
            if node.domain not in _DOMAINS:
                raise _refused(model, "it needs operators that are not standard")
            for attribute in node.attribute:
                tensors += [attribute.t, *attribute.tensors]
                pending += [attribute.g, *attribute.graphs]
        if any(one.data_location == TensorProto.EXTERNAL or len(one.external_data) for one in tensors):
            raise _refused(model, "its weights lie in other files")


def _drop_weight_inputs(graph: ModelProto) -> None:
    weights = {one.name for one in graph.graph.initializer}
    inputs = [one for one in graph.graph.input if one.name not in weights]
    del graph.graph.input[:]
    graph.graph.input.extend(inputs)


def _free_dimensions(graph: ModelProto, free_size: bool) -> None:
    del graph.graph.value_info[:]
    for value in graph.graph.output:
        for number, dim in enumerate(value.type.tensor_type.shape.dim):
            if number == 0 or free_size:
                dim.ClearField("dim_value")
                dim.dim_param = f"{value.name}_{number}"


def _free_reshapes(graph: ModelProto) -> None:
    """A reshape to [1, …] becomes one to [0, …]: ONNX then copies the first dimension, the batch, from the input."""
    from onnx import numpy_helper

    shapes = {one.name: one for one in graph.graph.initializer}
    shapes |= {node.output[0]: node.attribute[0].t for node in graph.graph.node if node.op_type == "Constant"}
    for node in graph.graph.node:
        tensor = shapes.get(node.input[1]) if node.op_type == "Reshape" else None
        if tensor is None:
            continue
        shape = numpy_helper.to_array(tensor).copy()
        if shape.ndim == 1 and len(shape) > 1 and shape[0] == 1:
            shape[0] = 0
            tensor.CopyFrom(numpy_helper.from_array(shape, tensor.name))


def _take_pixels(graph: ModelProto, model: ModelFile, free_size: bool) -> None:
    """Put (pixel − mean) × scale, the channels' order and the axes' order before the first node."""
    from onnx import TensorProto, helper, numpy_helper

    old = graph.graph.input[0]
    size = [0 if free_size else dim.dim_value for dim in old.type.tensor_type.shape.dim][2:]
    name = old.name
    steps = [
        helper.make_node("Cast", ["pixels"], ["pixels_float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["pixels_float"], ["pixels_0"], perm=[0, 3, 1, 2]),
    ]
    constants: list[tuple[str, str, np.ndarray]] = []
    if model.channels == "BGR":
        constants.append(("Gather", "pixels_order", np.array([2, 1, 0], np.int64)))
    if model.mean != 0:
        constants.append(("Sub", "pixels_mean", np.array(model.mean, np.float32)))
    if model.scale != 1:
        constants.append(("Mul", "pixels_scale", np.array(model.scale, np.float32)))
    at = "pixels_0"
    for number, (op, constant, value) in enumerate(constants, 1):
        graph.graph.initializer.append(numpy_helper.from_array(value, constant))
        extra = {"axis": 1} if op == "Gather" else {}
        steps.append(helper.make_node(op, [at, constant], [f"pixels_{number}"], **extra))
        at = f"pixels_{number}"
    steps[-1].output[0] = name
    nodes = [*steps, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
    del graph.graph.input[:]
    sides = [one or f"side_{number}" for number, one in enumerate(size)]
    graph.graph.input.append(helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", *sides, 3]))
