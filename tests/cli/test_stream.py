"""An object whose lists are read while they are printed is the JSON that it would be with lists."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from countenance.cli.output import Reply

rows = st.lists(st.dictionaries(st.text(max_size=5), st.text() | st.integers() | st.lists(st.none()), max_size=3))


class Read:
    """Not a list: goes through its rows anew each time."""

    def __init__(self, held: list[Any]) -> None:
        self.held = held

    def __iter__(self) -> Any:
        return iter(self.held)


@given(first=rows, second=rows, words=st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_streamed_is_what_would_have_been_printed(
    first: list[Any], second: list[Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    value = {"words": words, "sessions": first, "rest": {"sessions": second, "count": 3}}
    assert Reply(True).object(value)
    whole = capsys.readouterr().out
    assert Reply(True).stream(value | {"sessions": Read(first), "rest": {"sessions": Read(second), "count": 3}})
    assert capsys.readouterr().out == whole
    assert json.loads(whole) == value
    assert not Reply(False).stream(value)
    assert capsys.readouterr().out == ""
