"""The shape of `pack.toml`, checked by pydantic. Only `packs.py` reads it."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from countenance.faces.packs import PLAIN_NAME, Batch, Channels, DetectorSpec, EmbedderSpec, ModelFile, Wheel

MAX_MODEL_BYTES = 2**31 - 1
"""Largest ONNX file: what one protobuf message can hold."""


def _plain(name: str) -> str:
    if not PLAIN_NAME.fullmatch(name) or ".." in name:
        raise ValueError("not a plain file name")
    return name


def _member(name: str) -> str:
    parts = name.split("/")
    if "\\" in name or any(part in ("", ".", "..") for part in parts):
        raise ValueError("not a plain path inside a wheel")
    return name


def _requirement(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.+!_-]*", text):
        raise ValueError("not of the form name==version")
    return text


PlainName = Annotated[str, AfterValidator(_plain)]
Member = Annotated[str, AfterValidator(_member)]
Requirement = Annotated[str, AfterValidator(_requirement)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, Field(gt=0, le=MAX_MODEL_BYTES)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WheelToml(_Strict):
    """`[….wheel]`"""

    requirement: Requirement
    sha256: Digest
    bytes: Size
    member: Member


class ModelToml(_Strict):
    """What a detector and an embedder have in common."""

    file: PlainName
    sha256: Digest
    bytes: Size
    licence: str = Field(min_length=1)
    channels: Channels
    mean: float = Field(allow_inf_nan=False)
    scale: float = Field(gt=0, allow_inf_nan=False)
    batch: Batch
    wheel: WheelToml | None = None

    def model(self) -> ModelFile:
        """The dataclass."""
        wheel = None if self.wheel is None else Wheel(**self.wheel.model_dump())
        return ModelFile(
            file=self.file,
            sha256=self.sha256,
            bytes=self.bytes,
            licence=self.licence,
            channels=self.channels,
            mean=self.mean,
            scale=self.scale,
            batch=self.batch,
            wheel=wheel,
        )


class DetectorToml(ModelToml):
    """`[detector]`"""

    decoder: Literal["yunet", "scrfd"]
    min_score: float = Field(gt=0, lt=1)
    sure_score: float = Field(gt=0, lt=1)

    def spec(self) -> DetectorSpec:
        """The dataclass."""
        return DetectorSpec(self.model(), self.decoder, self.min_score, self.sure_score)


class EmbedderToml(ModelToml):
    """`[[embedder]]`"""

    size: Literal[112] = 112
    dimension: int = Field(ge=8, le=4096)

    def spec(self) -> EmbedderSpec:
        """The dataclass."""
        return EmbedderSpec(model=self.model(), size=self.size, dimension=self.dimension)


class PackToml(_Strict):
    """The whole file."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    version: int = Field(ge=1)
    licence: str = Field(min_length=1)
    terms: str = Field(min_length=1)
    needs_acceptance: bool = False
    calibration: PlainName | None = None
    detector: DetectorToml
    embedder: list[EmbedderToml] = Field(min_length=1, max_length=8)
