"""Servers with users, for tests: what is not granted to a user is refused."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from pymongo import MongoClient
from typing_extensions import override

from cheeper_local.servers import Mongo, Redis
from cheeper_local.servers.base import Command

ADMIN: Final = "admin"
"""The user of MongoDB who may do everything."""


class GuardedRedis(Redis):
    """Redis with the users of an ACL file, whose text must let anybody send PING."""

    def __init__(self, folder: Path, users: str) -> None:
        super().__init__(folder, fast=True)
        self.users = users

    @override
    def prepare(self) -> None:
        super().prepare()
        self._file.write_text(self.users)

    @override
    def settings(self) -> dict[str, str]:
        return {**super().settings(), "aclfile": str(self._file)}

    def url_as(self, user: str, password: str) -> str:
        """Return the URL for a user."""
        return f"redis://{user}:{quote(password)}@{self.address}/0"

    @property
    def _file(self) -> Path:
        return self.folder / "users.acl"


class GuardedMongo(Mongo):
    """MongoDB with users. `url` is that of ADMIN."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, fast=True)
        self._password: str | None = None

    @property
    @override
    def url(self) -> str:
        return super().url if self._password is None else self.url_as(ADMIN, self._password)

    @override
    def start(self) -> None:
        """Start, and at the first time without users, to make the first one."""
        super().start()
        if self._password is None:
            password = secrets.token_hex()
            with MongoClient[dict[str, Any]](self.url) as client:
                client.admin.command("createUser", ADMIN, pwd=password, roles=["root"])
            self.stop()
            self._password = password
            super().start()

    @override
    def command(self) -> Command:
        line, env, user = super().command()
        return Command(line if self._password is None else [*line, "--keyFile", self._key()], env, user)

    def url_as(self, user: str, password: str) -> str:
        """Return the URL for a user."""
        return f"mongodb://{user}:{quote(password)}@{self.address}/?directConnection=true"

    def _key(self) -> Path:
        """Return the file with the secret of a replica set's members, without which it has no users."""
        file = self.folder / "key"
        if not file.exists():
            file.touch(0o600)
            file.write_bytes(base64.b64encode(secrets.token_bytes(96)))
        return file
