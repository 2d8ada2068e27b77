"""A stack in use: a few requests each second, from the first fault to the last repair."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

import httpx

from cheeper_e2e.authors import Author, new_author
from cheeper_local.waiting import until

FOLLOWERS: Final = 5
_ACCEPTED: Final = (httpx.codes.OK, httpx.codes.CREATED, httpx.codes.ACCEPTED)
_PAUSE_SECONDS: Final = 0.4


class Usage:
    """An author with followers who posts, and another one who changes the profile, each again and again.

    Posts go to the worker, changes are handled within their request. What does not succeed is left.
    """

    def __init__(self, gateway: str) -> None:
        self._client = httpx.Client(base_url=gateway, timeout=20, limits=httpx.Limits(max_connections=50))
        self.author, self._other = self.sign_up(), self.sign_up()
        for _ in range(FOLLOWERS):
            follow = {"from_author_id": self.sign_up().author_id, "to_author_id": self.author.author_id}
            self.accepted("POST", "/follow", follow)

    def sign_up(self) -> Author:
        """Sign up a new author."""
        new = new_author()
        self.accepted("POST", "/author", {"author_id": new.author_id, "username": new.username, "email": new.email})
        return new

    def accepted(self, method: str, path: str, body: Mapping[str, Any], key: str | None = None) -> str:
        """Send a command until it is accepted. Return its message id."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}

        def reply() -> httpx.Response | None:
            with suppress(httpx.TransportError):
                response = self._client.request(method, path, json=body, headers=headers)
                return response if response.status_code in _ACCEPTED else None
            return None

        response = until(reply, what=f"{method} {path} is accepted")
        assert response is not None  # noqa: S101 - `until` returns no other value
        return str(response.json()["meta"]["message_id"])

    def post(self) -> httpx.Response | None:
        """Post a cheep, without a key. Return None if there is no response."""
        body = {"author_id": self.author.author_id, "message": "of one who goes on"}
        return self._send("POST", "/cheep", json=body)

    def read_after(self, message_id: str) -> None:
        """Request a timeline that has the effects of a command, and wait a moment for it."""
        self._send("GET", f"/author/{self.author.author_id}", params={"after": message_id, "timeout": "0.1"})

    @contextmanager
    def goes_on(self) -> Iterator[None]:
        """Use the stack for the duration of the block."""
        author, other = self.author.author_id, self._other.author_id
        with (
            self.repeat(self.post),
            self.repeat(lambda: self._send("PATCH", f"/author/{other}", json={"bio": str(uuid.uuid4())})),
            self.repeat(lambda: self._send("GET", f"/author/{author}/timeline")),
            self.repeat(lambda: self._send("GET", f"/author/{author}")),
        ):
            yield

    @contextmanager
    def repeat(self, request: Callable[[], object]) -> Iterator[None]:
        """Send a request again and again for the duration of the block, a few times each second."""
        stop = threading.Event()

        def send() -> None:
            while not stop.wait(_PAUSE_SECONDS):
                request()

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response | None:
        with suppress(httpx.TransportError):
            return self._client.request(method, path, **request)
        return None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
