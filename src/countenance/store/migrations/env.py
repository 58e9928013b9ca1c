"""Run by Alembic with the connection that `upgrade` opened."""

from __future__ import annotations

from alembic import context

from countenance.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
