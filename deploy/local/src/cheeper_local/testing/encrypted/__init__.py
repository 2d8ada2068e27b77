"""The servers with TLS, whose certificates a private authority signs, for tests."""

from cheeper_local.testing.encrypted.authority import Authority, Certificate
from cheeper_local.testing.encrypted.servers import (
    ADMIN,
    EncryptedKafka,
    EncryptedMongo,
    EncryptedPostgres,
    EncryptedRedis,
)

__all__ = [
    "ADMIN",
    "Authority",
    "Certificate",
    "EncryptedKafka",
    "EncryptedMongo",
    "EncryptedPostgres",
    "EncryptedRedis",
]
