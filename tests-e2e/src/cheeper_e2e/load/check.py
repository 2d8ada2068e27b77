"""Compare what the views show with what a load sent: every author's counter, counts and whole timeline.

The API shows dates in whole seconds, so the order of a timeline is checked by all that can be known from outside: shown
dates never rise, an author's cheeps stand in the reverse of the order in which they were accepted, and there is one
order of all cheeps that every timeline agrees with.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

import httpx
import msgspec

from cheeper_e2e.http.client import Client, Json
from cheeper_e2e.http.parallel import in_parallel
from cheeper_e2e.load.workload import Workload


class Report(msgspec.Struct):
    """The number of counters and timelines that match, and one sentence on each that does not."""

    counters: int = 0
    timelines: int = 0
    entries: int = 0
    differences: list[str] = msgspec.field(default_factory=list)


async def check(client: Client, world: Workload, concurrency: int, tick: Callable[[], object]) -> Report:
    """Query every author's counter, profile counts and timeline, and compare them."""
    report = Report()
    shown: list[list[str]] = []

    async def check_author(author: int) -> None:
        differences = await _counter(client, world, author)
        report.counters += not differences
        timeline, wrong = await _timeline(client, world, author)
        report.timelines += not wrong
        report.entries += len(timeline)
        report.differences += differences + wrong
        shown.append(timeline)
        tick()

    await in_parallel((partial(check_author, author) for author in world.authors), concurrency)
    report.differences += disagreement(shown)
    return report


async def _counter(client: Client, world: Workload, author: int) -> list[str]:
    author_id = world.author_id(author)
    followers = len(world.followers[author])
    counter = await client.followers_counter(author_id)
    expected: dict[str, Any] = {
        "authorId": author_id,
        "authorUsername": world.username(author),
        "numberOfFollowers": followers,
    }
    differences = _differing(f"followers-counter of {author_id}", counter.status, counter.data, expected)
    profile = await client.author(author_id)
    expected = {
        "username": world.username(author),
        "followers": followers,
        "following": len(world.timeline_authors(author)),
        "cheeps": len(world.posts[author]),
    }
    return differences + _differing(f"author {author_id}", profile.status, profile.data, expected)


def _differing(what: str, status: int, data: Json, expected: Json) -> list[str]:
    if status != httpx.codes.OK:
        return [f"{what}: the response was {status}, {data.get('message')}"]
    return [
        f"{what}: {key} is {data.get(key)!r}, not {value!r}"
        for key, value in expected.items()
        if data.get(key) != value
    ]


async def _timeline(client: Client, world: Workload, author: int) -> tuple[list[str], list[str]]:
    """The ids on an author's timeline, and what is wrong with it."""
    what = f"timeline of {world.author_id(author)}"
    try:
        cheeps = await client.whole_timeline(world.author_id(author))
    except ValueError as error:
        return [], [f"{what}: {error}"]
    ids = [cheep["cheep_id"] for cheep in cheeps]
    expected = {
        post.cheep_id: (world.author_id(followed), world.username(followed), post.message)
        for followed in world.timeline_authors(author)
        for post in world.posts[followed]
    }
    wrong = [f"{what}: {name}" for name in differences_of_sets(ids, set(expected))]
    wrong += [f"{what}: {name}" for name in misplaced(cheeps, accepted_order(world, author))]
    for cheep in cheeps:
        found = (cheep["author_id"], cheep["author_username"], cheep["cheep_message"])
        if found != expected.get(cheep["cheep_id"], found):
            wrong.append(f"{what}: cheep {cheep['cheep_id']} shows {found}, not {expected[cheep['cheep_id']]}")
    return ids, wrong


def accepted_order(world: Workload, author: int) -> dict[str, int]:
    """Return for each cheep on an author's timeline its place among its own author's cheeps."""
    return {
        post.cheep_id: place
        for followed in world.timeline_authors(author)
        for place, post in enumerate(world.posts[followed])
    }


def differences_of_sets(found: list[str], expected: set[str]) -> list[str]:
    """Return a sentence each on missing, unexpected and duplicate ids."""
    seen = set(found)
    missing, extra = sorted(expected - seen), sorted(seen - expected)
    differences = []
    if missing:
        differences.append(f"{len(missing)} of {len(expected)} cheeps are missing, such as {missing[0]}")
    if extra:
        differences.append(f"{len(extra)} cheeps do not belong there, such as {extra[0]}")
    if len(seen) != len(found):
        differences.append(f"{len(found) - len(seen)} cheeps stand there twice")
    return differences


def misplaced(cheeps: list[Json], places: dict[str, int]) -> list[str]:
    """Return a sentence for each date that rises, and each pair of an author's cheeps in the order of acceptance."""
    wrong = [
        f"{older['cheep_id']} stands below {newer['cheep_id']} but has a later date"
        for newer, older in pairwise(cheeps)
        if newer["cheep_date"] < older["cheep_date"]
    ]
    latest: dict[str, Json] = {}
    for cheep in cheeps:
        above = latest.get(cheep["author_id"])
        if above and places.get(above["cheep_id"], 0) < places.get(cheep["cheep_id"], -1):
            wrong.append(f"{cheep['cheep_id']} stands below {above['cheep_id']} but was accepted after it")
        latest[cheep["author_id"]] = cheep
    return wrong


def disagreement(timelines: list[list[str]]) -> list[str]:
    """Return a sentence on cheeps whose order differs between timelines, if any."""
    order: TopologicalSorter[str] = TopologicalSorter()
    for timeline in timelines:
        for newer, older in pairwise(timeline):
            order.add(newer, older)
    try:
        order.prepare()
    except CycleError as error:
        return [f"timelines disagree on the order of {', '.join(error.args[1])}"]
    return []
