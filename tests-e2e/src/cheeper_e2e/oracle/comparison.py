"""The comparison of the views at rest with the write model in SQL, view by view."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Final

from cheeper_e2e.actions.sender import Sender, wait_until_settled
from cheeper_e2e.console import Tick, no_tick
from cheeper_e2e.http.client import Client
from cheeper_e2e.http.parallel import in_parallel
from cheeper_e2e.oracle import authors, blocks, cheeps, commands, notifications, search
from cheeper_e2e.oracle.write_model import WriteModel

ALL: Final = "all authors"
"""The name for differences that belong to no single author."""

FEW: Final = 100
"""Up to this number of requests, a report shows all of them."""

_ASKING_AT_ONCE: Final = 12
_PAUSE_SECONDS: Final = 0.1


async def wait_until_quiescent(  # noqa: PLR0913 - what is waited for, and how long
    client: Client,
    model: WriteModel,
    sender: Sender,
    author_ids: Sequence[str],
    patience: float,
    *,
    tick: Tick = no_tick,
) -> None:
    """Wait until the effects of all that was sent show in all views, those of what process managers sent in turn too.

    `tick` is called after each command that was sent. Raise AssertionError if it takes longer than `patience` seconds.
    """
    deadline = time.monotonic() + patience
    await sender.settle(patience, tick)
    for author_id in author_ids:
        while lacking := notifications.missing(model, author_id) + blocks.missing(model, author_id):
            if time.monotonic() > deadline:
                raise AssertionError("\n".join(lacking))
            await asyncio.sleep(_PAUSE_SECONDS)
    sent = {
        message_id: key
        for author_id in author_ids
        for view in (notifications, blocks)
        for message_id, key in view.commands_for(model, author_id)
    }
    for message_id, key in sent.items():
        client.note_sender(message_id, key)
    await wait_until_settled(client, sent, deadline)


async def differences(  # noqa: PLR0913 - what is compared, and with what
    client: Client,
    model: WriteModel,
    sender: Sender,
    author_ids: Sequence[str],
    *,
    searches: Sequence[str],
    tick: Tick = no_tick,
) -> dict[str, list[str]]:
    """Return where the views differ from the write model at rest: sentences by author, or under ALL.

    Of each author all that is about them, each cheep that was ever asked for, the status of each command sent, and what
    some searches find. `tick` is called after each author.
    """
    found: dict[str, list[str]] = defaultdict(list)

    async def one(author_id: str) -> None:
        for view in (authors, cheeps, notifications):
            found[author_id] += await view.differences(client, model, author_id)
        own = [sent.reply.message_id for sent in sender.sent if sent.action.key == author_id]
        found[author_id] += await commands.differences(client, model, own)
        tick()

    await in_parallel((partial(one, author_id) for author_id in author_ids), _ASKING_AT_ONCE)
    named = {(sent.action.body or {}).get("cheep_id") for sent in sender.sent} - {None}
    found[ALL] += await cheeps.unknown(client, model, sorted(map(str, named)))
    found[ALL] += await search.differences(client, model, searches, author_ids)
    return {name: sentences for name, sentences in found.items() if sentences}


def report(found: dict[str, list[str]], sender: Sender, *, at_most: int = 10) -> str:
    """Return how the first author differs, and the requests as shell lines: all if they are few, else the author's."""
    name, sentences = next(iter(found.items()))
    shown = "\n".join(sentences[:at_most])
    about = "" if name == ALL or sender.requests <= FEW else name
    return f"{len(found)} differ; {name}, {len(sentences)} times:\n{shown}\n\n{sender.story(about)}"
