"""Every table, once.

Times are integers: microseconds since 1970-01-01 UTC, so that both databases sort and compare them alike. Whatever
names a person, a page or a picture lives here and nowhere else, and goes when it is erased (`secure_delete` is on).
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")
"""64 bits on both; SQLite needs the word INTEGER for a row id."""

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))
"""What the home is: its id, the pack it uses, the keys' digests."""

counters = Table("counters", metadata, Column("name", Text, primary_key=True), Column("next", Id, nullable=False))
"""Ids that are never reused, not even after an erasure."""

sources = Table(
    "sources",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("basis_document", Text),
    Column("purpose", Text),
    Column("note", Text),
    Column("retain_days", Integer, nullable=False),
    Column("registered_at", Id, nullable=False),
    Column("expires_at", Id, nullable=False),
    Column("keep_originals", Boolean, nullable=False),
    Column("allow_private", JSON, nullable=False),
    Column("registered_seq", Id, nullable=False),
)

collections = Table(
    "collections", metadata, Column("id", Id, primary_key=True), Column("name", Text, nullable=False, unique=True)
)

collection_sources = Table(
    "collection_sources",
    metadata,
    Column("collection_id", ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True),
    Column("source_id", ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True),
)

images = Table(
    "images",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("pdq", LargeBinary, nullable=False),
    Column("pdq_quality", Integer, nullable=False),
    Column("picture_id", Id, nullable=False, index=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("format", Text, nullable=False),
    Column("taken_at", Id),
    Column("pack", Text, nullable=False),
    Column("pipeline", Integer, nullable=False),
    Column("original", Text),
)
"""One image is one string of bytes (SHA-256 `digest`). `picture_id` groups the images that are one picture by PDQ."""

appearances = Table(
    "appearances",
    metadata,
    Column("id", Id, primary_key=True),
    Column("image_id", ForeignKey("images.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("source_id", ForeignKey("sources.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("address", Text, nullable=False),
    Column("page", Text, nullable=False),
    Column("title", Text),
    Column("alt", Text),
    Column("caption", Text),
    Column("dated", Id),
    Column("first_seen", Id, nullable=False),
    Column("last_seen", Id, nullable=False),
    Column("vanished_at", Id),
    Column("unchanged_key", Text),
    Column("run_id", Id, nullable=False),
    UniqueConstraint("source_id", "address", "page", "image_id"),
)
"""An image on a page. `run_id` is the last run that saw it."""

faces = Table(
    "faces",
    metadata,
    Column("id", Id, primary_key=True),
    Column("image_id", ForeignKey("images.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("n", Integer, nullable=False),
    Column("x", Float, nullable=False),
    Column("y", Float, nullable=False),
    Column("w", Float, nullable=False),
    Column("h", Float, nullable=False),
    Column("landmarks", JSON, nullable=False),
    Column("quality", JSON, nullable=False),
    Column("floor", Text),
    Column("crop", Text),
    Column("pack", Text, nullable=False),
    Column("pipeline", Integer, nullable=False),
)
"""A face of an image, numbered by size from 1. `floor` says why it is not indexed; `crop` names a blob."""

sightings = Table(
    "sightings",
    metadata,
    Column("id", Id, primary_key=True),
    Column("face_id", ForeignKey("faces.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("appearance_id", ForeignKey("appearances.id", ondelete="CASCADE"), nullable=False, index=True),
    UniqueConstraint("face_id", "appearance_id"),
    sqlite_autoincrement=True,
)
"""Ids are never given twice: the ledger names sightings, erased ones too, by theirs."""

item_keys = Table(
    "item_keys", metadata, Column("item", Text, primary_key=True), Column("key", LargeBinary, nullable=False)
)
"""The key that seals one item's personal parts in the ledger. Destroying the row is what shreds them."""

vectors = Table(
    "vectors",
    metadata,
    Column("id", Id, primary_key=True),
    Column("pack", Text, nullable=False),
    Column("slot", Id, nullable=False),
    Column("hidden", Boolean, nullable=False, default=False),
    Column("changed", Id, nullable=False, default=0),
    UniqueConstraint("pack", "slot"),
    Index(None, "pack", "changed"),
)
"""Where a template lies in the pack's vector file. `hidden` rows are deleted but their bytes not yet purged.
`changed` is the index's generation in which the row last changed, so that other processes read only what is new."""

vector_holes = Table(
    "vector_holes",
    metadata,
    Column("pack", Text, primary_key=True),
    Column("slot", Id, primary_key=True, autoincrement=False),
    Column("changed", Id, nullable=False),
    Column("dirty", Boolean, nullable=False),
    Index(None, "pack", "changed"),
)
"""Slots of a vector file that no row owns. A `dirty` one may still hold bytes: opening the index overwrites them."""

vector_attributes = Table(
    "vector_attributes",
    metadata,
    Column("id", ForeignKey("vectors.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Id, primary_key=True),
    Index(None, "name", "value"),
    sqlite_with_rowid=False,
)

runs = Table(
    "runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", ForeignKey("sources.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at", Id, nullable=False),
    Column("heartbeat_at", Id, nullable=False),
    Column("ended_at", Id),
    Column("counts", JSON, nullable=False),
)

skips = Table(
    "skips",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", ForeignKey("sources.id", ondelete="CASCADE"), nullable=False),
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("address", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("unchanged_key", Text),
    Index(None, "source_id", "address"),
)
"""What was not read, and why."""

authorities = Table(
    "authorities",
    metadata,
    Column("id", Text, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("basis_document", Text),
    Column("case_ref", Text, nullable=False),
    Column("collections", JSON, nullable=False),
    Column("granted_at", Id, nullable=False),
    Column("expires_at", Id, nullable=False),
    Column("searches", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("stated", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("self_approved", Boolean, nullable=False),
    Column("grant_seq", Id, nullable=False),
    Column("revoked_at", Id),
    Column("revoke_seq", Id),
    Column("request", Text),
    Column("outcome", Text),
    Column("due_at", Id),
)

searches = Table(
    "searches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("authority_id", ForeignKey("authorities.id"), nullable=False, index=True),
    Column("actor", Text, nullable=False),
    Column("started_at", Id, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_seq", Id),
    Column("result_seq", Id),
    Column("probe", JSON),
    Column("keep_until", Id, nullable=False),
    Column("handle", LargeBinary),
    Column("handle_until", Id),
    Column("result", JSON),
)

review_pictures = Table(
    "review_pictures",
    metadata,
    Column("review", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("sealed", JSON, nullable=False),
    Column("keep_until", Id),
)
"""`probe` is the sealed, rotated template; `handle` the SHA-256 of the secret that opens crops until `handle_until`."""

candidates = Table(
    "candidates",
    metadata,
    Column("search_id", ForeignKey("searches.id", ondelete="CASCADE"), primary_key=True),
    Column("sighting_id", ForeignKey("sightings.id", ondelete="CASCADE"), primary_key=True),
    Column("rank", Integer, nullable=False),
    Column("likeness", Float, nullable=False),
)
"""What a search showed; what a handle opens."""

erasures = Table(
    "erasures",
    metadata,
    Column("id", Id, primary_key=True),
    Column("scope", JSON, nullable=False),
    Column("work", JSON, nullable=False),
    Column("state", Text, nullable=False),
    Column("begun_at", Id, nullable=False),
)
"""Erasures under way, so that opening a home completes one that was cut off. A finished one leaves no row."""

suppressed = Table("suppressed", metadata, Column("mark", LargeBinary, primary_key=True))
"""Keyed marks of images that were erased one by one, so that reading their source again does not bring them back."""

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Id, nullable=False),
    Column("expires_at", Id),
    Column("revoked_at", Id),
    Column("account", Text),
    Column("seq", Id),
)
"""Bearer tokens, by the SHA-256 of their secret. `seq` is the entry that bears one out; those from before there were
accounts have none."""

analyses = Table(
    "analyses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Id, nullable=False),
    Column("seq", Id, nullable=False),
    Column("actor", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("dpia", Text),
    Column("body", JSON, nullable=False),
    Column("keep_until", Id, nullable=False),
)
"""What proxy logs were found to show, under pseudonyms; `seq` is the ledger entry that says it was made."""

log_sessions = Table(
    "log_sessions",
    metadata,
    Column("analysis_id", ForeignKey("analyses.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("place", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Column("sealed", JSON, nullable=False),
)
"""The sessions of an analysis in order; `sealed` is who it was and the log's own lines, under the session's own key."""

credentials = Table(
    "credentials",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("body", JSON, nullable=False),
    Column("label", Text, nullable=False),
    Column("created_at", Id, nullable=False),
    Column("used_at", Id),
    Column("counter", Id, nullable=False),
)
"""Passwords (argon2id), authenticators (sealed) and passkeys (public keys). One counts only while the ledger's entry
holds its digest. `counter` is an authenticator's last time step, or a passkey's signature counter."""

browser_sessions = Table(
    "browser_sessions",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("account", Text, nullable=False, index=True),
    Column("how", Text, nullable=False),
    Column("begun_at", Id, nullable=False),
    Column("used_at", Id, nullable=False),
    Column("until", Id, nullable=False),
    Column("seq", Id, nullable=False),
)
"""Who is signed in, by the SHA-256 of the session's secret; `seq` is the entry without which it is none."""

known_devices = Table(
    "known_devices",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("used_at", Id, nullable=False),
)
"""Browsers in which an account was signed in before: a stranger's failures do not lock them out."""

attempts = Table(
    "attempts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("until", Id, nullable=False),
    Column("at", Id, nullable=False),
)
"""Failures to sign in, counted by account, by known device and by address."""
