"""A worker process that needs no model and can be made to misbehave by what is on a picture."""

from __future__ import annotations

import os
import signal
import sys
import time
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from countenance.services.workers import Unseen
from tests import pretend


class Eyes:
    """In the place of `services.eyes.Eyes`."""

    def __init__(self, config: Any) -> None:
        if config.pack == "stillborn":
            os.kill(os.getpid(), signal.SIGKILL)
        if config.pack == "no-weights":
            from countenance.domain.errors import WeightsRefused

            raise WeightsRefused("the weights are missing")

    def warm(self) -> None:
        pass

    def see(self, batch: Sequence[bytes]) -> list[Any]:
        return [self._one(data) for data in batch]

    def _one(self, data: bytes) -> Any:
        seen = pretend.see(data)
        if isinstance(seen, Unseen):
            return seen
        note = pretend.parsed(data)["note"]
        if note == "kills":
            os.kill(os.getpid(), signal.SIGKILL)
        if note == "crashes":
            os._exit(11)
        if note == "hangs":
            time.sleep(1000)
        if note.startswith("kills once "):
            mark = Path(note.removeprefix("kills once "))
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        if note.startswith("large"):
            return type(seen)(**{name: getattr(seen, name) for name in seen.__slots__} | {"crops": (bytes(1 << 20),)})
        return seen


def main() -> None:
    """In the place of `services.workers.main`: the real one, with other eyes."""
    module: Any = types.ModuleType("countenance.services.eyes")
    module.Eyes = Eyes
    # What is sent over names this class, and the child needs nothing of it but its fields.
    from countenance.services.eyes import EyesConfig

    module.EyesConfig = EyesConfig
    sys.modules[module.__name__] = module
    from countenance.services import workers

    workers.main()
