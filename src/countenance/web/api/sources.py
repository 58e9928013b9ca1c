"""/sources: register a place before it is read, list what is registered, and read it (/runs)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from countenance.domain.sources import Source
from countenance.services.register import NewSource
from countenance.web.api.shapes import Answer, Asked, BigInt, Moment, Name, NameInPath, RunInPath, Text, Word
from countenance.web.board import LiveRun
from countenance.web.callers import House, Ingester, SourcesReader, SourcesWriter
from countenance.web.ingests import Ingests
from countenance.web.problems import responses

router = APIRouter(tags=["sources"])


class SourceAsked(Asked):
    """What the person who registers a source says of it."""

    name: Name
    kind: Literal["folder", "urls", "website"]
    location: Text = Field(min_length=1, description="A folder, a list's file, or a start address.")
    owner: Word = Field(description="Who answers for it.")
    basis: Literal["own", "consent", "contract", "public-task", "legitimate-interests", "law-enforcement"]
    basis_document: Word | None = Field(default=None, description="Needed by every basis but own and consent.")
    purpose: Text | None = None
    retain_days: int | None = Field(default=None, ge=1, le=3650, description="By default what the settings say.")
    note: Text | None = None
    collection: Name | None = Field(default=None, description="By default the collection of its own name.")
    keep_originals: bool = False
    allow_private: list[Word] = Field(
        default=[], max_length=100, description='Exact "HOST:PORT"s that may be fetched though they are not public.'
    )


class SourceShown(Answer):
    """A registered source."""

    name: str
    kind: str
    location: str
    owner: str
    basis: str
    basis_document: str | None
    purpose: str | None
    note: str | None
    retain_days: int
    registered_at: Moment
    expires_at: Moment
    collection: str
    keep_originals: bool
    allow_private: list[str]


class SourceSummary(Answer):
    """What was found in it. `skipped` counts by reason what was not read."""

    pages: int
    images: int
    faces: int
    indexed: int
    sightings: int
    vanished: int
    skipped: dict[str, int]


class SourceInFull(SourceShown):
    summary: SourceSummary


class Sources(Answer):
    sources: list[SourceShown]


class Skip(Answer):
    """Something that the newest run did not read. `n` numbers it; `reason` is a code, `detail` in words or empty."""

    n: int
    address: str
    reason: str
    detail: str


class Skips(Answer):
    """A page of them. `next` is what to ask for as `after` to go on, null at the end."""

    skipped: list[Skip]
    next: int | None


class RunAsked(Asked):
    dry_run: bool = Field(default=False, description="Say what would be done, and do nothing.")


class RunProgress(Answer):
    """`total` is null while it is not known; `rate` is pictures a second."""

    done: int
    total: int | None
    faces: int
    skipped: int
    rate: float
    phase: str


class Run(Answer):
    """A run that a server of this home started. `report` is what `countenance ingest --json` prints."""

    id: str
    source: str
    state: Literal["running", "done", "failed", "stopped"]
    started: Moment
    ended: Moment | None
    progress: RunProgress | None
    report: dict[str, Any] | None
    error: dict[str, Any] | None


class PastRun(Answer):
    """A run as the home remembers it, whoever started it."""

    id: int
    source: str
    state: str
    started: Moment
    ended: Moment | None
    counts: dict[str, Any]


class PastRuns(Answer):
    runs: list[PastRun]


@router.get("/sources", response_model=Sources, responses=responses())
def list_sources(house: House, caller: SourcesReader) -> dict[str, Any]:
    """Every registered source. Scope: `sources:read`."""
    return {"sources": [shown(source) for source in house.sources()]}


@router.post("/sources", status_code=201, response_model=SourceShown, responses=responses(409))
def add_source(house: House, caller: SourcesWriter, asked: SourceAsked, response: Response) -> dict[str, Any]:
    """Register a source. Nothing is read yet. Scope: `sources:write`."""
    values = asked.model_dump()
    source = house.add_source(NewSource(**values | {"allow_private": tuple(asked.allow_private)}), caller.actor)
    response.headers["Location"] = f"/api/v1/sources/{source.name}"
    return shown(source)


@router.get("/sources/{name}", response_model=SourceInFull, responses=responses())
def show_source(house: House, caller: SourcesReader, name: NameInPath) -> dict[str, Any]:
    """One source, with what was found in it. Scope: `sources:read`."""
    return shown(house.source(name)) | {"summary": house.source_summary(name)}


@router.get("/sources/{name}/skipped", response_model=Skips, responses=responses())
def list_skipped(
    house: House,
    caller: SourcesReader,
    name: NameInPath,
    after: Annotated[int, Query(ge=0, le=BigInt)] = 0,
    count: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """What the newest run of a source did not read, and why. Scope: `sources:read`."""
    found = house.skipped(name, after=after, count=count + 1)
    return {"skipped": found[:count], "next": found[count - 1]["n"] if len(found) > count else None}


@router.get("/sources/{name}/runs", response_model=PastRuns, responses=responses())
def list_runs(house: House, caller: SourcesReader, name: NameInPath) -> dict[str, Any]:
    """Every run of a source, the newest first. Scope: `sources:read`."""
    house.source(name)
    return {"runs": house.runs(name)}


@router.post("/sources/{name}/runs", status_code=202, response_model=Run, responses=responses(409))
def start_run(
    request: Request,
    caller: Ingester,
    name: NameInPath,
    response: Response,
    asked: RunAsked | None = None,
) -> dict[str, Any]:
    """Read a source, for the first time or again. Goes on after the answer; `Location` shows how far it is.

    Scope: `ingest`.
    """
    run = _ingests(request).start(name, caller.actor, dry_run=asked is not None and asked.dry_run)
    response.headers["Location"] = f"/api/v1/runs/{run.id}"
    return as_json(run)


@router.get("/runs/{run}", response_model=Run, responses=responses())
def show_run(request: Request, caller: SourcesReader, run: RunInPath) -> dict[str, Any]:
    """How far a run is; ask again every second or so. Scope: `sources:read`."""
    return as_json(_ingests(request).get(run))


def shown(source: Source) -> dict[str, Any]:
    """A source as the API shows it."""
    return {
        "name": source.name,
        "kind": source.kind,
        "location": source.location,
        "owner": source.owner,
        "basis": source.basis,
        "basis_document": source.basis_document,
        "purpose": source.purpose,
        "note": source.note,
        "retain_days": source.retain_days,
        "registered_at": source.registered_at.isoformat(),
        "expires_at": source.expires_at.isoformat(),
        "collection": source.collection,
        "keep_originals": source.keep_originals,
        "allow_private": list(source.allow_private),
    }


def as_json(run: LiveRun) -> dict[str, Any]:
    """A live run as the API shows it."""
    p = run.progress
    return {
        "id": run.id,
        "source": run.source,
        "state": run.state,
        "started": run.started.isoformat(),
        "ended": run.ended.isoformat() if run.ended else None,
        "progress": None
        if p is None
        else {
            "done": p.done,
            "total": p.total,
            "faces": p.faces,
            "skipped": p.skipped,
            "rate": p.rate,
            "phase": p.phase,
        },
        "report": run.report,
        "error": run.error,
    }


def _ingests(request: Request) -> Ingests:
    found: Ingests = request.app.state.ingests
    return found
