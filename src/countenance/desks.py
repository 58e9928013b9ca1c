"""The services of one open home, each opened when it is first needed."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from countenance.services import summarise
from countenance.services.erase import Eraser
from countenance.services.home import Home
from countenance.services.oversee import Overseer
from countenance.services.people import People, system_actor
from countenance.settings import Settings
from countenance.store.database import Database

if TYPE_CHECKING:
    from countenance.domain.authority import Actor
    from countenance.domain.index import VectorIndex
    from countenance.services.breach import BreachDesk
    from countenance.services.clock import Clock
    from countenance.services.correct import Corrections
    from countenance.services.engine import Engine
    from countenance.services.hold import HoldDesk
    from countenance.services.inspections import InspectionDesk
    from countenance.services.keeping import Keeping
    from countenance.services.log_desk import LogDesk
    from countenance.services.oversight import OversightDesk
    from countenance.services.post import Post
    from countenance.services.request import RequestDesk
    from countenance.services.resets import Resets
    from countenance.services.reveal import Revealer
    from countenance.services.review import ReviewDesk
    from countenance.services.subject import SubjectDesk


class Desks:
    """What `app.Countenance` is put together from."""

    def __init__(self, settings: Settings, home: Home) -> None:
        self.settings = settings
        self._home = home

    @property
    def database(self) -> Database:
        """The rows."""
        return self._home.database

    @cached_property
    def people(self) -> People:
        """Accounts and roles, whether somebody may do a thing, and signing in."""
        return People(self._home, self.settings.people, timedelta(minutes=self.settings.serve.session_minutes))

    @cached_property
    def requests(self) -> RequestDesk:
        """Asking for authorities, and deciding on what was asked."""
        from countenance.services.request import RequestDesk

        return RequestDesk(self._home.record, self.people.admit, self.settings.authority, self.people.changing)

    @cached_property
    def engine(self) -> Engine:
        """Models, rotation key and index: opened when first needed, because they take a moment."""
        from countenance.services.engine import Engine

        return Engine(self._home, self.settings, system_actor("opening"))

    @cached_property
    def eraser(self) -> Eraser:
        """Erasing."""
        return Eraser(self._home, self._index_if_any)

    @cached_property
    def holds(self) -> HoldDesk:
        """Legal holds."""
        from countenance.services.hold import HoldDesk

        return HoldDesk(self.eraser, self.people.admit, self.settings.retention, self.people.changing)

    @cached_property
    def keeping(self) -> Keeping:
        """The retention schedule, what is due by it, and what was destroyed."""
        from countenance.services.keeping import Keeping

        return Keeping(self._home.record, self.settings)

    @cached_property
    def revealer(self) -> Revealer:
        """What a search opened: crops, pictures, exports."""
        from countenance.services.reveal import Revealer

        home = self._home
        return Revealer(
            home.record,
            home.blobs,
            self.settings.demo,
            home.showing,
            self.engine.limits(),
            lambda search: self.reviews.outcomes(search),
        )

    @cached_property
    def reviews(self) -> ReviewDesk:
        """Two people look at a probe and a candidate, before anything is acted on."""
        from countenance.services.review import ReviewDesk

        return ReviewDesk(
            record=self._home.record,
            blobs=self._home.blobs,
            admit=self.people.admit,
            shown=lambda search, handle: self.revealer.shown(search, handle),
            crop_of=lambda photograph, face: self.engine.face_of(photograph, face),
        )

    @property
    def overseer(self) -> Overseer:
        """The ledger for outsiders: verified, exported, co-signed, stamped."""
        return Overseer(self._home.record, self._home.folder / "ledger", self.settings.ledger)

    @cached_property
    def post(self) -> Post:
        """The daily mail of the ledger's checkpoint."""
        from countenance.services.post import Post

        return Post(self._home.record, self.overseer, self.settings.mail)

    @cached_property
    def clock(self) -> Clock:
        """What a running server does by the clock, and how each of its duties stands."""
        from countenance.services.clock import Clock, Duty
        from countenance.services.post import AGAIN
        from countenance.services.retention import run_retention
        from countenance.services.schedule import EVERY

        # It has no role: it does what the schedule says and nothing else.
        who = system_actor("clock")
        urgent = Duty(
            "urgent", "deleting what urgent searches found and nobody approved", lambda: self.requests.enforce(who)
        )
        holds = Duty("holds", "ending legal holds", lambda: self.holds.enforce(who))
        mail = Duty("mail", "mailing the checkpoint", lambda: self.post.keep(who), again=AGAIN.total_seconds())
        retention = Duty(
            "retention",
            "retention",
            lambda: run_retention(self.eraser, who, self.settings),
            every=EVERY.total_seconds(),
        )
        draws = Duty("draws", "drawing searches for inspection", lambda: self.inspections.keep(who))
        return Clock(self.database, (urgent, holds, draws, mail, retention))

    def begin_serving(self, actor: Actor) -> None:
        """What a server does before it answers: let go of what is over its time. What of it fails keeps no server from
        starting; the clock tells it and tries it again."""
        from countenance.services.retention import run_retention

        who = self.people.admit(actor, "retention")
        self.clock.at_once(
            {
                "urgent": lambda: self.requests.enforce(who),
                "holds": lambda: self.holds.enforce(who),
                "retention": lambda: run_retention(self.eraser, who, self.settings),
            }
        )

    @cached_property
    def resets(self) -> Resets:
        """Accounts that an administrator reset."""
        from countenance.services.resets import Resets

        return Resets(self._home.record)

    @cached_property
    def oversight(self) -> OversightDesk:
        """What overseers ask of the ledger."""
        from countenance.services.oversight import OversightDesk

        return OversightDesk(self._home, self.people.admit, self.settings.oversee, lambda: self.engine.calibration)

    @cached_property
    def inspections(self) -> InspectionDesk:
        """Searches that somebody with no part in them looks at afterwards."""
        from countenance.services.inspections import InspectionDesk

        return InspectionDesk(
            record=self._home.record,
            admit=self.people.admit,
            oversight=self.oversight,
            policy=self.settings.oversee,
            accounts=lambda: self.people.told().accounts,
            changing=self.people.changing,
        )

    @cached_property
    def breaches(self) -> BreachDesk:
        """What was exposed, when an account or a file got into the wrong hands."""
        from countenance.services.breach import BreachDesk
        from countenance.services.lately import Kept

        return BreachDesk(
            self._home,
            self.people,
            self.people.admit,
            lambda actor, chosen: self.overseer.bundle(self.people.admit(actor, "ledger:read"), chosen),
            Kept(self.settings.search.handle_minutes),
        )

    @cached_property
    def subjects(self) -> SubjectDesk:
        """What somebody is told who asks what is held about them."""
        from countenance.services.subject import SubjectDesk

        engine, policy, limits = self.engine, self.settings.search, self.oversight.sameness
        return SubjectDesk(
            record=self._home.record,
            index=engine.index,
            detect=engine.detect,
            protect=engine.protect,
            calibration=engine.calibration,
            people=engine.count_people,
            showing=self._home.showing,
            min_likeness=policy.min_likeness,
            reliable_strangers=policy.reliable_strangers,
            probe_days=self.settings.retention.probe_days,
            limits=limits,
            blobs=self._home.blobs,
            kept=self.corrections.kept,
        )

    @cached_property
    def corrections(self) -> Corrections:
        """Reports that were just made, for a person to look at before they are written down."""
        from countenance.services.correct import Corrections
        from countenance.services.lately import Kept

        return Corrections(self._home.record, Kept(self.settings.search.handle_minutes))

    @cached_property
    def logs(self) -> LogDesk:
        """Proxy logs: were they visits, or searches?"""
        from countenance.services.log_desk import LogDesk

        return LogDesk(self._home, self.people, self.settings.proxylog, self.settings.retention.analysis_days)

    def _index_if_any(self) -> VectorIndex | None:
        return self.engine.index if self.database.meta(summarise.PACK) else None
