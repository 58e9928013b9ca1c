"""What the extra `reports` brings is loaded when it is needed, and missed with advice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from countenance.domain.errors import Unavailable


@contextmanager
def needed() -> Iterator[None]:
    """Around the imports of typst, Altair and vl-convert. Raises Unavailable when one of them is not there."""
    try:
        yield
    except ImportError as error:
        raise Unavailable(
            "PDF and plots need packages that are not installed here",
            advice="install them with: pip install 'countenance[reports]'",
        ) from error
