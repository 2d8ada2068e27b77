"""The database's URL in the two forms that its clients want."""

from __future__ import annotations

from sqlalchemy import make_url


def sqlalchemy_url(database_url: str) -> str:
    """SQLAlchemy's form of a libpq URL, for psycopg 3. Raises ValueError where it is no Postgres URL."""
    scheme, separator, rest = database_url.partition("://")
    if scheme not in {"postgresql", "postgres"} or not separator:
        raise ValueError("must be a URL that begins with postgresql://")
    try:
        return make_url(f"postgresql+psycopg://{rest}").render_as_string(hide_password=False)
    except Exception:  # noqa: BLE001 - SQLAlchemy's text repeats the URL, which holds a password
        raise ValueError("must be a URL such as postgresql://user:password@host:5432/database") from None
