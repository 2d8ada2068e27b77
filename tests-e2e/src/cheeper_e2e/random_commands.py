"""Random commands by concurrent clients: a seeded draw of sign-ups, follows and posts of few people, so that they meet.

Among them are repeats with the same key, acts that are already true, ids that are taken, and what the domain refuses.
What each client draws is fixed by the seed; how the clients interleave is not.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

import httpx
import msgspec

from cheeper_e2e.client import Client, Json, Reply
from cheeper_e2e.parallel import in_parallel
from cheeper_e2e.people import LONGEST_WAIT, Person, new_id, somebody

PEOPLE: Final = 24
_OK: Final = {httpx.codes.OK, httpx.codes.CREATED, httpx.codes.ACCEPTED}
_MAY_BE_REFUSED: Final = {"username_taken", "email_taken", "author_id_taken", "cannot_follow_self"}


class Sent(msgspec.Struct, frozen=True):
    """A command that was answered: where it went, with what body, whose stream it belongs to, and the answer."""

    path: str
    body: Json
    key: str
    reply: Reply


class Storm:
    """People, what was sent in their names, and how to send more of it.

    Ids of the people, follows and cheeps are new each time, so that a storm meets no other; all choices are the seed's.
    """

    def __init__(self, client: Client, seed: int) -> None:
        self._client = client
        self._seed = seed
        self.people = [somebody() for _ in range(PEOPLE)]
        self.sent: list[Sent] = []
        self._cheeps: list[tuple[str, str, str]] = []
        self._follow_ids: list[str] = []

    async def rage(self, commands: int, clients: int, *, part: int = 0) -> None:
        """Send so many commands, divided among so many clients at once. Raises AssertionError on a wrong answer."""

        async def one_client(number: int) -> None:
            draw = random.Random(f"{self._seed} {part} {number}")  # noqa: S311 - a draw that can be repeated
            for _ in range(commands // clients):
                await self._act(draw)

        await asyncio.gather(*(one_client(number) for number in range(clients)))

    async def settle(self, patience: float) -> None:
        """Wait until every command's effects show in both stores. Raises AssertionError where one's never do."""
        deadline = asyncio.get_running_loop().time() + patience

        async def wait(sent: Sent) -> None:
            for query in (self._client.timeline, self._client.author):
                while (reply := await query(sent.key, after=sent.reply.message_id, timeout=LONGEST_WAIT)).meta.get(
                    "stale"
                ) is not None:
                    if asyncio.get_running_loop().time() > deadline:
                        raise AssertionError(f"never shown: {sent.reply.curl}\n{reply.curl}")

        def waiting(sent: Sent) -> Callable[[], Awaitable[None]]:
            return lambda: wait(sent)

        await in_parallel(map(waiting, list(self.sent)), concurrency=16)

    def story_of(self, author_id: str) -> str:
        """Every request that names an author, in the order of the answers, each as a curl line with its status."""
        return "\n".join(
            f"{sent.reply.curl}  # {sent.reply.status}" for sent in self.sent if author_id in sent.body.values()
        )

    async def _act(self, draw: random.Random) -> None:
        act = draw.choices([self._sign_up, self._follow, self._post, self._repeat], weights=[10, 35, 45, 10])[0]
        await act(draw)

    async def _sign_up(self, draw: random.Random) -> None:
        who, other = draw.choice(self.people), draw.choice(self.people)
        taken = draw.choices([None, "username", "email"], weights=[8, 1, 1])[0]
        body = msgspec.structs.asdict(who)
        if taken:
            body[taken] = getattr(other, taken)
        await self._send("/author", body, key=who.author_id)

    async def _follow(self, draw: random.Random) -> None:
        follower, followed = draw.choice(self.people), draw.choice(self.people)
        follow_id = draw.choice(self._follow_ids) if self._follow_ids and draw.random() < 0.05 else new_id()  # noqa: PLR2004
        self._follow_ids.append(follow_id)
        body = {"follow_id": follow_id, "from_author_id": follower.author_id, "to_author_id": followed.author_id}
        await self._send("/follow", body, key=followed.author_id)

    async def _post(self, draw: random.Random) -> None:
        author: Person = draw.choice(self.people)
        cheep = (new_id(), author.author_id, f"Random {draw.randrange(10**9)} \N{GRINNING FACE}")
        if self._cheeps and draw.random() < 0.1:  # noqa: PLR2004
            cheep_id, first_author, first_text = draw.choice(self._cheeps)
            cheep = draw.choice([(cheep_id, first_author, first_text), (cheep_id, author.author_id, cheep[2])])
        self._cheeps.append(cheep)
        cheep_id, author_id, message = cheep
        await self._send("/cheep", {"cheep_id": cheep_id, "author_id": author_id, "message": message}, key=author_id)

    async def _repeat(self, draw: random.Random) -> None:
        if not self.sent:
            return
        sent = draw.choice(self.sent)
        again = await self._client.command("POST", sent.path, sent.body, key=sent.reply.message_id)
        if (again.status, again.data) != (sent.reply.status, sent.reply.data):
            raise AssertionError(
                f"first {sent.reply.status} {sent.reply.data}, then {again.status} {again.data}: {again.curl}"
            )

    async def _send(self, path: str, body: Json, *, key: str) -> None:
        reply = await self._client.command("POST", path, body)
        if reply.status not in _OK and reply.data.get("code") not in _MAY_BE_REFUSED:
            raise AssertionError(f"answered with {reply.status} {reply.data}: {reply.curl}")
        if reply.data.get("code") == "cannot_follow_self":
            return  # refused at the edge: no stream ever hears of it
        self.sent.append(Sent(path, body, key, reply))
