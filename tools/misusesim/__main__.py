"""Say how often the signs of misuse are right, or write a ledger of as many entries as wanted.

python -m tools.misusesim --seeds 1 2 3 4 5
python -m tools.misusesim --ledger FOLDER --entries 100000
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tools.misusesim.table import PAGE, put, table
from tools.misusesim.writing_ledger import write_ledger
from tools.misusesim.year import play, scored

SEEDS = (101, 102, 103, 104, 105, 106, 107, 108)
"""Held out: rules were made while looking at the years 1 to 8 alone."""


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(prog="python -m tools.misusesim", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE}")
    parser.add_argument("--ledger", type=Path, help="write a ledger into this new folder instead")
    parser.add_argument("--entries", type=int, default=20_000, help="how many entries it shall have")
    asked = parser.parse_args()
    if asked.ledger:
        print(write_ledger(asked.ledger, asked.entries, asked.seeds[0]))
        return
    years = [play(seed) for seed in asked.seeds]
    text = table(years, scored(years), asked.seeds)
    print(text)
    if asked.write:
        put(text)


if __name__ == "__main__":
    main()
