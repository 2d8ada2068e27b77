"""The revision of the schema: what this code needs, and what the database has.

Alembic, which `migrate` runs, is not imported here: it would take 8 MB of each process that only compares revisions.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from write_api.db.engine import autocommitting
from write_api.db.schema.migrations import versions


@cache
def newest_revision() -> str:
    """Return the revision that this code is written for: the highest of the numbers that migrations are named by."""
    return max(file.name[1:5] for file in resources.files(versions).iterdir() if file.name.startswith("v"))


async def missing_revision(engine: AsyncEngine) -> str | None:
    """Return the revision that the database lacks, None if it is at least as new as this code."""
    try:
        async with autocommitting(engine).connect() as connection:
            current = (await connection.execute(text("SELECT max(version_num) FROM alembic_version"))).scalar_one()
    except ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.UndefinedTable):
            raise
        current = None
    return newest_revision() if current is None or current < newest_revision() else None
