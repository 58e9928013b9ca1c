"""Write a scenario as one product's logs, and beside them what was true.

    python -m tools.proxysim --scenario hits-2337 --seed 7 --format squid --view mixed --out FOLDER

Leaves `proxy-a.log`, `proxy-b.log` (one file for each proxy), `truth.json`, and what a reader has to be told, if
anything.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tools.proxysim.scenarios import SCENARIOS
from tools.proxysim.truth import told
from tools.proxysim.views import VIEWS
from tools.proxysim.writers import FORMATS, logs


def main() -> None:
    """Read the command line, write the files, print their names."""
    parser = argparse.ArgumentParser(prog="python -m tools.proxysim", description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="small")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--format", choices=sorted(FORMATS), default="squid")
    parser.add_argument("--view", choices=VIEWS, default="inspected")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    product = FORMATS[asked.format]
    if asked.view not in product.shows:
        parser.error(f"{asked.format} has no view {asked.view}; it has {', '.join(product.shows)}")
    world = SCENARIOS[asked.scenario](asked.seed)
    asked.out.mkdir(parents=True, exist_ok=True)
    files = logs(world, product, asked.view)
    files["truth.json"] = json.dumps(told(world), indent=1) + "\n"
    files |= {f"{name}.txt": text + "\n" for name, text in product.asks(asked.view).items()}
    for name, text in files.items():
        (asked.out / name).write_text(text, encoding="utf-8", newline="\n")
        print(asked.out / name)


if __name__ == "__main__":
    main()
