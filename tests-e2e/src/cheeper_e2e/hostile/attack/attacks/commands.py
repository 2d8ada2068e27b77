"""Commands that cost others: many, refused, repeated, undone, or about the end of a long list."""

from __future__ import annotations

from typing import Final

from cheeper_e2e.authors import Author, new_author, new_id
from cheeper_e2e.hostile.attack.attacks.base import Attack, Victim, command, send


async def _sign_up(victim: Victim, author: Author) -> int:
    body = {"author_id": author.author_id, "username": author.username, "email": author.email}
    return await send(victim, command("POST", "/author", body))


async def _signed_up(victim: Victim, _: int) -> int:
    return await _sign_up(victim, new_author())


async def _signed_up_twice(victim: Victim, number: int) -> int:
    known, other = victim.scene.prolific, new_author()
    guesses = (
        known,
        Author(other.author_id, known.username, other.email),
        Author(known.author_id, other.username, other.email),
    )
    return await _sign_up(victim, guesses[number % len(guesses)])


async def _refused(victim: Victim, number: int) -> int:
    mallory, unknown = victim.scene.mallory.author_id, new_id()
    messages = (
        ("POST", "/cheep", {"author_id": unknown, "message": "By no author"}),
        ("POST", "/follow", {"from_author_id": mallory, "to_author_id": unknown}),
        ("PATCH", f"/cheep/{victim.scene.cheep}", {"author_id": mallory, "message": "Not mine"}),
        ("POST", f"/cheep/{unknown}/answer", {"author_id": mallory, "message": "To nothing"}),
    )
    return await send(victim, command(*messages[number % len(messages)]))


async def _deleted(victim: Victim, number: int) -> int:
    oldest = victim.scene.oldest
    path = f"/cheep/{oldest[number % len(oldest)]}?author_id={victim.scene.prolific.author_id}"
    return await send(victim, command("DELETE", path))


async def _followed_and_unfollowed(victim: Victim, number: int) -> int:
    follower, followed = victim.scene.mallory.author_id, victim.scene.prolific.author_id
    if number % 2:
        return await send(victim, command("DELETE", f"/author/{follower}/following/{followed}"))
    return await send(victim, command("POST", "/follow", {"from_author_id": follower, "to_author_id": followed}))


ATTACKS: Final = (
    Attack(
        name="sign-ups",
        does="sign-ups by 25 clients",
        strike=_signed_up,
        per_second=60,
        clients=25,
    ),
    Attack(
        name="repeated-sign-ups",
        does="sign-ups with the id or username of another author",
        strike=_signed_up_twice,
        per_second=40,
    ),
    Attack(
        name="refused-commands",
        does="commands that are accepted and then rejected",
        strike=_refused,
        per_second=40,
    ),
    Attack(
        name="deletes",
        does="deletes of the oldest cheeps behind a long list",
        strike=_deleted,
        per_second=20,
    ),
    Attack(
        name="follow-loop",
        does="follows and unfollows of one author with a long list",
        strike=_followed_and_unfollowed,
        per_second=20,
        clients=1,
    ),
)
