"""Faults in the documents: links that lead nowhere, files that are named but not there, targets that `make` lacks.

`python -m tools.docs` prints them and fails. Only the project's own text is read; nothing is fetched.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
NAMED_FILE = re.compile(r"`((?:src|tests|docs|tools|demo|benchmarks|requirements)/[\w./-]+\.\w+)`")
MAKE = re.compile(r"`make ([a-z][a-z-]*)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)


def documents(root: Path = ROOT) -> list[Path]:
    """Every Markdown file at the top, under `docs/` and beside the code."""
    folders = ("docs", "demo", "benchmarks", "src", "tests", "tools")
    return sorted([*root.glob("*.md"), *(page for folder in folders for page in (root / folder).rglob("*.md"))])


def anchors(text: str) -> set[str]:
    """What can stand after a `#`: each heading, lower case, without punctuation, blanks as hyphens."""
    return {
        re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", heading.replace("`", "")).strip().lower())
        for heading in HEADING.findall(FENCE.sub("", text))
    }


def faults_in(page: Path, root: Path = ROOT) -> Iterator[str]:
    """What is wrong with one page, in words."""
    text = page.read_text(encoding="utf-8")
    name = page.relative_to(root)
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        path, _, anchor = target.partition("#")
        aim = (page.parent / path) if path else page
        if not aim.exists():
            yield f"{name}: the link {target} leads nowhere"
        elif anchor and aim.suffix == ".md" and anchor not in anchors(aim.read_text(encoding="utf-8")):
            yield f"{name}: {path or 'this page'} has no heading #{anchor}"
    for named in sorted(set(NAMED_FILE.findall(text))):
        if not (root / named).exists():
            yield f"{name}: there is no {named}"
    targets = set(re.findall(r"^([a-z][a-z-]*):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for target in sorted(set(MAKE.findall(text)) - targets):
        yield f"{name}: `make {target}` is no target"


def main() -> int:
    """Print every fault; 1 when there is one."""
    faults = [fault for page in documents() for fault in faults_in(page)]
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(documents())} documents, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
