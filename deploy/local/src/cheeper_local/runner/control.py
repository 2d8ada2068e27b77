"""The control port of a running stack: one JSON line as request, one as response, on this machine, with a token.

The response to `{"token": …, "do": <action>, "arguments": […]}` is `{"ok": true, "value": …}` or `{"ok": false,
"error": "a sentence"}`. Port and token are in the stack's state file, which only its owner can read.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from cheeper_local.errors import LocalError
from cheeper_local.runner.stack import Stack
from cheeper_local.system.ports import HOST

Action = Callable[..., Awaitable[Any]]


class Control:
    """The actions of a stack, one at a time."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._token = secrets.token_urlsafe(24)
        self._one_at_a_time = asyncio.Lock()
        self._server: asyncio.Server | None = None
        self._actions: dict[str, Action] = {
            "kill": self._kill,
            "freeze": self._freeze,
            "thaw": self._thaw,
            "stop_process": self._stop_process,
            "start_process": self._start_process,
            "server": stack.server,
            "empty": stack.empty,
            "wait_ready": self._wait_ready,
        }

    async def start(self) -> None:
        """Listen, and write port and token to the stack's state file."""
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self._stack.control = {"port": self._server.sockets[0].getsockname()[1], "token": self._token}
        self._stack.write_state()

    def stop(self) -> None:
        """Close the port."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            response = await self._respond(await reader.readline())
            writer.write(json.dumps(response).encode() + b"\n")
            await writer.drain()
        except ConnectionError:
            pass  # the client is gone
        finally:
            writer.close()

    async def _respond(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            if not secrets.compare_digest(request["token"], self._token):
                return {"ok": False, "error": "The token is wrong."}
            action = self._actions[request["do"]]
            async with self._one_at_a_time:
                return {"ok": True, "value": await action(*request.get("arguments", []))}
        except LocalError as error:
            return {"ok": False, "error": str(error)}
        except (ValueError, KeyError, TypeError) as error:
            return {"ok": False, "error": f"The request is invalid: {error!r}."}
        except Exception as error:  # noqa: BLE001 - an unavailable store must not end the stack
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

    async def _kill(self, name: str) -> list[int]:
        return [pid for pid in (child.kill() for child in self._stack.chosen(name)) if pid is not None]

    async def _freeze(self, name: str) -> None:
        for child in self._stack.chosen(name):
            child.freeze()

    async def _thaw(self, name: str) -> None:
        for child in self._stack.chosen(name):
            child.thaw()

    async def _stop_process(self, name: str) -> None:
        await asyncio.gather(*(child.stop() for child in self._stack.chosen(name)))
        self._stack.write_state()

    async def _start_process(self, name: str) -> None:
        for child in self._stack.chosen(name):
            child.start()

    async def _wait_ready(self) -> None:
        await self._stack.wait_ready(child for child in self._stack.children.values() if child.wanted)
