"""The product as a user drives it: its command line, one JSON object at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RATE = "40"
"""Requests a second to one host. The web is our own; towards anybody else the default of 1 stands."""


class CommandFailed(Exception):
    """A command of the product that did not end well."""

    def __init__(self, words: tuple[str, ...], code: int, said: Any) -> None:
        super().__init__(f"countenance {' '.join(words)} ended with {code}: {json.dumps(said)}")
        self.code = code
        self.said = said


@dataclass(frozen=True, slots=True)
class Product:
    """One home of the product, with its keys beside it, marked as a demonstration."""

    home: Path
    keys: Path

    @property
    def command(self) -> Path:
        """The installed command."""
        return Path(sys.executable).parent / "countenance"

    @property
    def environment(self) -> dict[str, str]:
        """What the command finds set: nothing of the user's own settings for the product, but where weights are."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("COUNTENANCE_") or "WEIGHTS" in k}
        return inherited | {
            "COUNTENANCE_HOME": str(self.home),
            "COUNTENANCE_KEY_DIR": str(self.keys),
            "COUNTENANCE_DEMO": "true",
            "COUNTENANCE_CRAWL__RATE": RATE,
        }

    def run(self, *words: str) -> dict[str, Any]:
        """Run one command with `--json` and return its object. Progress goes to stderr. Raises CommandFailed."""
        done = subprocess.run(
            [self.command, *words, "--json"], env=self.environment, stdout=subprocess.PIPE, text=True, check=False
        )
        try:
            said = json.loads(done.stdout)
        except ValueError:
            said = None
        if done.returncode or not isinstance(said, dict):
            raise CommandFailed(words, done.returncode, said if said is not None else done.stdout[-400:])
        return said

    def serve(self, port: int, *, browser: bool) -> int:
        """Serve the pages until interrupted; the address with its one-time token comes on stdout. The exit code."""
        words = [str(self.command), "serve", "--port", str(port), *(["--open"] if browser else [])]
        serving = subprocess.Popen(words, env=self.environment)
        try:
            return serving.wait()
        except KeyboardInterrupt:
            # The terminal interrupted both: let the product close in its own time.
            with suppress(subprocess.TimeoutExpired):
                serving.wait(10)
            return 0
        finally:
            if serving.poll() is None:
                serving.terminate()
                serving.wait()
