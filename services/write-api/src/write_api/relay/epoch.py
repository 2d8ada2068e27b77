"""Accepts a restored database: what it writes from now on comes after all that it held, in a log made anew."""

from __future__ import annotations

import asyncio

import structlog

from write_api.relay.cursor import RelayRefusedError, connect
from write_api.relay.event_log import EventLog

log = structlog.get_logger()


async def raise_epoch(database_url: str, event_log: EventLog) -> None:
    """Make the topic of events anew, raise the epoch, and take the database as it is for the relay's.

    The old log may hold events that this database never had, under the sequences of those to come, so it goes first: a
    failure between the two is mended by running this again.

    Raises RelayRefusedError, KafkaException and psycopg's errors.
    """
    async with connect(database_url) as store:
        if not await store.lock():
            raise RelayRefusedError(
                "a relay is at work on this database: it needs no new epoch, or is to be stopped first"
            )
        cursor, identity = await store.load(), await store.identity()
        if cursor is None or cursor.identity == identity:
            log.info("the epoch stays: this database is the one that was relayed from")
            return
        await store.check_beginning(cursor)  # or else the topic is the only copy of what the outbox has dropped
        await asyncio.to_thread(event_log.remake)
        epoch = await store.raise_epoch(cursor, identity)
        log.warning(
            "the epoch is raised: the relay fills the topic again. The views hold the sequences of another history: "
            "run `projector rebuild --store all --switch --restored`",
            epoch=epoch,
            topic=event_log.name,
        )
