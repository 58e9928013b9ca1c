"""What every reader keeps count of while it reads."""

from __future__ import annotations

from collections.abc import Iterator

from countenance.domain.sources import Finding, Skipped


class NotingReader:
    """A reader that knows, once it was read to its end, whether it saw everything there is.

    `complete` is false until then, and stays false when something was skipped that may well be there.
    """

    def __init__(self) -> None:
        self.complete = False

    def read(self) -> Iterator[Finding]:
        """Every finding; see `findings` for the order and the errors."""
        self.complete = False
        hidden = False
        for finding in self.findings():
            hidden = hidden or (isinstance(finding, Skipped) and finding.hides)
            yield finding
        self.complete = not hidden

    def expected(self) -> int | None:
        """How many pictures there are; not known unless a reader knows better."""
        return None

    def findings(self) -> Iterator[Finding]:
        """What there is, in order."""
        raise NotImplementedError
