"""The README's example says what the program says."""

from __future__ import annotations

import re
from pathlib import Path

from countenance.services.analyse import NewAnalysis
from tests.places import ROOT, TESTER, Place
from tools.proxysim.scenarios import SCENARIOS
from tools.proxysim.truth import told
from tools.proxysim.writers import FORMATS, logs


def test_the_2337_hits(place: Place, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    world = SCENARIOS["hits-2337"](7)
    for name, text in logs(world, FORMATS["squid"], "mixed").items():
        (tmp_path / name).write_text(text, encoding="utf-8", newline="\n")
    with place.open() as product:
        files = tuple(str(file) for file in sorted(tmp_path.glob("*.log")))
        body = product.logs.analyse(NewAnalysis(files), TESTER)["body"]
    block = re.search(r"^```\n(2,337 hits .*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert block
    assert block[1].splitlines() == body["summary"]
    truth = told(world)["totals"]["searches"]
    low, high = body["totals"]["searches"]["at_least"], body["totals"]["searches"]["at_most"]
    assert low <= truth <= high
    assert f"in which {truth} were" in readme
    assert f"{low} and {high}" in " ".join(readme.split())
