"""Authorities that were asked for, those that may be used before anybody approved, and pictures kept for reviews."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """What an authority was asked for with, what may be done with what is found, and until when it must be approved."""
    op.add_column("authorities", sa.Column("request", sa.Text(), nullable=True))
    op.add_column("authorities", sa.Column("outcome", sa.Text(), nullable=True))
    op.add_column("authorities", sa.Column("due_at", ID, nullable=True))
    op.create_table(
        "review_pictures",
        sa.Column("review", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("sealed", sa.JSON(), nullable=False),
        sa.Column("keep_until", ID, nullable=True),
        sa.PrimaryKeyConstraint("review", "side", name=op.f("pk_review_pictures")),
    )
