"""Site profiles as files: TOML read and checked at the edge, the ones that come with the program and a person's own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, get_args

from countenance.domain.errors import AlreadyThere, BadInput
from countenance.proxylog.patterns import host_expression, literal, path_expression
from countenance.proxylog.site import Category, Photo, Profile, Stage, StageName

SHIPPED = Path(__file__).parent / "shipped"
"""The folder of the profiles that come with the program."""

MAX_BYTES = 256 * 1024
MAX_STAGES = 200
MAX_LISTED = 100
"""Hosts, methods or paths of one list."""
MAX_WORDS = 2000

T = TypeVar("T")


def load_shipped() -> tuple[Profile, ...]:
    """The profiles that come with the program, by name."""
    return tuple(sorted((load(path) for path in SHIPPED.glob("*.toml")), key=lambda profile: profile.name))


def load_all(own: Iterable[Path] = ()) -> tuple[Profile, ...]:
    """The shipped profiles and those in the files `own`, by name; one of your own takes the place of a shipped one.

    Raises BadInput, and AlreadyThere when two of your own have one name.
    """
    mine: dict[str, Profile] = {}
    for path in own:
        profile = load(path)
        if profile.name in mine:
            raise AlreadyThere(f"two profiles are named {profile.name}", advice="Give one of them another `name`.")
        mine[profile.name] = profile
    every = {profile.name: profile for profile in load_shipped()} | mine
    return tuple(every[name] for name in sorted(every))


def load(path: Path) -> Profile:
    """The profile in a TOML file. Raises BadInput, which names the key at fault."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{path.name} cannot be read: {error.strerror}", advice="Give a site profile in TOML.") from None
    if len(data) > MAX_BYTES:
        raise BadInput(f"{path.name} is too large for a site profile", advice=f"At most {MAX_BYTES:,} bytes.")
    try:
        return parse(data.decode("utf-8"), path.name)
    except UnicodeDecodeError:
        raise BadInput(f"{path.name} is not UTF-8", advice="Save the profile as UTF-8.") from None


def parse(text: str, name: str = "profile") -> Profile:
    """The profile in a TOML text; `name` is what errors call it. Raises BadInput."""
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInput(f"{name} is not TOML: {error}", advice="See the profiles that come with the program.") from None
    return _profile(_Table(raw, name, ""))


def check(profile: Profile) -> tuple[str, ...]:
    """What a person should know about a profile that loads: whole sentences, empty when there is nothing."""
    said = []
    names = {stage.stage for stage in profile.stages}
    if profile.complete and not profile.bytes_only and "search" not in names:
        said.append("No stage is `search`, so no search can ever be shown; set `complete = false` to say so.")
    if profile.polled and "upload" not in names:
        said.append("`polled` needs a stage `upload`: without one, a search is never counted for sure.")
    if profile.photo is None:
        said.append("There is no `[photo]`, so bytes alone will tell nothing.")
    if profile.shared_hosts and any(len(literal(p)) < 4 for stage in _on_shared(profile) for p in stage.paths):
        said.append("A path on a shared host is nearly all wildcards, so every line of a log has to be looked at.")
    seen: dict[tuple[str, str, tuple[str, ...]], int] = {}
    for number, stage in enumerate(profile.stages):
        if stage.since is not None and stage.since > profile.stale_after:
            said.append(f"stages[{number}] is known only since after the profile goes stale.")
        if stage.min_sent is not None or stage.max_sent is not None:
            continue
        for path in stage.paths:
            for method in stage.methods or ("any method",):
                earlier = seen.setdefault((method, path, stage.hosts + stage.query), number)
                if earlier != number:
                    said.append(f"stages[{number}] is hidden by stages[{earlier}]: both are {method} {path}.")
    return tuple(said)


def needles(profiles: Sequence[Profile]) -> tuple[str, ...]:
    """Lower-case texts of which every line that concerns a profile holds at least one, in any letter case.

    For a first pass over a log: a line that holds none of them is none of these sites'.
    """
    found = set()
    for profile in profiles:
        found |= {literal(host.removeprefix("*.")) for host in (*profile.hosts, *profile.results_hosts)}
        if profile.shared_hosts:
            found |= {literal(path) for stage in _on_shared(profile) for path in stage.paths}
    # One that holds another adds nothing.
    return tuple(sorted(one for one in found if not any(other != one and other in one for other in found)))


def hosts_expression(profiles: Sequence[Profile]) -> str:
    """A regular expression, without anchors, for every host of these profiles; shared ones too."""
    return host_expression([host for p in profiles for host in (*p.hosts, *p.results_hosts, *p.shared_hosts)])


def _on_shared(profile: Profile) -> list[Stage]:
    """The stages that can be met on a shared host."""
    return [stage for stage in profile.stages if not stage.hosts or not all(profile.owns(h) for h in stage.hosts)]


class _Table:
    """A table of the file. Every key is taken exactly once; a wrong or unknown one is named with its place."""

    def __init__(self, raw: Mapping[str, Any], file: str, place: str) -> None:
        self._raw = dict(raw)
        self._file = file
        self._place = place

    def fault(self, key: str, why: str) -> BadInput:
        """The error for a key."""
        return BadInput(
            f"{self._file}: `{self._place}{key}` {why}", advice="See the profiles that come with the program."
        )

    def take(self, key: str, kind: type[T], default: T | None = None) -> T:
        """The value of `key`, which is `default` when it is not there."""
        value = self._raw.pop(key, default)
        if value is None:
            raise self.fault(key, "is missing")
        if kind is float and type(value) is int:
            value = float(value)
        # A bool is an int and a datetime a date for isinstance, but not for us.
        if type(value) is not kind:
            raise self.fault(key, f"has to be a {_KINDS.get(kind, kind.__name__)}")
        if isinstance(value, str) and len(value) > MAX_WORDS:
            raise self.fault(key, f"is longer than {MAX_WORDS:,} characters")
        return value

    def maybe(self, key: str, kind: type[T]) -> T | None:
        """The value of `key`, or None."""
        return self.take(key, kind) if key in self._raw else None

    def number(self, key: str, kind: type[T], low: float, high: float, default: T | None = None) -> T:
        """A number between two others."""
        value = self.take(key, kind, default)
        if not low <= value <= high:  # type: ignore[operator]
            raise self.fault(key, f"has to be between {low:g} and {high:g}")
        return value

    def texts(self, key: str, checked: Callable[[str], object] | None = None, *, least: int = 0) -> tuple[str, ...]:
        """A list of texts, each of which `checked` does not refuse with a ValueError."""
        values = self.take(key, list, [])
        if not least <= len(values) <= MAX_LISTED or not all(isinstance(value, str) for value in values):
            raise self.fault(key, f"has to be a list of {least} to {MAX_LISTED} texts")
        for number, value in enumerate(values):
            try:
                if checked is not None:
                    checked(value)
            except ValueError as error:
                raise self.fault(f"{key}[{number}]", f"cannot be used: {error}") from None
        return tuple(values)

    def table(self, key: str) -> _Table | None:
        """A table below this one."""
        return _Table(self.take(key, dict), self._file, f"{self._place}{key}.") if key in self._raw else None

    def tables(self, key: str) -> list[_Table]:
        """A list of tables below this one."""
        values = self.take(key, list, [])
        if len(values) > MAX_STAGES or not all(isinstance(value, dict) for value in values):
            raise self.fault(key, f"has to be a list of at most {MAX_STAGES} tables")
        return [_Table(value, self._file, f"{self._place}{key}[{n}].") for n, value in enumerate(values)]

    def end(self) -> None:
        """Nothing may be left over."""
        for key in sorted(self._raw):
            raise self.fault(key, "is not a key of a site profile")


_KINDS: Mapping[type, str] = {str: "text", int: "whole number", float: "number", bool: "true or false", dict: "table"}


def _profile(table: _Table) -> Profile:
    name = table.take("name", str)
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,39}", name):
        raise table.fault("name", "has to be lower-case letters, digits, dots and hyphens, at most 40")
    category = table.take("category", str)
    if category not in get_args(Category):
        raise table.fault("category", f"has to be one of {', '.join(get_args(Category))}")
    since, checked, stale = (table.take(key, date) for key in ("since", "checked", "stale_after"))
    if not since <= checked < stale:
        raise table.fault("stale_after", "has to be after `checked`, and `since` not after that")
    photo = table.table("photo")
    profile = Profile(
        name=name,
        title=table.take("title", str),
        category=category,  # type: ignore[arg-type]
        version=table.take("version", str),
        checked=checked,
        stale_after=stale,
        since=since,
        how_verified=table.take("how_verified", str),
        hosts=table.texts("hosts", _host),
        shared_hosts=table.texts("shared_hosts", _host),
        results_hosts=table.texts("results_hosts", _host),
        stages=tuple(_stage(one) for one in table.tables("stages")),
        photo=_photo(photo) if photo is not None else None,
        fastest_search_seconds=table.number("fastest_search_seconds", float, 1, 3600, 15.0),
        poll_gap_seconds=table.number("poll_gap_seconds", float, 1, 86400, 600.0),
        polled=table.take("polled", bool, False),
        bytes_only=table.take("bytes_only", bool, False),
        by_address=table.take("by_address", bool, False),
        complete=table.take("complete", bool, True),
        note=table.take("note", str, ""),
    )
    if not profile.hosts and not profile.shared_hosts:
        raise table.fault("hosts", "is missing")
    table.end()
    return profile


def _stage(table: _Table) -> Stage:
    name = table.take("stage", str)
    if name not in get_args(StageName):
        raise table.fault("stage", f"has to be one of {', '.join(get_args(StageName))}")
    hosts = table.texts("hosts", _host)
    paths = table.texts("paths", path_expression, least=1)
    stage = Stage(
        stage=name,  # type: ignore[arg-type]
        methods=table.texts("methods", _method),
        paths=paths,
        hosts=hosts,
        query=table.texts("query"),
        min_sent=table.maybe("min_sent", int),
        max_sent=table.maybe("max_sent", int),
        redirects=table.take("redirects", bool, False),
        may_search=table.take("may_search", bool, False),
        since=table.maybe("since", date),
        note=table.take("note", str, ""),
        expressions=tuple(path_expression(path) for path in paths),
        host_expression=re.compile(host_expression(hosts), re.ASCII) if hosts else None,
    )
    table.end()
    return stage


def _photo(table: _Table) -> Photo:
    least = table.number("min_bytes", int, 1, 10**9)
    photo = Photo(
        min_bytes=least,
        likely_bytes=table.number("likely_bytes", int, least, 10**9, least),
        overhead=table.number("overhead", float, 1, 4),
        false_positive=table.number("false_positive", float, 0, 1),
        false_negative=table.number("false_negative", float, 0, 1),
        how_estimated=table.take("how_estimated", str),
    )
    table.end()
    return photo


def _host(text: str) -> None:
    host_expression([text])


def _method(text: str) -> None:
    if not re.fullmatch("[A-Z]{1,20}", text):
        raise ValueError("a method is upper-case letters")
