"""`write-api dead-letters`: list, show, replay and drop the messages that are parked.

Those of `cheeper.commands` belong to the worker, those of `cheeper.events` to the process managers. Lists are JSON, so
that programs can read them.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from cheeper_contracts.kafka.topics import COMMANDS, EVENTS
from cheeper_runtime.dead_letters import cli as dead_letters_cli
from cheeper_runtime.dead_letters.cli import text_of, write, write_json
from write_api.bus.errors import UnavailableError
from write_api.consumer.replay import ParkedMessage, Replay, Replayed

CONSEQUENCE_OF_A_DROP: Final = (
    "Its command will never be handled, or nothing will follow from its event; later messages of its key that are "
    "parked stay so until they are replayed."
)
_TOPICS: Final = (COMMANDS.name, EVENTS.name)


def add_to(roles: Any) -> None:
    """Add the command to the subparsers of the command line."""
    actions = dead_letters_cli.add_to(
        roles,
        summary="list, show, replay or drop the messages that could not be handled",
        id_type=int,
        id_help="the id that `list` prints",
    )
    for action in (actions.listing, actions.replay):
        action.add_argument("--topic", choices=(*_TOPICS, "all"), default="all", help="the topic that they came from")


async def run(replays: Mapping[str, Replay], options: argparse.Namespace) -> int:
    """Run the action on the replays of the topics, by the topic's name. Return the exit code: 1 if a message is still
    poison or not found, or nothing was done.
    """
    actions: dict[str, Callable[[Mapping[str, Replay], argparse.Namespace], Awaitable[int]]]
    actions = {"list": _list, "show": _show, "replay": _replay, "drop": _drop}
    topic = getattr(options, "topic", "all")
    wanted = {name: replay for name, replay in replays.items() if topic in {name, "all"}}
    try:
        return await actions[options.action](wanted, options)
    except UnavailableError as error:
        return _refuse(f"{error}. Run the command again: what was done is not repeated")


async def _list(replays: Mapping[str, Replay], _options: argparse.Namespace) -> int:
    for topic, replay in replays.items():
        for parked in await replay.parked.all():
            write_json(_summary(topic, parked))
    return 0


async def _show(replays: Mapping[str, Replay], options: argparse.Namespace) -> int:
    for topic, replay in replays.items():
        parked = await replay.parked.of_id(options.id)
        if parked is not None:
            message = parked.letter.message
            full = _summary(topic, parked) | {
                "correlation_id": message.header("ce_correlationid"),
                "stack_digest": parked.letter.stack_digest,
                "headers": [(name, text_of(value)) for name, value in message.headers],
                "value": None if message.value is None else text_of(message.value),
            }
            write_json(full, indent=2)
            return 0
    return _refuse(f"no message is parked as {options.id}")


async def _replay(replays: Mapping[str, Replay], options: argparse.Namespace) -> int:
    still_poison = False
    for topic, replay in replays.items():
        keys = [options.key]
        if options.all:
            keys = list(dict.fromkeys(parked.key for parked in await replay.parked.all()))
        for key in keys:
            still_poison |= not await _replay_key(topic, replay, key)
    return int(still_poison)


async def _replay_key(topic: str, replay: Replay, key: str | None) -> bool:
    """Replay a key's messages. Return False if one is still poison."""
    last = None
    async for last in replay.of_key(key):
        write(_sentence(last))
    if last is None:
        write(f"{topic}: no message of the key {key} is parked")
        return True
    if last.poison is None:
        write(f"{topic}: the key {key} is no longer parked")
    return last.poison is None


async def _drop(replays: Mapping[str, Replay], options: argparse.Namespace) -> int:
    for replay in replays.values():
        parked = await replay.parked.of_id(options.id)
        if parked is None:
            continue
        if not options.yes:
            return _refuse(f"nothing is dropped without --yes. {CONSEQUENCE_OF_A_DROP}")
        if await replay.parked.remove(parked):
            write(f"{options.id} is dropped. {CONSEQUENCE_OF_A_DROP}")
            return 0
    return _refuse(f"no message is parked as {options.id}")


def _summary(topic: str, parked: ParkedMessage) -> dict[str, Any]:
    letter, message = parked.letter, parked.letter.message
    return {
        "id": parked.id,
        "source_topic": topic,
        "key": message.key,
        "partition": message.partition,
        "offset": message.offset,
        "type": message.header("ce_type"),
        "message_id": message.header("ce_id"),
        "parked_at": parked.parked_at,
        "reason": letter.reason,
        "error": letter.error,
    }


def _sentence(result: Replayed) -> str:
    if result.poison is None:
        return f"{result.parked.id} is handled"
    error = f"{result.poison.reason}, {result.poison.error}"
    return f"{result.parked.id} is still poison, and the key {result.parked.key} waits behind it: {error}"


def _refuse(reason: str) -> int:
    return dead_letters_cli.refuse("write-api", reason)
