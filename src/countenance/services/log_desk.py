"""The desk at which proxy logs are analysed: site profiles, analyses, their sessions, and unmasking."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, Unavailable, UnknownThing
from countenance.domain.proxy import Rejected
from countenance.services.analyse import LogAnalyst, NewAnalysis
from countenance.services.home import Home
from countenance.services.people import People
from countenance.services.tell import FACE
from countenance.services.unmask import Unmasking, unmask
from countenance.settings import ProxyLogSettings
from countenance.store import analyses, moments
from countenance.store.database import Database

if TYPE_CHECKING:
    from countenance.proxylog.site import Profile

PROFILE_ADDED = "proxylog.profile-added"
PROFILE_DROPPED = "proxylog.profile-dropped"
PORTION = 500


@dataclass(frozen=True, slots=True)
class Told:
    """An analysis's sessions on face-search sites, or on the others, read a portion at a time whenever they are gone
    through."""

    database: Database
    analysis: str
    face: bool

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with self.database.read() as c:
            ids = analyses.session_ids(c, self.analysis)
        for start in range(0, len(ids), PORTION):
            with self.database.read() as c:
                part = analyses.bodies(c, self.analysis, ids[start : start + PORTION])
            yield from (session for session in part if (session["category"] == FACE) == self.face)


@dataclass(frozen=True, slots=True)
class LogDesk:
    """What one home knows of proxy logs."""

    home: Home
    people: People
    policy: ProxyLogSettings
    keep_days: int

    # Analyses

    def analyse(
        self,
        asked: NewAnalysis,
        actor: Actor,
        *,
        rejected: Callable[[Iterable[Rejected]], None] = lambda _: None,
        on_progress: Callable[[int, int | None], None] = lambda *_: None,
    ) -> dict[str, Any]:
        """Analyse logs; see `LogAnalyst.analyse`. Returns what `analysis` returns."""
        return self.analysis(self.make(asked, actor, rejected=rejected, on_progress=on_progress))

    def make(
        self,
        asked: NewAnalysis,
        actor: Actor,
        *,
        rejected: Callable[[Iterable[Rejected]], None] = lambda _: None,
        on_progress: Callable[[int, int | None], None] = lambda *_: None,
    ) -> str:
        """The same, returning the analysis's id alone."""
        actor = self.people.admit(actor, "proxylog:analyse")
        analyst = LogAnalyst(self.home, self.policy, self.keep_days)
        chosen = self._chosen(asked.profiles)
        return analyst.analyse(asked, chosen, actor, rejected=rejected, on_progress=on_progress)

    def analyses(self) -> list[dict[str, Any]]:
        """Every analysis that is kept, the newest first: what it found in numbers."""
        with self.home.database.read() as c:
            found = analyses.every(c)
        return [
            {
                "id": a.id,
                "at": a.at.isoformat(),
                "seq": a.seq,
                "by": a.actor,
                "why": a.why,
                "files": len(a.body["input"]),
                "totals": a.body["totals"],
                "summary": a.body["summary"],
            }
            for a in found
        ]

    def analysis(self, id: str) -> dict[str, Any]:
        """One analysis: `body`, the same for the same input, and beside it when and why it was made. Raises
        UnknownThing."""
        found = self.on_demand(id)
        body = found["body"]
        body["sessions"] = list(body["sessions"])
        body["reverse_image"] = body["reverse_image"] | {"sessions": list(body["reverse_image"]["sessions"])}
        return found

    def on_demand(self, id: str) -> dict[str, Any]:
        """The same, but its sessions are `Told`, read when they are gone through: there may be any number of them."""
        with self.home.database.read() as c:
            found = analyses.get(c, id)
        body = dict(found.body)
        body["sessions"] = Told(self.home.database, id, face=True)
        body["reverse_image"] = body["reverse_image"] | {"sessions": Told(self.home.database, id, face=False)}
        return {
            "body": body,
            "at": found.at.isoformat(),
            "seq": found.seq,
            "by": found.actor,
            "why": found.why,
            "dpia": found.dpia,
            "keep_until": found.keep_until.isoformat(),
            "receipt": self.home.record.ledger.receipt(found.seq).as_json(),
        }

    def session(self, id: str, analysis: str | None = None) -> dict[str, Any]:
        """One session of the newest analysis that has it, or of one that is named. Raises UnknownThing."""
        with self.home.database.read() as c:
            found = analyses.session(c, id, analysis)
        return {"analysis": found.analysis, "session": found.body}

    def unmask(self, asked: Unmasking, actor: Actor) -> dict[str, Any]:
        """Who a session was; see `services.unmask`."""
        return unmask(self.people, asked, actor)

    # Site profiles

    def profiles(self) -> list[dict[str, Any]]:
        """What is known of each site: the profiles that came with the program, and those that were added."""
        own = {path.stem for path in self._own()}
        return [_described(profile, own=profile.name in own) for profile in self._every()]

    def check_profile(self, file: Path) -> dict[str, Any]:
        """What a profile's file says. Raises BadInput, which names the key at fault."""
        from countenance.proxylog.profiles import load

        return _described(load(file), own=True)

    def add_profile(self, file: Path, actor: Actor) -> dict[str, Any]:
        """Use a profile from now on, in the place of one of the same name. Raises BadInput."""
        from countenance.proxylog.profiles import load

        actor = self.people.admit(actor, "proxylog:profiles")
        profile = load(file)
        text = file.read_bytes()
        self.home.record.enter(PROFILE_ADDED, actor, {"profile": profile.name, "version": profile.version})
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            partial = self._folder / f"{profile.name}.part"
            partial.write_bytes(text)
            partial.replace(self._folder / f"{profile.name}.toml")
        except OSError as error:
            raise Unavailable(
                f"the profile cannot be kept: {error.strerror}", advice="mend the home's folder"
            ) from None
        return _described(profile, own=True)

    def drop_profile(self, name: str, actor: Actor) -> None:
        """Stop using a profile that was added. Raises UnknownThing."""
        actor = self.people.admit(actor, "proxylog:profiles")
        file = next((path for path in self._own() if path.stem == name), None)
        if file is None:
            raise UnknownThing(
                f"no profile called {name} was added here", advice="`countenance proxylog profiles` shows them"
            )
        self.home.record.enter(PROFILE_DROPPED, actor, {"profile": name})
        with contextlib.suppress(FileNotFoundError):
            file.unlink()

    @property
    def _folder(self) -> Path:
        return self.home.folder / "profiles"

    def _own(self) -> list[Path]:
        return sorted(self._folder.glob("*.toml"))

    def _every(self) -> tuple[Profile, ...]:
        from countenance.proxylog.profiles import load_all

        return load_all(self._own())

    def _chosen(self, wanted: Iterable[str]) -> tuple[Profile, ...]:
        """The profiles of these names or files, or all. Raises BadInput, UnknownThing."""
        from countenance.proxylog.profiles import load

        names = list(wanted)
        every = {profile.name: profile for profile in self._every()}
        if not names:
            return tuple(every.values())
        chosen: dict[str, Profile] = {}
        for name in names:
            if name in every:
                profile = every[name]
            elif name.endswith(".toml"):
                profile = load(Path(name))
            else:
                raise UnknownThing(
                    f"there is no site profile called {name}",
                    advice=f"choose from {', '.join(every)}, or name a profile's .toml file",
                )
            if profile.name in chosen:
                raise BadInput(f"the profile {profile.name} is named twice", advice="name it once")
            chosen[profile.name] = profile
        return tuple(chosen[name] for name in sorted(chosen))


def _described(profile: Profile, *, own: bool) -> dict[str, Any]:
    from countenance.proxylog.profiles import check

    return {
        "name": profile.name,
        "title": profile.title,
        "category": profile.category,
        "version": profile.version,
        "since": profile.since.isoformat(),
        "checked": profile.checked.isoformat(),
        "stale_after": profile.stale_after.isoformat(),
        "stale": profile.is_stale(moments.now().date()),
        "how_verified": profile.how_verified,
        "own": own,
        "remarks": list(check(profile)),
    }
