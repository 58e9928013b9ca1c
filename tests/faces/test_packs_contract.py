"""The contract kit on the shipped packs."""

from __future__ import annotations

from collections.abc import Callable

from countenance.faces.pipeline import FacePipeline
from tests.faces import kit
from tests.faces.conftest import Photograph


def test_digests(pipeline: FacePipeline) -> None:
    kit.check_digests(pipeline)


def test_templates_are_unit_vectors(pipeline: FacePipeline, photograph: Photograph) -> None:
    kit.check_templates(pipeline, photograph)


def test_same_picture_same_templates(pipeline: FacePipeline, photograph: Photograph) -> None:
    kit.check_determinism(pipeline, photograph)


def test_batch_equals_single(pipeline: FacePipeline, photograph: Photograph) -> None:
    kit.check_batches(pipeline, photograph)


def test_everyone_is_nearest_to_themselves(pipeline: FacePipeline, photograph: Photograph) -> None:
    kit.check_rank(pipeline, photograph)


def test_runtimes_agree(
    pipeline: FacePipeline, pipeline_of: Callable[..., FacePipeline], photograph: Photograph
) -> None:
    kit.check_parity(pipeline, pipeline_of(pipeline.pack_id, "onnxruntime"), photograph)


def test_research_holds_two_embedders_side_by_side(pipeline_of: Callable[..., FacePipeline]) -> None:
    assert pipeline_of("research").dimension == 1024
    assert [one.dimension for one in pipeline_of("research").pack.embedders] == [512, 512]
    assert pipeline_of("open").dimension == 128
