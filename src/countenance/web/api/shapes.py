"""What requests and answers have in common."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Asked(BaseModel):
    """A request's body. A member that nobody knows is an error, so that a misspelt limit never goes unnoticed, and so
    is "20" for 20."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True, frozen=True)


class Answer(BaseModel):
    """An answer's body."""

    model_config = ConfigDict(extra="allow")


Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""A time, RFC 3339, as every output of the program has it."""

Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S")]
"""A short text that must be given."""

Text = Annotated[str, StringConstraints(max_length=4000)]
"""A longer text that may be empty."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""The name of a source or a collection."""

BigInt = 2**53 - 1
"""The largest whole number that every JSON reader keeps."""

NameInPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
SearchInPath = Annotated[str, Path(pattern=r"^S-[0-9a-f]{16}$", description="A search's id.")]
AuthorityInPath = Annotated[str, Path(pattern=r"^A-[0-9a-f]{12}$", description="An authority's id.")]
RequestInPath = Annotated[str, Path(pattern=r"^R-[0-9a-f]{12}$", description="A request's id.")]
ReviewInPath = Annotated[str, Path(pattern=r"^J-[0-9a-f]{12}$", description="A review's id.")]
RunInPath = Annotated[str, Path(pattern=r"^run-[0-9a-f]{12}$", description="The id that starting the run gave.")]
SightingInPath = Annotated[str, Path(pattern=r"^sighting-[0-9]{1,15}$", description="A sighting's id.")]
EntryInPath = Annotated[int, Path(ge=0, le=BigInt, description="An entry's number.")]

Handle = Annotated[
    str,
    Header(
        alias="Countenance-Handle",
        pattern=r"^[A-Za-z0-9_-]{20,200}$",
        description="The `handle` that the search gave. It opens what that search showed, until `handle_until`.",
    ),
]
"""In a header, never in an address: addresses are logged."""


class Bytes(BaseModel):
    """A file in an answer."""


def file_answer(media_type: str, words: str) -> dict[str, Any]:
    """For OpenAPI: the answer is a file."""
    return {"description": words, "content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}
