"""How a home answers whose ledger is long: commands in fresh processes, the server, and the overseer's console.

    python -m benchmarks.house_at_scale --entries 1000000 --folder BIG --photos OPENPEOPLE

Makes a home with a few pictures and one authority, lets the simulator's organisation (`tools.misusesim`) use it for so
many years that the ledger has the entries asked for, the last of them yesterday, and times each command from its start
to its end: `first` as the home was left, `again` after that. What is in the cache of the disk stays there. A `--folder`
that holds such a home already is measured as it is.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from benchmarks import machine
from tools.misusesim.organisation import DAYS, START
from tools.misusesim.writing_ledger import MANY, draft
from tools.misusesim.year import play

COMMAND = (sys.executable, "-m", "countenance.cli.main")
READING = "lawfulness"
A_YEAR = 20_000
"""Fewer than any year of the simulator has."""


def environment(folder: Path) -> dict[str, str]:
    """Where the home and its keys are."""
    return os.environ | {"COUNTENANCE_HOME": str(folder / "home"), "COUNTENANCE_KEY_DIR": str(folder / "keys")}


def told(folder: Path, *arguments: str) -> dict[str, Any]:
    """What a command says. Ends the measure where it fails."""
    command = [*COMMAND, *arguments, "--json"]
    done = subprocess.run(command, env=environment(folder), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{arguments} ended with {done.returncode}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def timed(folder: Path, *arguments: str) -> dict[str, Any]:
    """How long a command takes in a process of its own, and how much memory that has at most."""
    started = time.perf_counter()
    with subprocess.Popen([*COMMAND, *arguments, "--json"], env=environment(folder), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{arguments} ended with {process.returncode}")
    seconds = time.perf_counter() - started
    found = {"seconds": round(seconds, 2), "peak_mb": round(usage.ru_maxrss / 1e3)}
    if arguments[0] == "search":
        found["embedding_seconds"] = json.loads(text)["seconds"]["embedding"]
    return found


def make(folder: Path, entries: int, photos: Path) -> None:
    """A home with some pictures, an authority, and so many entries of the simulator's mix."""
    pictures = folder / "pictures"
    pictures.mkdir(parents=True)
    for n, path in enumerate(sorted(photos.rglob("studio_portrait.jpg"))):
        shutil.copy(path, pictures / f"{n}.jpg")
    told(folder, "source", "add", "few", "--kind", "folder", "--at", str(pictures), "--owner", "us", "--basis", "own")
    told(folder, "ingest", "few")
    lasting = ("--expires", "300d", "--searches", "1000", "--by", "us", "--collection", "few")
    told(folder, "authority", "grant", "--purpose", "measuring", "--basis", "own", "--case", "M-1", *lasting)
    from countenance.app import Countenance
    from countenance.settings import load_settings

    os.environ.update(environment(folder))
    with Countenance(load_settings(folder / "home")) as countenance:
        key, origin = countenance.key_folder / "ledger.key", parsed_origin(countenance.vkey)
    fill(folder / "home" / "ledger", key, origin, entries)


def parsed_origin(vkey: str) -> str:
    """The ledger's name, from its key."""
    return vkey.partition("+")[0]


def fill(ledger_folder: Path, key: Path, origin: str, entries: int) -> None:
    """Entries of one organisation after the other, year upon year, until there are so many."""
    from countenance.ledger import keys
    from countenance.ledger.log import Ledger

    years = -(-entries // A_YEAR)
    begin = datetime.now(UTC) - timedelta(days=DAYS * years + 1) - START
    clock = [START + begin]
    with Ledger.open(ledger_folder, keys.load(key), origin=origin, clock=lambda: clock[0]) as ledger:
        left = entries - ledger.size
        for year in range(years):
            happenings = play(year + 1).happenings[:left]
            later = begin + timedelta(days=DAYS * year)
            for first in range(0, len(happenings), MANY):
                part = [replace(one, at=one.at + later) for one in happenings[first : first + MANY]]
                clock[0] = part[0].at
                ledger.append_many([draft(one) for one in part])
            left -= len(happenings)
            if not left:
                break


@contextmanager
def serving(folder: Path) -> Iterator[tuple[httpx.Client, dict[str, float]]]:
    """A server, a browser that has entered it, and how long it took until it answered."""
    started = time.perf_counter()
    command = [*COMMAND, "serve", "--port", "0", "--json"]
    process = subprocess.Popen(command, env=environment(folder), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        link = json.loads(process.stdout.readline())["link"]
        address, _, code = link.partition("/enter#")
        with httpx.Client(base_url=address, headers={"Accept": "text/html", "Origin": address}, timeout=900) as client:
            client.post("/enter", json={"code": code}).raise_for_status()
            told: dict[str, float] = {"answers": round(time.perf_counter() - started, 2)}
            yield client, told
            told["peak_mb"] = round(_peak(process.pid) / 1e3)
    finally:
        process.terminate()
        process.wait()


def _peak(pid: int) -> float:
    """Most memory of a process so far, kB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmHWM")))


def console(folder: Path, since: datetime | None, search: str) -> dict[str, Any]:
    """The console of a server that was just started: its first page, the same again, and what its links lead to."""
    span = {"span": "ever"} if since is None else {"from": f"{since:%Y-%m-%d}"}
    asked = {"reading": READING} | span

    def got(path: str, **more: str) -> tuple[float, httpx.Response]:
        started = time.perf_counter()
        answer = client.get(path, params=asked | more)
        answer.raise_for_status()
        return round(time.perf_counter() - started, 2), answer

    with serving(folder) as (client, told):
        told["first"], page = got("/oversight")
        told["again"], _ = got("/oversight")
        told["by_person"], _ = got("/oversight/acts", user=_somebody(page.text))
        told["by_sign"], _ = got("/oversight/acts", sign="burst")
        told["second_page"], _ = got("/oversight/acts", kind="search", first="50")
        told["one_act"], _ = got(f"/oversight/acts/{search}")
    return {"since": None if since is None else since.date().isoformat()} | told


def _somebody(page: str) -> str:
    """A person that the page names."""
    return "os:" + page.partition("user=os%3A")[2].partition("&")[0].partition('"')[0]


def measured(folder: Path) -> dict[str, Any]:
    """Everything, of a home that is there."""
    authority = told(folder, "authority", "list")["authorities"][0]["id"]
    photo = sorted((folder / "pictures").iterdir())[0]
    year = datetime.now(UTC) - timedelta(days=DAYS)
    oversee = ("oversee", "summary", "--purpose", READING)
    commands: dict[str, tuple[str, ...]] = {
        "search": ("search", str(photo), "--authority", authority, "--face", "largest"),
        "status": ("status",),
        "authority_list": ("authority", "list"),
        "oversee_year": (*oversee, "--since", f"{year:%Y-%m-%d}"),
        "oversee_ever": oversee,
    }
    result: dict[str, Any] = {"entries": told(folder, "status")["ledger"]["entries"]}
    for name, command in commands.items():
        result[name] = {"first": timed(folder, *command), "again": timed(folder, *command)}
        print(name, result[name], file=sys.stderr, flush=True)
    made = told(folder, *commands["search"])["search"]
    for name, since in {"console_year": year, "console_ever": None}.items():
        result[name] = console(folder, since, made)
        print(name, result[name], file=sys.stderr, flush=True)
    return result


def main() -> None:
    """Make what is not there, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the home is, or is made (default: a temporary folder)")
    parser.add_argument("--photos", type=Path, help="openpeople's pictures, for a home that has to be made")
    parser.add_argument("--make-only", action="store_true", help="make the home and stop")
    parser.add_argument("--json", action="store_true", help="print JSON (the only form; kept for the habit)")
    parser.add_argument("--out", type=Path, help="where the result is kept")
    asked = parser.parse_args()
    described = {"measure": "house", **machine.described()}
    with tempfile.TemporaryDirectory() as name:
        folder = asked.folder or Path(name)
        if not (folder / "home").exists():
            if asked.photos is None:
                raise SystemExit("say where openpeople's pictures are: --photos")
            make(folder, asked.entries, asked.photos)
        if not asked.make_only:
            machine.write(described | measured(folder), asked.out)


if __name__ == "__main__":
    main()
