"""The replay of parked messages, for the command line of dead letters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from cheeper_contracts.kafka.topics import COMMANDS, EVENTS
from cheeper_runtime.traces import tracer
from write_api.bootstrap.command_side import command_side, new_bus, new_dispatcher, sender
from write_api.bus.outcome import ReceivedCommand
from write_api.consumer import process_manager, worker
from write_api.consumer.process_manager import EventDecoder
from write_api.consumer.replay import ParkedMessage, ParkedMessages, Replay, remove_in
from write_api.consumer.traces import traced_decode
from write_api.db.unit_of_work import PostgresTransactions
from write_api.process_managers import PROCESS_MANAGERS
from write_api.settings import Settings


@asynccontextmanager
async def replays(settings: Settings) -> AsyncIterator[dict[str, Replay]]:
    """Yield the replay of each source topic by the topic's name."""
    prefix = settings.topic_prefix
    async with (
        command_side(settings, source=process_manager.SOURCE, accepted=False) as side,
        sender(settings) as send,
    ):
        commands, events = COMMANDS.named(prefix), EVENTS.named(prefix)
        of_events = ParkedMessages(side.engine, [events])
        pass_on = new_dispatcher(settings, side, send).pass_on

        async def handle(parked: ParkedMessage, batch: Sequence[ReceivedCommand]) -> None:
            transactions = PostgresTransactions(side.engine, partial(remove_in, parked=parked), quotas=settings.quotas)
            await new_bus(settings, transactions, side.wake, source=worker.SOURCE, accepted=True).handle(batch)

        async def pass_on_and_remove(parked: ParkedMessage, batch: Sequence[ReceivedCommand]) -> None:
            await pass_on(batch)
            await of_events.remove(parked)

        yield {
            COMMANDS.name: Replay(parked=ParkedMessages(side.engine, [commands]), decode=worker.decode, run=handle),
            EVENTS.name: Replay(
                parked=of_events,
                decode=traced_decode(EventDecoder(PROCESS_MANAGERS, process_manager.SOURCE).decode, tracer()),
                run=pass_on_and_remove,
            ),
        }
