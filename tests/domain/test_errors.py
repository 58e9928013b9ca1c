"""The error tree: every kind has a code of its own, an exit code and an HTTP status, and crosses processes whole."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from countenance.domain import errors
from countenance.domain.errors import IMAGE_REASONS, CountenanceError, UnreadableImage


def kinds(root: type[CountenanceError] = CountenanceError) -> Iterator[type[CountenanceError]]:
    yield root
    for kind in root.__subclasses__():
        yield from kinds(kind)


ALL = [kind for kind in kinds() if kind.__module__ == errors.__name__]
EXITS = {"BadInput": 2, "SeveralFaces": 3, "Refused": 4, "Unavailable": 5, "Broken": 6}


def test_codes_are_one_a_kind() -> None:
    assert len({kind.code for kind in ALL}) == len(ALL)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_kind_is_in_the_drawing_with_the_exit_code_of_its_branch(kind: type[CountenanceError]) -> None:
    assert kind.__name__ in str(errors.__doc__)
    branch = next((EXITS[k.__name__] for k in kind.__mro__ if k.__name__ in EXITS), 1)
    assert kind.exit_code == branch
    assert 400 <= kind.http_status < 600


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_it_crosses_processes_whole(kind: type[CountenanceError]) -> None:
    error = kind("truncated") if kind is UnreadableImage else kind("no", advice="do so", details={"reason": "x"})
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert again.as_json() == error.as_json()
    assert str(again) == str(error)


def test_a_reason_is_one_of_the_known_words() -> None:
    with pytest.raises(ValueError, match="not a reason"):
        UnreadableImage("whatever")
    for reason in IMAGE_REASONS:
        assert UnreadableImage(reason).as_json()["reason"] == reason
