"""Begin."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Every table as of the first version."""
    op.create_table(
        "authorities",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("basis_document", sa.Text(), nullable=True),
        sa.Column("case_ref", sa.Text(), nullable=False),
        sa.Column("collections", sa.JSON(), nullable=False),
        sa.Column("granted_at", ID, nullable=False),
        sa.Column("expires_at", ID, nullable=False),
        sa.Column("searches", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("stated", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("self_approved", sa.Boolean(), nullable=False),
        sa.Column("grant_seq", ID, nullable=False),
        sa.Column("revoked_at", ID, nullable=True),
        sa.Column("revoke_seq", ID, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorities")),
    )
    op.create_table(
        "collections",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collections")),
        sa.UniqueConstraint("name", name=op.f("uq_collections_name")),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next", ID, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "erasures",
        sa.Column("id", ID, nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("work", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("begun_at", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_table(
        "images",
        sa.Column("id", ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("pdq", sa.LargeBinary(), nullable=False),
        sa.Column("pdq_quality", sa.Integer(), nullable=False),
        sa.Column("picture_id", ID, nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("taken_at", ID, nullable=True),
        sa.Column("pack", sa.Text(), nullable=False),
        sa.Column("pipeline", sa.Integer(), nullable=False),
        sa.Column("original", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_images")),
        sa.UniqueConstraint("digest", name=op.f("uq_images_digest")),
    )
    op.create_index(op.f("ix_images_picture_id"), "images", ["picture_id"], unique=False)
    op.create_table(
        "item_keys",
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("item", name=op.f("pk_item_keys")),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "sources",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("basis_document", sa.Text(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("retain_days", sa.Integer(), nullable=False),
        sa.Column("registered_at", ID, nullable=False),
        sa.Column("expires_at", ID, nullable=False),
        sa.Column("keep_originals", sa.Boolean(), nullable=False),
        sa.Column("allow_private", sa.JSON(), nullable=False),
        sa.Column("registered_seq", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
        sa.UniqueConstraint("name", name=op.f("uq_sources_name")),
    )
    op.create_table(
        "suppressed",
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_suppressed")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", ID, nullable=False),
        sa.Column("expires_at", ID, nullable=True),
        sa.Column("revoked_at", ID, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("secret", name=op.f("uq_tokens_secret")),
    )
    op.create_table(
        "vector_holes",
        sa.Column("pack", sa.Text(), nullable=False),
        sa.Column("slot", ID, autoincrement=False, nullable=False),
        sa.Column("changed", ID, nullable=False),
        sa.Column("dirty", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("pack", "slot", name=op.f("pk_vector_holes")),
    )
    op.create_index(op.f("ix_vector_holes_pack_changed"), "vector_holes", ["pack", "changed"], unique=False)
    op.create_table(
        "vectors",
        sa.Column("id", ID, nullable=False),
        sa.Column("pack", sa.Text(), nullable=False),
        sa.Column("slot", ID, nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("changed", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vectors")),
        sa.UniqueConstraint("pack", "slot", name=op.f("uq_vectors_pack_slot")),
    )
    op.create_index(op.f("ix_vectors_pack_changed"), "vectors", ["pack", "changed"], unique=False)
    op.create_table(
        "appearances",
        sa.Column("id", ID, nullable=False),
        sa.Column("image_id", ID, nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("alt", sa.Text(), nullable=True),
        sa.Column("caption", sa.Text(), nullable=True),
        sa.Column("dated", ID, nullable=True),
        sa.Column("first_seen", ID, nullable=False),
        sa.Column("last_seen", ID, nullable=False),
        sa.Column("vanished_at", ID, nullable=True),
        sa.Column("unchanged_key", sa.Text(), nullable=True),
        sa.Column("run_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name=op.f("fk_appearances_image_id_images"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_appearances_source_id_sources"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appearances")),
        sa.UniqueConstraint(
            "source_id", "address", "page", "image_id", name=op.f("uq_appearances_source_id_address_page_image_id")
        ),
    )
    op.create_index(op.f("ix_appearances_image_id"), "appearances", ["image_id"], unique=False)
    op.create_index(op.f("ix_appearances_source_id"), "appearances", ["source_id"], unique=False)
    op.create_table(
        "collection_sources",
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["collections.id"],
            name=op.f("fk_collection_sources_collection_id_collections"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_collection_sources_source_id_sources"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("collection_id", "source_id", name=op.f("pk_collection_sources")),
    )
    op.create_table(
        "faces",
        sa.Column("id", ID, nullable=False),
        sa.Column("image_id", ID, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("x", sa.Float(), nullable=False),
        sa.Column("y", sa.Float(), nullable=False),
        sa.Column("w", sa.Float(), nullable=False),
        sa.Column("h", sa.Float(), nullable=False),
        sa.Column("landmarks", sa.JSON(), nullable=False),
        sa.Column("quality", sa.JSON(), nullable=False),
        sa.Column("floor", sa.Text(), nullable=True),
        sa.Column("crop", sa.Text(), nullable=True),
        sa.Column("pack", sa.Text(), nullable=False),
        sa.Column("pipeline", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_faces_image_id_images"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_faces")),
    )
    op.create_index(op.f("ix_faces_image_id"), "faces", ["image_id"], unique=False)
    op.create_table(
        "runs",
        sa.Column("id", ID, nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", ID, nullable=False),
        sa.Column("heartbeat_at", ID, nullable=False),
        sa.Column("ended_at", ID, nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_runs_source_id_sources"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_source_id"), "runs", ["source_id"], unique=False)
    op.create_table(
        "searches",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("authority_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("started_at", ID, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_seq", ID, nullable=True),
        sa.Column("result_seq", ID, nullable=True),
        sa.Column("probe", sa.JSON(), nullable=True),
        sa.Column("keep_until", ID, nullable=False),
        sa.Column("handle", sa.LargeBinary(), nullable=True),
        sa.Column("handle_until", ID, nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["authority_id"], ["authorities.id"], name=op.f("fk_searches_authority_id_authorities")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_searches")),
    )
    op.create_index(op.f("ix_searches_authority_id"), "searches", ["authority_id"], unique=False)
    op.create_table(
        "vector_attributes",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["id"], ["vectors.id"], name=op.f("fk_vector_attributes_id_vectors"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", "name", "value", name=op.f("pk_vector_attributes")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_vector_attributes_name_value"), "vector_attributes", ["name", "value"], unique=False)
    op.create_table(
        "sightings",
        sa.Column("id", ID, nullable=False),
        sa.Column("face_id", ID, nullable=False),
        sa.Column("appearance_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["appearance_id"],
            ["appearances.id"],
            name=op.f("fk_sightings_appearance_id_appearances"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["face_id"], ["faces.id"], name=op.f("fk_sightings_face_id_faces"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sightings")),
        sa.UniqueConstraint("face_id", "appearance_id", name=op.f("uq_sightings_face_id_appearance_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_sightings_appearance_id"), "sightings", ["appearance_id"], unique=False)
    op.create_index(op.f("ix_sightings_face_id"), "sightings", ["face_id"], unique=False)
    op.create_table(
        "skips",
        sa.Column("id", ID, nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("unchanged_key", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_skips_run_id_runs"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_skips_source_id_sources"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_skips")),
    )
    op.create_index(op.f("ix_skips_source_id_address"), "skips", ["source_id", "address"], unique=False)
    op.create_table(
        "candidates",
        sa.Column("search_id", sa.Text(), nullable=False),
        sa.Column("sighting_id", ID, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("likeness", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["search_id"], ["searches.id"], name=op.f("fk_candidates_search_id_searches"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["sighting_id"], ["sightings.id"], name=op.f("fk_candidates_sighting_id_sightings"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("search_id", "sighting_id", name=op.f("pk_candidates")),
    )
