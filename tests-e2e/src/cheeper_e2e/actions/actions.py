"""Commands as plain requests about a scene: authors, cheeps and follows by number, each with an id of its own.

A scene's name fixes its ids and texts, so that the same numbers in another scene are the same story about others.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Final

import msgspec

from cheeper_e2e.authors import Author
from cheeper_e2e.http.client import Json

_DAY_SECONDS: Final = 24 * 3600
_NAMESPACE: Final = uuid.UUID("5f0a2a52-3f0e-5b0c-8a44-3f6f2b1f6d0e")

# Of several scripts, with case and accents that search has to see through. None is a beginning of another by chance
# alone: "cheep" is one of "cheeper", as a search by beginnings should show.
WORDS: Final = ("Grüße", "STRASSE", "naïve", "Åland", "cheep", "cheeper", "東京", "привет", "x2", "\N{GRINNING FACE}")


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """A command as a request.

    `key` is the author whose stream it belongs to, `refusals` the codes with which the domain may refuse it, and
    `certain` the one with which it is refused at the edge always, if any: no stream receives such a command.
    """

    method: str
    path: str
    body: Json | None = None
    params: Json | None = None
    key: str
    refusals: frozenset[str] = frozenset()
    certain: str | None = None

    def is_about(self, identifier: str) -> bool:
        """Return True if the path, the parameters or the body name this id."""
        values = [*(self.body or {}).values(), *(self.params or {}).values()]
        return identifier in self.path or identifier in values


class Scene:
    """Every command by numbers. What is done twice with the same numbers is the same request."""

    def __init__(self, name: str) -> None:
        self._namespace = uuid.uuid5(_NAMESPACE, name)
        self.tag = f"s{self._namespace.hex[:10]}"
        """A word that stands in all texts and names of this scene, and in no other's."""

    def id_of(self, kind: str, number: int) -> str:
        """The id of an `author`, `cheep` or `follow`."""
        return str(uuid.uuid5(self._namespace, f"{kind} {number}"))

    def person(self, number: int) -> Author:
        """Return an author of this scene."""
        username = f"{self.tag}_{number}"
        return Author(self.id_of("author", number), username, f"{username}@example.org")

    def text(self, number: int) -> str:
        """A cheep's text."""
        one, two = WORDS[number % len(WORDS)], WORDS[number // len(WORDS) % len(WORDS)]
        return f"{one} {two}, {number} {self.tag}"

    def name(self, number: int) -> str:
        """A person's name."""
        return f"{WORDS[number % len(WORDS)]} {self.tag}-{number}"

    # --- authors -------------------------------------------------------------------------------------------------

    def sign_up(self, author: int, *, username_of: int, email_of: int, name: int | None = None) -> Action:
        """A sign-up, with the username and the e-mail address of these authors."""
        who, called = self.person(author), {} if name is None else {"name": self.name(name)}
        body = {
            "author_id": who.author_id,
            "username": self.person(username_of).username,
            "email": self.person(email_of).email,
            **called,
        }
        taken = frozenset({"username_taken", "email_taken", "author_id_taken"})
        return Action(method="POST", path="/author", body=body, key=who.author_id, refusals=taken)

    def update_profile(self, author: int, **fields: str | None) -> Action:
        """A change of these fields."""
        key, unknown = self.id_of("author", author), frozenset({"author_not_found"})
        return Action(method="PATCH", path=f"/author/{key}", body={**fields}, key=key, refusals=unknown)

    def change_email(self, author: int, *, email_of: int, number: int) -> Action:
        """Another address: that of a person where `number` is 0, else one that is never signed up with."""
        key, email = self.id_of("author", author), self.person(email_of).email
        refusals = frozenset({"author_not_found", "email_taken"})
        body = {"email": f"{number}.{email}" if number else email}
        return Action(method="PUT", path=f"/author/{key}/email", body=body, key=key, refusals=refusals)

    # --- follows -------------------------------------------------------------------------------------------------

    def follow(self, follower: int, followed: int, follow_id: int) -> Action:
        """A follow. One of oneself is refused at once."""
        key = self.id_of("author", followed)
        body = {
            "follow_id": self.id_of("follow", follow_id),
            "from_author_id": self.id_of("author", follower),
            "to_author_id": key,
        }
        refusals, certain = frozenset({"author_not_found", "follow_id_taken", "too_many_follows", "blocked"}), None
        if follower == followed:
            certain = "cannot_follow_self"
        return Action(method="POST", path="/follow", body=body, key=key, refusals=refusals, certain=certain)

    def unfollow(self, follower: int, followed: int) -> Action:
        """An unfollow."""
        key, path = self.id_of("author", followed), f"/author/{self.id_of('author', follower)}/following"
        return Action(method="DELETE", path=f"{path}/{key}", key=key, refusals=frozenset({"author_not_found"}))

    # --- mutes ---------------------------------------------------------------------------------------------------

    def mute(self, author: int, muted: int) -> Action:
        """A mute. One of oneself is refused at once."""
        certain = "cannot_mute_self" if author == muted else None
        return self._about_muted("PUT", author, muted, certain)

    def unmute(self, author: int, muted: int) -> Action:
        """The end of a mute."""
        return self._about_muted("DELETE", author, muted, None)

    def _about_muted(self, method: str, author: int, muted: int, certain: str | None) -> Action:
        key, path = self.id_of("author", muted), f"/author/{self.id_of('author', author)}/muted"
        unknown = frozenset({"author_not_found"})
        return Action(method=method, path=f"{path}/{key}", key=key, refusals=unknown, certain=certain)

    # --- notifications -------------------------------------------------------------------------------------------

    def mark_read(self, author: int, follower: int) -> Action:
        """Mark the notification that this follower caused today as read, which may not be there."""
        key, other = self.id_of("author", author), self.id_of("author", follower)
        # The process manager makes the id of these.
        name = f"new follower of {key} on day {int(time.time() // _DAY_SECONDS)}"
        body = {"notification_id": str(uuid.uuid5(uuid.UUID(other), name))}
        refusals = frozenset({"author_not_found", "notification_not_found"})
        return Action(method="PUT", path=f"/author/{key}/notifications/read", body=body, key=key, refusals=refusals)

    # --- blocks --------------------------------------------------------------------------------------------------

    def block(self, author: int, blocked: int) -> Action:
        """A block. One of oneself is refused at once."""
        certain = "cannot_block_self" if author == blocked else None
        return self._about_blocked("PUT", author, blocked, certain)

    def unblock(self, author: int, blocked: int) -> Action:
        """The end of a block."""
        return self._about_blocked("DELETE", author, blocked, None)

    def _about_blocked(self, method: str, author: int, blocked: int, certain: str | None) -> Action:
        key = self.id_of("author", author)
        path, unknown = f"/author/{key}/blocked/{self.id_of('author', blocked)}", frozenset({"author_not_found"})
        return Action(method=method, path=path, key=key, refusals=unknown, certain=certain)

    # --- cheeps --------------------------------------------------------------------------------------------------

    def post_cheep(self, author: int, cheep: int, text: int) -> Action:
        """A post."""
        key = self.id_of("author", author)
        body = {"cheep_id": self.id_of("cheep", cheep), "author_id": key, "message": self.text(text)}
        refusals = frozenset({"author_not_found", "cheep_id_taken"})
        return Action(method="POST", path="/cheep", body=body, key=key, refusals=refusals)

    def answer_cheep(self, author: int, cheep: int, parent: int, text: int) -> Action:
        """An answer."""
        key = self.id_of("author", author)
        body = {"cheep_id": self.id_of("cheep", cheep), "author_id": key, "message": self.text(text)}
        refusals = frozenset({"author_not_found", "cheep_not_found", "cheep_id_taken", "blocked"})
        path = f"/cheep/{self.id_of('cheep', parent)}/answer"
        return Action(method="POST", path=path, body=body, key=key, refusals=refusals)

    def update_cheep(self, author: int, cheep: int, text: int) -> Action:
        """Another text for a cheep."""
        key = self.id_of("author", author)
        return Action(
            method="PATCH",
            path=f"/cheep/{self.id_of('cheep', cheep)}",
            body={"author_id": key, "message": self.text(text)},
            key=key,
            refusals=frozenset({"cheep_not_found", "not_the_author"}),
        )

    def delete_cheep(self, author: int, cheep: int) -> Action:
        """A deletion."""
        key = self.id_of("author", author)
        return Action(
            method="DELETE",
            path=f"/cheep/{self.id_of('cheep', cheep)}",
            params={"author_id": key},
            key=key,
            refusals=frozenset({"cheep_not_found", "not_the_author"}),
        )

    def invalid(self, author: int, kind: int) -> Action:
        """Return a command that is invalid for any author, and refused at once."""
        key = self.id_of("author", author)
        method, path, body = (
            ("POST", "/cheep", {"author_id": key, "message": ""}),
            ("PATCH", f"/author/{key}", {"website": "ftp://example.org"}),
            ("PUT", f"/author/{key}/email", {"email": "nobody"}),
            ("PATCH", f"/cheep/{self.id_of('cheep', 0)}", {"author_id": key, "message": "a" * 261}),
        )[kind]
        return Action(method=method, path=path, body=body, key=key, certain="invalid")


EXAMPLES: Final[dict[str, Callable[[Scene], Action]]] = {
    "sign-up": lambda scene: scene.sign_up(2, username_of=2, email_of=2),
    "profile": lambda scene: scene.update_profile(0, name="Somebody"),
    "email": lambda scene: scene.change_email(0, email_of=0, number=1),
    "follow": lambda scene: scene.follow(1, 0, 0),
    "unfollow": lambda scene: scene.unfollow(0, 1),
    "mute": lambda scene: scene.mute(1, 0),
    "unmute": lambda scene: scene.unmute(0, 1),
    "block": lambda scene: scene.block(0, 1),
    "unblock": lambda scene: scene.unblock(0, 4),
    "post": lambda scene: scene.post_cheep(0, 1, 1),
    "update": lambda scene: scene.update_cheep(0, 0, 2),
    "delete": lambda scene: scene.delete_cheep(0, 0),
    "answer": lambda scene: scene.answer_cheep(1, 2, 0, 3),
}
"""One of each command, each of which does something where the authors 0, 1 and 4 have signed up, 0 follows and mutes 1
and blocks 4, and cheep 0 is 0's."""
