"""Authors and cheeps for the web client to show, written through the gateway."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final

import httpx
import msgspec

from cheeper_local.waiting import until

_HANG_SECONDS: Final = 60
_BUSY: Final = {429, 503}


class Writer(msgspec.Struct, frozen=True):
    """An author of the sample."""

    author_id: str
    username: str


class Api:
    """A client that returns once what it wrote is visible in every view."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=_HANG_SECONDS)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def sign_up(self, username: str | None = None, **profile: str) -> Writer:
        """Sign up an author, by default with a name of its own."""
        author_id = str(uuid.uuid4())
        username = username or f"u{author_id.replace('-', '')[:16]}"
        self._command("POST", "/author", author_id=author_id, username=username, email=f"{username}@example.org")
        if profile:
            self._command("PATCH", f"/author/{author_id}", **profile)
        return Writer(author_id, username)

    def post(self, author: Writer, message: str) -> str:
        """Post a cheep, and return its id."""
        cheep_id = str(uuid.uuid4())
        self._command("POST", "/cheep", cheep_id=cheep_id, author_id=author.author_id, message=message)
        return cheep_id

    def post_all(self, author: Writer, messages: Sequence[str]) -> None:
        """Post cheeps in this order, and wait for the last one: commands of one author are handled in their order."""
        for message in messages[:-1]:
            body = {"author_id": author.author_id, "message": message}
            self._send("POST", "/cheep", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
        self.post(author, messages[-1])

    def answer(self, author: Writer, cheep_id: str, message: str) -> str:
        """Answer a cheep, and return the answer's id."""
        answer_id = str(uuid.uuid4())
        path = f"/cheep/{cheep_id}/answer"
        self._command("POST", path, cheep_id=answer_id, author_id=author.author_id, message=message)
        return answer_id

    def edit(self, author: Writer, cheep_id: str, message: str) -> None:
        """Edit a cheep."""
        self._command("PATCH", f"/cheep/{cheep_id}", author_id=author.author_id, message=message)

    def delete(self, author: Writer, cheep_id: str) -> None:
        """Delete a cheep."""
        self._command("DELETE", f"/cheep/{cheep_id}?author_id={author.author_id}")

    def follow(self, follower: Writer, followed: Writer) -> None:
        """Follow an author."""
        ids = {"from_author_id": follower.author_id, "to_author_id": followed.author_id}
        self._command("POST", "/follow", **ids)

    def unfollow(self, follower: Writer, followed: Writer) -> None:
        """End a follow."""
        self._command("DELETE", f"/author/{follower.author_id}/following/{followed.author_id}")

    def get(self, path: str) -> Any:
        """Return the data of a query."""
        return self._send("GET", path).json()["data"]

    def wait_until(self, path: str, holds: Callable[[Any], bool]) -> None:
        """Repeat a query until its data fulfil a condition."""
        until(lambda: holds(self.get(path)), _HANG_SECONDS, or_else=AssertionError(f"{path} never held"))

    def _command(self, method: str, path: str, **body: str) -> None:
        key = str(uuid.uuid4())
        self._send(method, path, json=body or None, headers={"Idempotency-Key": key})
        late = AssertionError(f"{method} {path} is not visible")
        until(lambda: self._status(key) in {"projected", "rejected"}, _HANG_SECONDS, or_else=late)
        if self._status(key) == "rejected":
            raise AssertionError(f"{method} {path} was rejected")

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request, and repeat it while the server is too busy for it."""

        def responded() -> httpx.Response | None:
            response = self._client.request(method, path, **options)
            return None if response.status_code in _BUSY else response

        response = until(responded, _HANG_SECONDS, or_else=AssertionError(f"{method} {path} was refused all the time"))
        if response is None or response.is_error:
            raise AssertionError(f"{method} {path}: {response and response.text}")
        return response

    def _status(self, key: str) -> str:
        response = self._client.get(f"/command/{key}", params={"after": key})
        return str(response.json()["data"].get("status", "unknown"))
