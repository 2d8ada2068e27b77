"""The servers with TLS beside the plain connection, which only their start uses.

A certificate has the server's address, and no name: whoever connects to `localhost` must refuse it.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from confluent_kafka.admin import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion
from typing_extensions import override

from cheeper_local.servers import Kafka, Postgres, kafka_protocol
from cheeper_local.servers.base import Command
from cheeper_local.system.ports import HOST, free_port
from cheeper_local.system.processes import unprivileged_user
from cheeper_local.testing.encrypted.authority import Authority
from cheeper_local.testing.faults.proxy import Proxy
from cheeper_local.testing.guarded import GuardedMongo, GuardedRedis

_ITERATIONS: Final = 4096
_SECONDS: Final = 20.0
ADMIN: Final = "admin"
"""The user of Kafka who may do everything."""


class EncryptedPostgres(Postgres):
    """PostgreSQL that offers TLS on its port."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        super().__init__(folder, fast=True)
        user = unprivileged_user()
        self._certificate = authority.certificate(HOST, None if user is None else user.uid)

    @override
    def command(self) -> Command:
        line, env, user = super().command()
        cert, key, _ = self._certificate
        return Command([*line, "-c", "ssl=on", "-c", f"ssl_cert_file={cert}", "-c", f"ssl_key_file={key}"], env, user)

    def url_of(self, ca_file: Path) -> str:
        """Return the URL for clients that trust that authority alone."""
        return f"{self.url}?sslmode=verify-full&sslrootcert={ca_file}"


class EncryptedRedis(GuardedRedis):
    """Redis with users, behind what ends the encryption, as where Redis itself is built without TLS: our wheel is."""

    def __init__(self, folder: Path, authority: Authority, users: str) -> None:
        super().__init__(folder, users)
        cert, key, _ = authority.certificate(HOST)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(cert, key)
        self._proxy = Proxy((HOST, self.port), tls)

    @override
    def start(self) -> None:
        super().start()
        self._proxy.upstream = (HOST, self.port)
        self._proxy.start()

    @override
    def stop(self) -> None:
        self._proxy.stop()
        super().stop()

    def url_of(self, ca_file: Path, user: str, password: str) -> str:
        """Return the URL for a user's clients that trust that authority alone."""
        plain = self.url_as(user, password).replace(self.address, self._proxy.address)
        return f"{plain.replace('redis:', 'rediss:')}?ssl_ca_certs={ca_file}"


class EncryptedMongo(GuardedMongo):
    """MongoDB with users that offers TLS on its port."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        super().__init__(folder)
        self._certificate = authority.certificate(HOST)

    @override
    def command(self) -> Command:
        line, env, user = super().command()
        options = ["--tlsMode", "allowTLS", "--tlsCertificateKeyFile", str(self._certificate.both)]
        return Command([*line, *options, "--tlsAllowConnectionsWithoutCertificates"], env, user)

    def url_of(self, ca_file: Path, user: str, password: str) -> str:
        """Return the URL for a user's clients that trust that authority alone."""
        return f"{self.url_as(user, password)}&tls=true&tlsCAFile={ca_file}"


class EncryptedKafka(Kafka):
    """Kafka with a listener of TLS and SCRAM at `secure`, where users have their privileges alone."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        super().__init__(folder, fast=True)
        self.secure = f"{HOST}:{free_port({self.port})}"
        controller = f"{HOST}:{free_port({self.port, int(self.secure.rpartition(':')[2])})}"
        listeners = f"PLAINTEXT://{self.address},SECURE://{self.secure}"
        self.more.update(
            {
                "controller.quorum.voters": f"1@{controller}",
                "listeners": f"{listeners},CONTROLLER://{controller}",
                "advertised.listeners": listeners,
                "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT",
                "inter.broker.listener.name": "PLAINTEXT",
                "sasl.enabled.mechanisms": "SCRAM-SHA-512",
                "listener.name.secure.scram-sha-512.sasl.jaas.config": (
                    "org.apache.kafka.common.security.scram.ScramLoginModule required;"
                ),
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": str(authority.certificate(HOST).both),
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": f"User:ANONYMOUS;User:{ADMIN}",
            }
        )

    def add_user(self, name: str, password: str) -> None:
        """Create a user, or change its password. Raises KafkaException."""
        credential = UserScramCredentialUpsertion(
            name, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS), password.encode()
        )
        client = kafka_protocol.admin(self.url)
        client.alter_user_scram_credentials([credential])[name].result(_SECONDS)
