"""The tables, in a PostgreSQL schema of their own. Times are in seconds since 1970, UTC."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Double, ForeignKey, LargeBinary, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

SCHEMA: Final = "identity"

metadata = MetaData(schema=SCHEMA)

accounts = Table(
    "accounts",
    metadata,
    Column("account_id", Uuid(as_uuid=False), primary_key=True),
    Column("address", Text, unique=True, comment="without case"),
    Column("password", Text, comment="a hash by Argon2id"),
    Column("roles", ARRAY(Text), nullable=False, server_default="{}"),
)

subjects = Table(
    "subjects",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column(
        "account_id",
        Uuid(as_uuid=False),
        ForeignKey(accounts.c.account_id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    comment="who has an account by an external provider",
)

attempts = Table(
    "attempts",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    comment="sign-ins by a provider that have begun",
)

codes = Table(
    "codes",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("address", Text, nullable=False, index=True),
    Column("until", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", Uuid(as_uuid=False), primary_key=True),
    Column(
        "account_id",
        Uuid(as_uuid=False),
        ForeignKey(accounts.c.account_id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("began_at", BigInteger, nullable=False),
    Column("rotated_at", BigInteger, nullable=False),
    Column("current", LargeBinary, nullable=False, comment="a hash"),
    Column("previous", LargeBinary, nullable=False, comment="a hash"),
    Column("salt", LargeBinary, nullable=False),
)

buckets = Table(
    "buckets",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("level", Double, nullable=False),
    Column("at", Double, nullable=False),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("private", LargeBinary, nullable=False),
    Column("signs_from", BigInteger, nullable=False),
)
