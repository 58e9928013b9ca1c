"""People: what they sign in with, their sessions, and whose a token is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Credentials, sessions, devices, attempts; tokens get an owner and an entry."""
    op.create_table(
        "credentials",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", ID, nullable=False),
        sa.Column("used_at", ID, nullable=True),
        sa.Column("counter", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credentials")),
    )
    op.create_index(op.f("ix_credentials_account"), "credentials", ["account"])
    op.create_table(
        "browser_sessions",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("begun_at", ID, nullable=False),
        sa.Column("used_at", ID, nullable=False),
        sa.Column("until", ID, nullable=False),
        sa.Column("seq", ID, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_browser_sessions")),
    )
    op.create_index(op.f("ix_browser_sessions_account"), "browser_sessions", ["account"])
    op.create_table(
        "known_devices",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("used_at", ID, nullable=False),
        sa.PrimaryKeyConstraint("key", "account", name=op.f("pk_known_devices")),
    )
    op.create_table(
        "attempts",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("until", ID, nullable=False),
        sa.Column("at", ID, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_attempts")),
    )
    op.add_column("tokens", sa.Column("account", sa.Text(), nullable=True))
    op.add_column("tokens", sa.Column("seq", ID, nullable=True))
