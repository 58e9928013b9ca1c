"""A graph is mended when it is loaded, and one that reaches outside its file is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from countenance.domain.errors import WeightsRefused
from countenance.faces.graph import prepare
from countenance.faces.packs import ModelFile
from countenance.faces.runtime import open_engine

MODEL = ModelFile("m.onnx", "0" * 64, 1, "MIT", "RGB", 0.0, 1.0, "free", None)


def graph(nodes: list[onnx.NodeProto], weights: list[onnx.TensorProto], **more: object) -> onnx.ModelProto:
    """A model from (1, 3, 4, 4) to (1, 48)."""
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 4, 4])]
    inputs += [helper.make_tensor_value_info(one.name, one.data_type, one.dims) for one in weights]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 48])]
    made = helper.make_graph(nodes, "g", inputs, outputs, weights)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 11)], ir_version=6, **more)


def flat(batch: int = 1) -> onnx.ModelProto:
    """y = w × x, flattened; with the flaws that the files in the wild have."""
    weights = [
        numpy_helper.from_array(np.array([2.0], np.float32), "w"),
        numpy_helper.from_array(np.array([batch, 48], np.int64), "shape"),
    ]
    nodes = [helper.make_node("Mul", ["x", "w"], ["a"]), helper.make_node("Reshape", ["a", "shape"], ["y"])]
    return graph(nodes, weights)


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
@pytest.mark.parametrize(
    "model",
    [
        MODEL,
        replace(MODEL, channels="BGR"),
        replace(MODEL, mean=127.5, scale=1 / 128),
        replace(MODEL, channels="BGR", mean=10.0, scale=0.5),
    ],
)
def test_pixels_go_in_as_they_are_and_batches_work(runtime: str, model: ModelFile) -> None:
    model = replace(model, batch="free-reshapes")
    ready = open_engine(runtime).load(prepare(flat().SerializeToString(), model, free_size=False))  # type: ignore[arg-type]
    pixels = np.random.default_rng(1).integers(0, 256, (3, 4, 4, 3), np.uint8)
    order = [2, 1, 0] if model.channels == "BGR" else [0, 1, 2]
    planes = pixels[..., order].transpose(0, 3, 1, 2).astype(np.float32)
    expected = (2 * (planes - model.mean) * model.scale).reshape(3, 48)
    (got,) = ready.run(pixels)
    assert got.shape == (3, 48)
    # bfloat16 keeps eight bits
    assert np.abs(got - expected).max() <= 2**-7 * np.abs(expected).max()
    (single,) = ready.run(pixels[1:2])
    assert np.array_equal(single[0], got[1])


def test_weights_are_no_inputs_any_more() -> None:
    ready = onnx.load_model_from_string(prepare(flat().SerializeToString(), MODEL, free_size=False))
    assert [one.name for one in ready.graph.input] == ["pixels"]
    assert ready.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "n"


def test_a_picture_size_is_freed_when_asked() -> None:
    for free, expected in ((True, [0, 0, 0, 3]), (False, [0, 4, 4, 3])):
        ready = onnx.load_model_from_string(prepare(flat().SerializeToString(), MODEL, free_size=free))
        assert [dim.dim_value for dim in ready.graph.input[0].type.tensor_type.shape.dim] == expected


def external() -> onnx.ModelProto:
    model = flat()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../secret"
    return model


def external_in_a_branch() -> onnx.ModelProto:
    inner = helper.make_graph(
        [helper.make_node("Constant", [], ["c"], value=external().graph.initializer[0])],
        "inner",
        [],
        [helper.make_tensor_value_info("c", TensorProto.FLOAT, [1])],
    )
    model = flat()
    model.graph.node.append(helper.make_node("If", ["x"], ["z"], then_branch=inner, else_branch=inner))
    return model


def foreign_operator() -> onnx.ModelProto:
    model = flat()
    model.graph.node[0].domain = "com.example"
    return model


def foreign_set() -> onnx.ModelProto:
    model = flat()
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    return model


def two_inputs() -> onnx.ModelProto:
    model = flat()
    model.graph.input.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, [1]))
    return model


@pytest.mark.parametrize("make", [external, external_in_a_branch, foreign_operator, foreign_set, two_inputs])
def test_what_reaches_outside_is_refused(make: object) -> None:
    with pytest.raises(WeightsRefused):
        prepare(make().SerializeToString(), MODEL, free_size=False)  # type: ignore[operator]


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"PK\x03\x04", b"\x80\x04\x95" + b"x" * 50])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(WeightsRefused):
        prepare(content, MODEL, free_size=False)


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_graph_that_an_engine_cannot_read_is_refused(runtime: str) -> None:
    broken = flat()
    broken.graph.node[0].input[0] = "nowhere"
    with pytest.raises(WeightsRefused):
        open_engine(runtime).load(prepare(broken.SerializeToString(), MODEL, free_size=False))  # type: ignore[arg-type]
