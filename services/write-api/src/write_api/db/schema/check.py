"""The readiness check of Postgres."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from cheeper_runtime.readiness.checks import Check
from cheeper_runtime.servers.refusals import no_answer
from write_api.db.schema.revision import missing_revision
from write_api.ops.recent_failure import RecentFailure


def check_of_database(engine: AsyncEngine, failure: RecentFailure | None = None) -> Check:
    """Return a check that fails if Postgres does not answer, lacks this code's schema, or recently failed a write."""

    async def check() -> str | None:
        try:
            missing = await missing_revision(engine)
        except (SQLAlchemyError, OSError) as error:
            return no_answer(getattr(error, "orig", None) or error)
        if missing:
            return f"waiting for migration {missing}"
        return failure.reason() if failure else None

    return check
