"""Are close-ups and small faces found? The detector of each pack on faces that fill the picture, and on crowds.

    python benchmarks/closeups.py DATA [--pack open research] [--limit 500] [--json]

DATA holds `fairface/img` (tight crops), `lfw/NAME/*.jpg` (cropped here to the detected face) and `widerface` with
`boxes.csv`. Close-ups are tried at their own size and enlarged. A close-up counts as found when a detection contains
the picture's centre and is at least a third of its shorter side wide.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from countenance.domain.faces import Face
from countenance.faces.pipeline import FacePipeline, load_pipeline

ENLARGED = (1, 3, 6)
BINS = ((8, 16), (16, 24), (24, 32), (32, 64), (64, 10_000))
SEED = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--pack", nargs="+", default=["open", "research"])
    parser.add_argument("--limit", type=int, default=500, help="photographs of each set")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    report = {pack: measure(load_pipeline(pack), args.data, args.limit) for pack in args.pack}
    if args.json:
        print(json.dumps(report))
        return
    for pack, figures in report.items():
        print(f"\n{pack}")
        for name, value in figures.items():
            print(f"  {name:34} {value}")


def measure(pipeline: FacePipeline, data: Path, limit: int) -> dict[str, Any]:
    """Every figure of one pack."""
    fairface = [opened(file) for file in chosen(data / "fairface" / "img", "*.jpg", limit)]
    lfw = [opened(file) for file in chosen(data / "lfw", "*/*.jpg", limit)]
    tight = [crop for picture in lfw if (crop := tight_crop(pipeline, picture)) is not None]
    figures: dict[str, Any] = {"LFW photographs with a face in the middle": len(tight) / len(lfw)}
    for name, pictures in (("FairFace", fairface), ("LFW cropped to the face", tight)):
        for factor in ENLARGED:
            some = pictures if factor == 1 else pictures[: max(1, len(pictures) // 3)]
            print(f"{pipeline.pack_id}: {name} × {factor}", file=sys.stderr)
            found = sum(fills(pipeline.faces(np.asarray(enlarged(one, factor))), one, factor) for one in some)
            figures[f"{name} × {factor} ({len(some)})"] = found / len(some)
    return figures | crowds(pipeline, data / "widerface")


def chosen(folder: Path, pattern: str, limit: int) -> list[Path]:
    """Some files, always the same."""
    files = sorted(folder.glob(pattern))
    random.Random(SEED).shuffle(files)
    return files[:limit]


def opened(file: Path) -> Image.Image:
    """RGB."""
    return Image.open(file).convert("RGB")


def enlarged(picture: Image.Image, factor: int) -> Image.Image:
    """As a close-up from a better camera would be."""
    if factor == 1:
        return picture
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.BICUBIC)


def tight_crop(pipeline: FacePipeline, picture: Image.Image) -> Image.Image | None:
    """The picture cropped to the box of the face in its middle."""
    for face in pipeline.faces(np.asarray(picture)):
        box = face.box
        if box.x < picture.width / 2 < box.x + box.w and box.y < picture.height / 2 < box.y + box.h:
            right, bottom = min(int(box.x + box.w), picture.width), min(int(box.y + box.h), picture.height)
            return picture.crop((max(int(box.x), 0), max(int(box.y), 0), right, bottom))
    return None


def fills(faces: Iterable[Face], picture: Image.Image, factor: int) -> bool:
    """Whether one of the faces is the close-up."""
    width, height = picture.width * factor, picture.height * factor
    return any(
        face.box.x < width / 2 < face.box.x + face.box.w
        and face.box.y < height / 2 < face.box.y + face.box.h
        and min(face.box.w, face.box.h) > min(width, height) / 3
        for face in faces
    )


def crowds(pipeline: FacePipeline, folder: Path) -> dict[str, Any]:
    """Recall by the shorter side of the marked box in pixels, and detections that meet no box, a photograph."""
    marked: dict[str, list[tuple[float, float, float, float, bool]]] = defaultdict(list)
    with (folder / "boxes.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            x, y, w, h = (float(row[side]) for side in "xywh")
            marked[row["file"]].append((x, y, x + w, y + h, row["invalid"] == "1"))
    seen: defaultdict[int, int] = defaultdict(int)
    total: defaultdict[int, int] = defaultdict(int)
    strays = 0
    for name, boxes in marked.items():
        faces = pipeline.faces(np.asarray(opened(folder / name)))
        found = np.array([(f.box.x, f.box.y, f.box.x + f.box.w, f.box.y + f.box.h) for f in faces]).reshape(-1, 4)
        common = overlaps(found, np.array([box[:4] for box in boxes]))
        strays += int((common.max(axis=1, initial=0) < 0.2).sum())
        for number, (left, top, right, bottom, invalid) in enumerate(boxes):
            for low, high in BINS:
                if not invalid and low <= min(right - left, bottom - top) < high:
                    total[low] += 1
                    seen[low] += bool(common[:, number].max(initial=0) >= 0.4)
    figures = {f"WIDER FACE, boxes of {low} to {high} px ({total[low]})": seen[low] / total[low] for low, high in BINS}
    return figures | {"WIDER FACE, strays a photograph": strays / len(marked)}


def overlaps(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Intersection over union, (n, m)."""
    low = np.maximum(ours[:, None, :2], theirs[None, :, :2])
    high = np.minimum(ours[:, None, 2:], theirs[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (ours, theirs)]
    return np.asarray(common / np.maximum(areas[0][:, None] + areas[1][None] - common, 1e-9))


if __name__ == "__main__":
    main()
