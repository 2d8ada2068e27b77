"""The book's "Demo Time" as data: requests, their responses, and the processes that run in between.

The responses are the book's: they have the keys that it prints, with equal values, and may have more. Lists are exact.
"""

from __future__ import annotations

import re
import uuid
from typing import Any, Final

import msgspec

from cheeper_e2e.http.client import Json

PREFIX: Final = "/chapter7"


class DateOf(msgspec.Struct, frozen=True):
    """Stands for any date in the book's format."""

    PATTERN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")

    def __str__(self) -> str:
        return "any date"


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A request and its response. `only_stepwise` marks one that holds only while no process runs between the steps."""

    method: str = "GET"
    path: str
    body: Json | None = None
    status: int = 200
    data: Any
    only_stepwise: bool = False


class Run(msgspec.Struct, frozen=True):
    """A process of the step mode, as a command line, that ends by itself."""

    command: tuple[str, ...]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the demo: a title, and its actions in order."""

    title: str
    actions: tuple[Ask | Run, ...]


class Cast(msgspec.Struct, frozen=True):
    """The authors (id, username), follows and cheeps of the demo."""

    bob: tuple[str, str]
    alice: tuple[str, str]
    charlie: tuple[str, str]
    alice_follows: str
    charlie_follows: str
    cheeps: tuple[str, str, str]


THE_BOOKS: Final = Cast(
    bob=("a64a52cc-3ee9-4a15-918b-099e18b43119", "bob"),
    alice=("1fd7d739-2ad7-41a8-8c18-565603e3733f", "alice"),
    charlie=("1da1366f-b066-4514-9b29-7346df41e371", "charlie"),
    alice_follows="8cc71bf2-f827-4c92-95a5-43bb1bc622ad",
    charlie_follows="f3088920-841e-4577-a3c2-efdc80f0dea5",
    cheeps=(
        "28bc90bd-2dfb-4b71-962f-81f02b0b3149",
        "04efc3af-59a3-4695-803f-d37166c3af56",
        "8a5539e6-3be2-4fa7-906e-179efcfca46b",
    ),
)


def strangers() -> Cast:
    """Return a cast with new ids, for a system that may know the book's already."""
    ids = [str(uuid.uuid4()) for _ in range(8)]
    people = [(one, f"{name}_{one[:8]}") for one, name in zip(ids, ("bob", "alice", "charlie"), strict=False)]
    return Cast(people[0], people[1], people[2], ids[3], ids[4], (ids[5], ids[6], ids[7]))


def demo_time(cast: Cast) -> tuple[Step, ...]:
    """Return the steps, in order."""
    people = (cast.bob, cast.alice, cast.charlie)
    return (
        Step(title="Nobody is there yet", actions=_counters_of_nobody(cast, stepwise=False)),
        Step(title="All timelines are empty", actions=tuple(_timeline(author) for author, _ in people)),
        Step(title="Bob, Alice and Charlie sign up", actions=tuple(_sign_up(*who) for who in people)),
        Step(title="The read side does not know them yet", actions=_counters_of_nobody(cast, stepwise=True)),
        Step(
            title="The events are relayed and projected: three counters of zero",
            actions=(*_relay_and_project(3), *(_counter(who, 0) for who in people)),
        ),
        Step(title="Their timelines are still empty", actions=tuple(_timeline(author) for author, _ in people)),
        Step(title="Alice follows Bob, Charlie follows Bob, and Alice follows Bob again", actions=_follows(cast)),
        Step(
            title="The worker handles three commands: two follows, one already there",
            actions=(_counter(cast.bob, 0, only_stepwise=True), _worker(3)),
        ),
        Step(
            title="Relayed and projected: Bob has two followers",
            actions=(*_relay_and_project(2), _counter(cast.bob, 2), _counter(cast.alice, 0), _counter(cast.charlie, 0)),
        ),
        Step(title="Each of them posts a cheep", actions=_posts(cast)),
        Step(
            title="Handled, relayed and projected, but not yet fanned out: timelines are still empty",
            actions=(_worker(3), *_relay_and_project(3), *(_timeline(who[0], only_stepwise=True) for who in people)),
        ),
        Step(title="Two fan-out tasks, one for each of Bob's followers", actions=(_task(), _task())),
        Step(title="Bob's cheep is on Alice's and Charlie's timelines, and not on his own", actions=_timelines(cast)),
    )


def mismatch(wanted: Any, found: Any, where: str = "data") -> str | None:
    """Return a sentence on the first difference between a response and the book's, None if there is none."""
    if isinstance(wanted, DateOf):
        return None if isinstance(found, str) and wanted.PATTERN.fullmatch(found) else f"{where} is {found!r}, no date"
    if isinstance(wanted, dict) and isinstance(found, dict):
        if missing := wanted.keys() - found.keys():
            return f"{where} has no {min(missing)}"
        wrong = (mismatch(value, found[name], f"{where}.{name}") for name, value in wanted.items())
        return next(filter(None, wrong), None)
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        wrong = (mismatch(*pair, f"{where}[{n}]") for n, pair in enumerate(zip(wanted, found, strict=True)))
        return next(filter(None, wrong), None)
    return None if wanted == found else f"{where} is {found!r}, not {wanted!r}"


def _counters_of_nobody(cast: Cast, *, stepwise: bool) -> tuple[Ask, ...]:
    return tuple(
        Ask(
            path=f"{PREFIX}/author/{author}/followers-counter",
            status=404,
            data={"message": f'Author "{author}" does not exist', "code": "author_not_found"},
            only_stepwise=stepwise,
        )
        for author, _ in (cast.bob, cast.alice, cast.charlie)
    )


def _counter(who: tuple[str, str], followers: int, *, only_stepwise: bool = False) -> Ask:
    author, username = who
    return Ask(
        path=f"{PREFIX}/author/{author}/followers-counter",
        data={"authorId": author, "authorUsername": username, "numberOfFollowers": followers},
        only_stepwise=only_stepwise,
    )


def _timeline(author: str, *cheeps: Json, only_stepwise: bool = False) -> Ask:
    return Ask(path=f"{PREFIX}/author/{author}/timeline", data={"cheeps": list(cheeps)}, only_stepwise=only_stepwise)


def _sign_up(author: str, username: str) -> Ask:
    body = {"author_id": author, "username": username, "email": f"{username}@{_first_name(username)}.com"}
    return Ask(method="POST", path=f"{PREFIX}/author", body=body, status=201, data={"author_id": author})


def _follows(cast: Cast) -> tuple[Ask, ...]:
    by_alice, by_charlie = (cast.alice_follows, cast.alice[0]), (cast.charlie_follows, cast.charlie[0])
    bodies = [
        {"follow_id": follow, "from_author_id": follower, "to_author_id": cast.bob[0]}
        for follow, follower in (by_alice, by_charlie, by_alice)
    ]
    return tuple(Ask(method="POST", path=f"{PREFIX}/follow", body=body, status=202, data=body) for body in bodies)


def _posts(cast: Cast) -> tuple[Ask, ...]:
    return tuple(
        Ask(
            method="POST",
            path=f"{PREFIX}/cheep",
            body={"cheep_id": cheep, "author_id": author, "message": _text(username)},
            status=202,
            data={"cheep_id": cheep},
        )
        for cheep, (author, username) in zip(cast.cheeps, (cast.bob, cast.alice, cast.charlie), strict=True)
    )


def _timelines(cast: Cast) -> tuple[Ask, ...]:
    author, username = cast.bob
    cheep = {
        "cheep_id": cast.cheeps[0],
        "cheep_date": DateOf(),
        "cheep_message": _text(username),
        "author_id": author,
        "author_username": username,
    }
    return (_timeline(author), _timeline(cast.alice[0], cheep), _timeline(cast.charlie[0], cheep))


def _text(username: str) -> str:
    return f"Hello world, this is {_first_name(username).capitalize()}"


def _first_name(username: str) -> str:
    return username.partition("_")[0]


def _worker(messages: int) -> Run:
    return Run(("write-api", "worker", "--limit", str(messages)))


def _relay_and_project(messages: int) -> tuple[Run, Run]:
    """Count domain messages: the message that a command changed nothing is none of them, and passes with the next."""
    relay = Run(("write-api", "relay", "--limit", str(messages)))
    return relay, Run(("projector", "run", "--no-tasks", "--limit", str(messages)))


def _task() -> Run:
    return Run(("projector", "tasks", "--limit", "1"))
