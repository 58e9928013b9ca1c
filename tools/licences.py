"""The licences and the native libraries of everything that `pip install countenance` brings.

`python -m tools.licences` prints one line a package and fails on GPL, AGPL or LGPL (extras may be LGPL, the core may
not), on a licence that nobody reviewed and on a native library that nobody reviewed. Three things are looked at: the
licence that a package states, the names of the shared libraries it carries, and the bytes of its shared objects for
the entry points of well-known copyleft libraries, since a static link leaves no file name.
"""

from __future__ import annotations

import mmap
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

ALLOWED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "MPL-2.0",
        "PSF-2.0",
        "Unlicense",
        "ZPL-2.1",
        "Zlib",
    }
)
"""SPDX names that the core may carry. MPL-2.0 is a copyleft a file, and the one file here (certifi) is data."""

SPELLINGS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "OSI Approved :: Apache Software License": "Apache-2.0",
    "PSFL": "PSF-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""How packages without an SPDX expression spell their licence."""

REVIEWED: dict[str, tuple[str, str]] = {
    "brotlicffi": ("MIT", "only on PyPy"),
    "colorama": ("BSD-3-Clause", "only on Windows"),
    "pypydispatcher": ("BSD-3-Clause", "only on PyPy"),
    "pyrage": ("MIT", "its licence file; the metadata does not say"),
}
"""Package → (SPDX, reason), where the metadata does not say or where another platform needs the package, after
somebody read its licence file."""

REVIEWED_LIBRARIES: dict[str, str] = {
    # pillow
    "libXau": "MIT",
    "libavif": "BSD-2-Clause, with libaom, dav1d and libyuv (BSD) inside",
    "libbrotlicommon": "MIT",
    "libbrotlidec": "MIT",
    "libfreetype": "FreeType licence (BSD-like), chosen from its two",
    "libharfbuzz": "MIT",
    "libjpeg": "IJG and BSD-3-Clause (libjpeg-turbo)",
    "liblcms2": "MIT",
    "liblzma": "0BSD",
    "libopenjp2": "BSD-2-Clause",
    "libpng16": "libpng licence",
    "libsharpyuv": "BSD-3-Clause (libwebp)",
    "libtiff": "libtiff licence (MIT-like)",
    "libwebp": "BSD-3-Clause",
    "libwebpdemux": "BSD-3-Clause",
    "libwebpmux": "BSD-3-Clause",
    "libxcb": "MIT",
    "libzstd": "BSD-3-Clause, chosen from its two",
    # numpy
    "libscipy_openblas64_": "BSD-3-Clause (OpenBLAS)",
    "libgfortran": "GPL-3.0 with the GCC runtime library exception, which frees what is linked with it",
    "libquadmath": "LGPL-2.1, a separate shared library of the compiler's runtime, unmodified; NumPy needs it",
    # inference
    "libonnxruntime": "MIT",
    "libonnxruntime_providers_shared": "MIT",
    "libhwloc": "BSD-3-Clause",
    "libtbb": "Apache-2.0",
    "libtbbbind_2_5": "Apache-2.0",
    "libtbbmalloc": "Apache-2.0",
    "libtbbmalloc_proxy": "Apache-2.0",
}
"""Shared libraries that come inside wheels, each with what its licence file says. OpenVINO's own go by name."""

REVIEWED_MARKS = {
    (
        "lxml",
        "libiconv",
    ): "LGPL-2.1, linked into lxml's wheels, which say so and publish how to relink; Scrapy needs it",
}
"""Static links that were found, read about and kept, each with the reason."""

OWN_LIBRARIES = re.compile(r"libopenvino(_[a-z]+)*$")
"""Apache-2.0, the package's own."""

REFUSED_LIBRARIES = re.compile(
    r"^lib(x264|x265|xvidcore|postproc|avcodec|avformat|avutil|avfilter|avdevice|swscale|swresample|fdk-aac|faac"
    r"|gpl|gsl|readline|fftw3|mpv|dvdcss|rubberband|vidstab|gmp|mpfr|db|unistring|cholmod|umfpack)([-_.\d]|$)",
    re.IGNORECASE,
)
"""GPL, or so often built with GPL parts that a wheel with one of them stays out of the core."""

MARKS: dict[str, bytes] = {
    "x264": b"x264_encoder_open",
    "x265": b"x265_api_get",
    "ffmpeg": b"avcodec_open2",
    "postproc": b"pp_get_context",
    "readline": b"rl_readline_name",
    "fftw": b"fftw_plan_dft",
    "gsl": b"gsl_matrix_alloc",
    "libiconv": b"libiconv_open",
}
"""What a static link of a GPL or LGPL library leaves in a shared object."""

GPL = re.compile(r"\b(A|L)?GPL|GNU (Affero|Lesser|Library|General)", re.IGNORECASE)
NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==")


@dataclass(frozen=True, slots=True)
class Package:
    """One installed distribution: what it says of its licence, and the shared objects it brought."""

    name: str
    version: str
    expression: str
    libraries: tuple[str, ...]
    objects: tuple[Path, ...]


def locked_names(lock: Path) -> list[str]:
    """The packages that a lock names, once each, in its order."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(match[1] for line in lines if (match := NAME.match(line))))


def stated(meta: metadata.PackageMetadata) -> str:
    """What a package states: its SPDX expression, or else its classifiers, or else its licence field's first line."""
    if "License-Expression" in meta:
        return meta["License-Expression"]
    lines = meta["License"].strip().splitlines() if "License" in meta else []
    field = lines[0].strip() if lines else ""
    if field in ALLOWED:
        return field
    classifiers = [str(c) for c in meta.get_all("Classifier") or [] if c.startswith("License ::")]
    names = [c.split(" :: ")[-1] for c in classifiers]
    spelled = " AND ".join(SPELLINGS.get(name, name) for name in names)
    return spelled or SPELLINGS.get(field, field) or "unknown"


def installed(names: Iterable[str]) -> Iterator[Package]:
    """Those of the names that are installed here; a lock for every platform also names what others need."""
    for name in names:
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        objects = [f for f in found.files or [] if re.search(r"\.(so|dylib|dll|pyd)(\.|$)", f.name)]
        libraries = [f for f in objects if f.name.startswith("lib") or f.parent.name.endswith((".libs", ".dylibs"))]
        yield Package(
            name,
            found.version,
            stated(found.metadata),
            tuple(sorted({f.name for f in libraries})),
            tuple(Path(str(f.locate())) for f in objects),
        )


def licence_faults(package: Package) -> list[str]:
    """Why this licence may not be in the core, in words."""
    expression = REVIEWED[package.name][0] if package.name in REVIEWED else package.expression
    parts = [part.strip(" ()") for part in re.split(r"\bAND\b|\bOR\b", expression)]
    if all(part in ALLOWED for part in parts):
        return []
    if re.search(r"\bOR\b", expression) and any(part in ALLOWED for part in parts) and "AND" not in expression:
        return []
    kind = "a copyleft licence" if GPL.search(expression) else "a licence that nobody reviewed"
    return [f"{package.name}: {kind}: {expression}"]


def library_faults(package: Package) -> list[str]:
    """Which of its shared libraries may not be in the core, or were not reviewed."""
    faults = []
    for file in package.libraries:
        stem = re.sub(r"-[0-9a-f]{6,}(-[0-9a-f]{6,})?$", "", file.split(".so")[0].split(".dylib")[0]).rstrip("-")
        if REFUSED_LIBRARIES.match(file):
            faults.append(f"{package.name}: {file} is GPL or usually built so")
        elif not OWN_LIBRARIES.match(stem) and re.sub(r"-.*$", "", stem) not in REVIEWED_LIBRARIES:
            faults.append(f"{package.name}: {file} was reviewed by nobody")
    return faults


def marks_in(path: Path) -> list[str]:
    """Names of the copyleft libraries whose entry points are in this shared object."""
    if path.stat().st_size == 0:
        return []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return [name for name, mark in MARKS.items() if content.find(mark) >= 0]


def static_faults(package: Package) -> list[str]:
    """Copyleft libraries that are linked into its shared objects."""
    found = {name for path in package.objects if path.is_file() for name in marks_in(path)}
    return [
        f"{package.name}: {name} is linked into it"
        for name in sorted(found)
        if (package.name, name) not in REVIEWED_MARKS
    ]


def faults_of(package: Package) -> list[str]:
    """Everything that keeps this package out of the core."""
    return [*licence_faults(package), *library_faults(package), *static_faults(package)]


def absent_faults(names: Iterable[str], here: Iterable[Package]) -> list[str]:
    """Locked packages that are not installed on this platform and that nobody reviewed."""
    seen = {package.name for package in here} | REVIEWED.keys()
    return [f"{name}: locked but neither installed here nor reviewed" for name in names if name not in seen]


def main() -> int:
    """Print the list; 1 when something may not be there."""
    names = locked_names(ROOT / "requirements" / "base.txt")
    packages = list(installed(names))
    faults = absent_faults(names, packages)
    for package in packages:
        print(f"{package.name} {package.version}: {package.expression}")
        for file in package.libraries:
            print(f"    {file}")
        faults += faults_of(package)
    for fault in faults:
        print(f"refused: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
