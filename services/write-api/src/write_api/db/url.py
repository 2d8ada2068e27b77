"""The URL of the database in the two forms that its clients need, and the parameters of each connection."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import make_url

_CONNECT_SECONDS: Final = 3


def connect_parameters(application_name: str, options: str) -> dict[str, Any]:
    """Return libpq's parameters of a connection; `options` are the settings of its session.

    Neither end may wait for a host that vanished: its transaction holds the locks of its keys, and its xid blocks the
    relay for everybody. Both ends notice within some 20 s.
    """
    return {
        "application_name": application_name,
        "connect_timeout": _CONNECT_SECONDS,
        "keepalives_idle": 5,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
        "options": "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=3 " + options,
    }


def sqlalchemy_url(database_url: str) -> str:
    """Return SQLAlchemy's form of a libpq URL, for psycopg 3. Raise ValueError if it is not a Postgres URL."""
    scheme, separator, rest = database_url.partition("://")
    if scheme not in {"postgresql", "postgres"} or not separator:
        raise ValueError("must be a URL that begins with postgresql://")
    try:
        return make_url(f"postgresql+psycopg://{rest}").render_as_string(hide_password=False)
    except Exception:  # noqa: BLE001 - SQLAlchemy's text repeats the URL, which holds a password
        raise ValueError("must be a URL such as postgresql://user:password@host:5432/database") from None
