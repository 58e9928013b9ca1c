"""What takes a moment to open: the model pack, the key that protects its templates, and the index over them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from countenance.domain.alike import Sameness
from countenance.domain.authority import Actor
from countenance.domain.errors import Broken
from countenance.domain.faces import PIPELINE_VERSION, Face, Vectors
from countenance.domain.index import VectorIndex
from countenance.domain.strangers import NO_CALIBRATION, Calibration
from countenance.faces.packs import PackManifest, find_pack
from countenance.imaging.limits import Limits
from countenance.services.probes import Choice, crop_of
from countenance.services.search import Policy, Searcher
from countenance.services.summarise import PACK
from countenance.services.workers import Workers, worker_count
from countenance.store import pictures

if TYPE_CHECKING:
    from countenance.faces.protection import Rotation
    from countenance.services.eyes import Eyes, EyesConfig
    from countenance.services.home import Home
    from countenance.services.ingest import Ingester
    from countenance.settings import Settings
    from countenance.sources.limits import CrawlSettings

FINGERPRINT = "pack_fingerprint"


def image_limits(settings: Settings) -> Limits:
    """What a picture may cost."""
    images = settings.images
    return Limits(
        max_bytes=images.max_bytes,
        max_pixels=images.max_pixels,
        max_draft_pixels=images.max_draft_pixels,
        max_frames=images.max_frames,
        max_seconds=images.max_seconds,
    )


def eyes_config(settings: Settings, pack: PackManifest) -> EyesConfig:
    """What a process sees with."""
    from countenance.faces.quality import Floor
    from countenance.services.eyes import EyesConfig

    floor = {
        name: value
        for name in ("min_inter_eye", "min_sharpness", "min_detector", "max_yaw")
        if (value := getattr(settings.faces, name)) is not None
    }
    return EyesConfig(
        pack=pack,
        runtime=settings.faces.runtime,
        weights=settings.faces.weights,
        offline=settings.offline,
        limits=image_limits(settings),
        floor=Floor(**floor),
    )


class Engine:
    """One home's models, protection and index. Opened parts stay open; safe for several threads."""

    def __init__(self, home: Home, settings: Settings, actor: Actor) -> None:
        self._home = home
        self._settings = settings
        self._actor = actor
        self._lock = threading.RLock()
        self._people: dict[tuple[int, ...], tuple[int, int]] = {}

    def close(self) -> None:
        """Let go of the index."""
        index = self.__dict__.get("index")
        if index is not None:
            index.close()

    @cached_property
    def pack(self) -> PackManifest:
        """The home's pack, or the one that it would get. Raises Broken when another is asked for than it holds."""
        bound = self._bound()
        wanted = find_pack(self._settings.faces.pack)
        if bound not in (None, wanted.id) and "pack" not in self._settings.faces.model_fields_set:
            wanted = find_pack(str(bound))
        self._check_bound(wanted)
        return wanted

    def _bound(self) -> str | None:
        """The pack whose templates the home holds; none before there is a key for them, whatever was tried."""
        from countenance.services.keys import ROTATION

        database = self._home.database
        return database.meta(PACK) if database.meta(ROTATION) is not None else None

    def _check_bound(self, wanted: PackManifest) -> None:
        bound = self._bound()
        if bound not in (None, wanted.id):
            raise Broken(
                f"this home holds templates of the pack {bound}, not comparable with those of {wanted.id}",
                advice=f"use --home with another folder for {wanted.id}, or leave the pack at {bound}",
            )
        if bound is not None and self._home.database.meta(FINGERPRINT) != wanted.fingerprint:
            raise Broken(
                f"the pack {bound} is not the one that this home was made with: its models have changed",
                advice="put the old pack back, or read the sources again into a new home",
            )

    @cached_property
    def rotation(self) -> Rotation:
        """The key that protects the pack's templates. Raises KeyTrouble when it is missing or another one.

        The home is bound to the pack here, before the key is made, and not by whoever only asked for the pack; nor to
        one whose weights cannot be had.
        """
        from countenance.services.keys import open_rotation

        pack, database = self.pack, self._home.database
        if self._bound() is None:
            self.make_sure_of_weights()
        with self._lock, self._home.writing():
            self._check_bound(pack)
            if self._bound() is None:
                database.set_meta(FINGERPRINT, pack.fingerprint)
                database.set_meta(PACK, pack.id)
            return open_rotation(self._home, pack.id, pack.dimension, self._actor)

    def make_sure_of_weights(self) -> None:
        """Fetch the pack's weights if they are missing. Raises WeightsRefused, FetchFailed."""
        from countenance.faces.weights import make_sure

        make_sure(self.pack, weights_dir=self._settings.faces.weights, offline=self._settings.offline)

    def protect(self, templates: Vectors) -> Vectors:
        """Rotate templates: (n, dimension) float32 in and out, cosines unchanged."""
        return self.rotation.rotate(templates)

    @cached_property
    def index(self) -> VectorIndex:
        """The index. Raises KeyTrouble, IndexBroken."""
        from countenance.index.embedded import EmbeddedIndex

        self._home.vectors.mkdir(mode=0o700, exist_ok=True)
        return EmbeddedIndex.open(
            self._home.database,
            self._home.vectors,
            pack=self.pack.id,
            pipeline=PIPELINE_VERSION,
            dimension=self.pack.dimension,
            key_id=self.rotation.key_id,
        )

    @cached_property
    def eyes(self) -> Eyes:
        """Decoder and models of this process."""
        from countenance.services.eyes import Eyes

        return Eyes(self.eyes_config())

    def face_of(self, photograph: bytes, choice: Choice) -> tuple[bytes, tuple[str, ...]]:
        """The chosen face as people see it, a square JPEG, and its warnings. Raises as `probes.prepare` does."""
        return crop_of(photograph, choice, self.detect, self.limits())

    def detect(self, photograph: bytes) -> tuple[int, int, list[Face]]:
        """(width, height, faces by size) of a photograph. One at a time. Raises UnreadableImage."""
        with self._lock:
            return self.eyes.detect(photograph)

    def eyes_config(self) -> EyesConfig:
        """What this process and its workers see with."""
        return eyes_config(self._settings, self.pack)

    def limits(self) -> Limits:
        """What a picture may cost."""
        return image_limits(self._settings)

    def crawl_settings(self) -> CrawlSettings:
        """How politely the web is read."""
        from countenance.sources.limits import CrawlSettings

        s = self._settings.crawl
        return CrawlSettings(
            rate=s.rate,
            max_pages=s.max_pages,
            max_depth=s.max_depth,
            max_page_bytes=s.max_page_bytes,
            max_image_bytes=self._settings.images.max_bytes,
            timeout=s.download_seconds,
        )

    @cached_property
    def calibration(self) -> Calibration:
        """Measured impostor scores of the pack; without them every bound is the whole index."""
        import json

        file = self.pack.calibration_file
        if file is None:
            return NO_CALIBRATION
        calibration = Calibration.from_json(json.loads(file.read_text()))
        if calibration.pack != self.pack.id or calibration.pipeline != PIPELINE_VERSION:
            return NO_CALIBRATION
        return calibration

    def searcher(self) -> Searcher:
        """The search, with all it needs."""
        s = self._settings
        return Searcher(
            record=self._home.record,
            index=self.index,
            detect=self.detect,
            protect=self.protect,
            calibration=self.calibration,
            pack=self.pack.id,
            policy=Policy(
                limit=s.search.limit,
                min_likeness=s.search.min_likeness,
                reliable_strangers=s.search.reliable_strangers,
                handle_minutes=s.search.handle_minutes,
                probe_days=s.retention.probe_days,
                demo=s.demo,
            ),
            people=self.count_people,
            sameness=Sameness(s.oversee.same_face_strangers, s.oversee.other_face_share),
            showing=self._home.showing,
        )

    def count_people(self, source_ids: Iterable[int]) -> int:
        """Distinct indexed pictures of these sources, counted again whenever the index has changed."""
        key = tuple(sorted(source_ids))
        stamp = self.index.generation()
        known = self._people.get(key)
        if known is None or known[0] != stamp:
            with self._home.database.read() as c:
                known = (stamp, pictures.count_pictures(c, key))
            self._people[key] = known
        return known[1]

    def ingester(self) -> Ingester:
        """Ingest, with all it needs. Weights are made sure of here, so that workers never fetch."""
        from countenance.services.batch import Writer
        from countenance.services.ingest import Ingester

        self.make_sure_of_weights()
        writer = Writer(
            self._home.database,
            self.index,
            self._home.blobs,
            self._home.writing,
            pack=self.pack.id,
            pipeline=PIPELINE_VERSION,
            protect=self.protect,
        )
        config = replace(self.eyes_config(), offline=True)
        count = worker_count(self._settings.ingest.workers)
        return Ingester(
            record=self._home.record,
            writer=writer,
            limits=self.limits(),
            workers=lambda: Workers(config, count),
            batch=self._settings.ingest.batch,
        )
