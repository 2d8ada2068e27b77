"""Faults of MongoDB on a real server, each for as long as a block lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, ClassVar

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from cheeper_local.testing.faults.base import Fault, Faulty
from cheeper_local.waiting import until


class MongoFaults:
    """The faults of a MongoDB of the test's own, made by its own fail points."""

    codes: ClassVar[dict[str, tuple[int, list[str]]]] = {
        "full": (14031, ["update", "insert"]),
        "no primary": (10107, ["update", "find"]),
        "a conflict": (112, ["update"]),
        "refuses the login": (18, ["find", "update"]),
        "refuses commands": (13, ["update"]),
        "shuts down": (11600, ["update", "commitTransaction"]),
        "interrupted": (11601, ["commitTransaction"]),
        "its quota is used up": (8000, ["update", "insert"]),
    }

    def __init__(self, server: Faulty, app: str) -> None:
        self._app = app
        self._client: MongoClient[dict[str, Any]] = MongoClient(server.url)
        self.names: dict[str, Fault] = {name: self._failing(*what) for name, what in self.codes.items()} | {
            "steps down": self.steps_down,
            "breaks connections": self.breaks_connections,
            "frozen": self.frozen,
        }

    def close(self) -> None:
        """Close its connection."""
        self._client.close()

    @contextmanager
    def steps_down(self) -> Iterator[None]:
        """Let it step down while there is no other primary."""
        with suppress(PyMongoError):  # it breaks connections
            self._client.admin.command("replSetStepDown", 3_600, force=True)
        yield
        self._client.admin.command("replSetFreeze", 0)
        until(lambda: self._client.admin.command("hello")["isWritablePrimary"], 30)

    def breaks_connections(self) -> AbstractContextManager[None]:
        """Let it close the connection instead of a response to a write or a commit."""
        return self._point({"closeConnection": True, "failCommands": ["update", "commitTransaction"]})

    def frozen(self) -> AbstractContextManager[None]:
        """Let each write take 7 s."""
        blocked = {"blockConnection": True, "blockTimeMS": 7_000, "failCommands": ["update"]}
        return self._point(blocked)

    def _failing(self, code: int, commands: list[str]) -> Fault:
        return lambda: self.failing(code, commands)

    def failing(self, code: int, commands: list[str]) -> AbstractContextManager[None]:
        """Let it respond to these commands with the error of this code."""
        return self._point({"errorCode": code, "failCommands": commands})

    @contextmanager
    def _point(self, data: dict[str, Any]) -> Iterator[None]:
        data |= {"appName": self._app}
        self._client.admin.command("configureFailPoint", "failCommand", mode="alwaysOn", data=data)
        yield
        self._client.admin.command("configureFailPoint", "failCommand", mode="off")
