"""Raising the epoch, after which a restored database is relayed into a new log."""

from __future__ import annotations

import asyncio

import structlog

from write_api.relay.cursor import Connect, RelayRefusedError
from write_api.relay.event_log import EventLog

log = structlog.get_logger()


async def raise_epoch(connect: Connect, event_log: EventLog) -> None:
    """Recreate the topic of events, raise the epoch, and accept the database as the one to relay from.

    The old log may hold events that this database never had, under the sequences of events to come, so it is deleted
    first. If the call fails halfway, call it again. Raise RelayRefusedError, KafkaException or psycopg's errors.
    """
    async with connect() as store:
        if not await store.lock():
            raise RelayRefusedError(
                "a relay is active on this database: either it needs no new epoch, or stop the relay first"
            )
        cursor, identity = await store.load(), await store.identity()
        if cursor is None or cursor.identity == identity:
            log.info("epoch unchanged: this database is the one that was relayed from")
            return
        await store.check_beginning(cursor)  # otherwise the topic is the only copy of what the outbox has dropped
        await asyncio.to_thread(event_log.recreate)
        epoch = await store.raise_epoch(cursor, identity)
        log.warning(
            "epoch raised: the relay fills the topic again. The views hold the sequences of another history: "
            "run `projector rebuild --store all --switch --restored`",
            epoch=epoch,
            topic=event_log.name,
        )
