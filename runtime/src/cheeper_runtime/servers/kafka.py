"""The connection to Kafka. Kafka has no URL, so a variable states each part; a program declares them all at once:

class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
kafka: KafkaConnection

Producer({**settings.kafka.client_settings(), "enable.idempotence": True})
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from cheeper_runtime.servers.files import ca_file, password_file, password_of
from cheeper_runtime.settings import Parser

ANSWER_SECONDS: Final = 10
"""The time in which a broker must respond. librdkafka's own, 60 s, is for how long a frozen leader stops a consumer."""


def _variable(field: str) -> str:
    return f"KAFKA_{field.upper()}"


class KafkaConnection(msgspec.Struct, frozen=True, rename=_variable):
    """The brokers, and how a client encrypts its connections and logs in.

    Without a `ca_file`, the authorities of the operating system are trusted. A broker's certificate must always have
    the name by which the client reaches it. The password is read for each client, and is no part of this object.

    The parts must fit each other, otherwise ValueError is raised: what has no effect is refused, because whoever sets
    it believes that it protects something.
    """

    bootstrap_servers: str
    security_protocol: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = "plaintext"
    sasl_mechanism: Literal["scram-sha-512", "scram-sha-256", "plain"] = "scram-sha-512"
    sasl_username: str | None = None
    sasl_password_file: Annotated[Path | None, Parser(password_file)] = None
    ca_file: Annotated[Path | None, Parser(ca_file)] = None

    def __post_init__(self) -> None:
        """Raise ValueError if the parts do not fit each other."""
        credentials = {
            "KAFKA_SASL_USERNAME": self.sasl_username,
            "KAFKA_SASL_PASSWORD_FILE": self.sasl_password_file,
        }
        for name, value in credentials.items():
            if self._logs_in and value is None:
                raise ValueError(f"{name} is not set, but KAFKA_SECURITY_PROTOCOL={self.security_protocol} needs it")
            if not self._logs_in and value is not None:
                raise ValueError(f"{name} has no effect unless KAFKA_SECURITY_PROTOCOL is sasl_ssl or sasl_plaintext")
        if self.ca_file is not None and not self._encrypts:
            raise ValueError("KAFKA_CA_FILE has no effect unless KAFKA_SECURITY_PROTOCOL is ssl or sasl_ssl")
        if self.sasl_mechanism == "plain" and self.security_protocol != "sasl_ssl":
            raise ValueError("KAFKA_SASL_MECHANISM=plain sends the password: KAFKA_SECURITY_PROTOCOL must be sasl_ssl")

    def client_settings(self) -> dict[str, str | int | float | bool]:
        """Return librdkafka's settings of a connection. Raise ValueError if the password cannot be read any more."""
        found: dict[str, str | int | float | bool] = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
            "socket.timeout.ms": ANSWER_SECONDS * 1_000,
        }
        if self.ca_file is not None:
            found["ssl.ca.location"] = str(self.ca_file)
        if self.sasl_username is not None and self.sasl_password_file is not None:
            found["sasl.mechanism"] = self.sasl_mechanism.upper()
            found["sasl.username"] = self.sasl_username
            found["sasl.password"] = password_of(self.sasl_password_file)
        return found

    @property
    def uses_scram(self) -> bool:
        """True if clients log in as a user whose verifier the brokers themselves keep."""
        return self._logs_in and self.sasl_mechanism != "plain"

    @property
    def _logs_in(self) -> bool:
        return self.security_protocol in {"sasl_plaintext", "sasl_ssl"}

    @property
    def _encrypts(self) -> bool:
        return self.security_protocol in {"ssl", "sasl_ssl"}


def known(offsets: Mapping[int, int]) -> dict[int, int]:
    """Return the offsets by partition as a broker reported them. Raise TimeoutError if one of them is unknown.

    While a partition has no leader, librdkafka may report an offset below zero and no error (2.16). A caller that took
    it for a number would find the log shorter than it was, as after a wipe of Kafka.
    """
    for partition, offset in offsets.items():
        if offset < 0:
            raise TimeoutError(f"the brokers do not know the offsets of partition {partition} yet")
    return dict(offsets)
