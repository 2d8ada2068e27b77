"""`write-api dead-letters`: see the messages that could not be handled, replay them, drop them.

Those of `cheeper.commands` are the worker's, those of `cheeper.events` the process managers'. Lists are JSON, for
tools too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from cheeper_contracts.topics import COMMANDS, EVENTS
from write_api import bootstrap
from write_api.bus.errors import UnavailableError
from write_api.consumer.parked import ParkedLetter
from write_api.consumer.replay import Replayed, Replays
from write_api.settings import Settings

WHAT_A_DROP_MEANS: Final = (
    "Its command will never be handled, or nothing will follow from its event; later messages of its key that are "
    "parked stay so until they are replayed."
)
_TOPICS: Final = (COMMANDS.name, EVENTS.name)


def add_to(roles: Any) -> None:
    """Add the command to the command line's subparsers."""
    letters = roles.add_parser("dead-letters", help="see, replay or drop what could not be handled")
    acts = letters.add_subparsers(dest="act", required=True)
    listing = acts.add_parser("list", help="print one line of JSON for each parked message")
    show = acts.add_parser("show", help="print all of one")
    again = acts.add_parser("replay", help="handle a key's parked messages in their order, up to what is still poison")
    drop = acts.add_parser("drop", help="remove one parked message for ever")
    for act in (listing, again):
        act.add_argument("--topic", choices=(*_TOPICS, "all"), default="all", help="where they came from")
    for act in (show, drop):
        act.add_argument("id", type=int, metavar="ID", help="as list has it")
    which = again.add_mutually_exclusive_group(required=True)
    which.add_argument("key", nargs="?", metavar="KEY", help="the author whose messages are parked")
    which.add_argument("--all", action="store_true", help="every key that has parked messages")
    drop.add_argument("--yes", action="store_true", help="say that you mean it")


async def run(settings: Settings, options: argparse.Namespace) -> int:
    """Do it; the exit code: 1 where something is still poison, not found, away or not done."""
    acts: dict[str, Callable[[dict[str, Replays], argparse.Namespace], Awaitable[int]]]
    acts = {"list": _list, "show": _show, "replay": _replay, "drop": _drop}
    wanted = getattr(options, "topic", "all")
    async with bootstrap.replays(settings) as found:
        try:
            return await acts[options.act](
                {topic: each for topic, each in found.items() if wanted in {topic, "all"}}, options
            )
        except UnavailableError as error:
            return _refuse(f"{error}. What was done is done; the rest can be done again")


async def _list(found: dict[str, Replays], _options: argparse.Namespace) -> int:
    for topic, replays in found.items():
        for parked in await replays.letters.all():
            _say(msgspec.json.encode(_summary(topic, parked)).decode())
    return 0


async def _show(found: dict[str, Replays], options: argparse.Namespace) -> int:
    for topic, replays in found.items():
        parked = await replays.letters.of_id(options.id)
        if parked is not None:
            message = parked.letter.message
            whole = _summary(topic, parked) | {
                "correlation_id": message.header("ce_correlationid"),
                "stack_digest": parked.letter.stack_digest,
                "headers": [(name, _text(value)) for name, value in message.headers],
                "value": None if message.value is None else _text(message.value),
            }
            _say(msgspec.json.format(msgspec.json.encode(whole), indent=2).decode())
            return 0
    return _refuse(f"no message is parked as {options.id}")


async def _replay(found: dict[str, Replays], options: argparse.Namespace) -> int:
    still_poison = False
    for topic, replays in found.items():
        keys = [options.key]
        if options.all:
            keys = list(dict.fromkeys(parked.key for parked in await replays.letters.all()))
        for key in keys:
            still_poison |= not await _replay_key(topic, replays, key)
    return int(still_poison)


async def _replay_key(topic: str, replays: Replays, key: str | None) -> bool:
    """Whether nothing of the key is parked any more."""
    one = None
    async for one in replays.of_key(key):
        _say(_told(one))
    if one is None:
        _say(f"{topic}: nothing of the key {key} is parked")
        return True
    if one.still is None:
        _say(f"{topic}: the key {key} flows again")
    return one.still is None


async def _drop(found: dict[str, Replays], options: argparse.Namespace) -> int:
    for replays in found.values():
        parked = await replays.letters.of_id(options.id)
        if parked is None:
            continue
        if not options.yes:
            return _refuse(f"nothing is dropped without --yes. {WHAT_A_DROP_MEANS}")
        if await replays.letters.forget(parked):
            _say(f"{options.id} is dropped. {WHAT_A_DROP_MEANS}")
            return 0
    return _refuse(f"no message is parked as {options.id}")


def _summary(topic: str, parked: ParkedLetter) -> dict[str, Any]:
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


def _told(one: Replayed) -> str:
    if one.still is None:
        return f"{one.parked.id} is handled"
    why = f"{one.still.reason}, {one.still.error}"
    return f"{one.parked.id} is still poison, and the key {one.parked.key} waits behind it: {why}"


def _text(value: bytes) -> str:
    return value.decode(errors="backslashreplace")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _refuse(why: str) -> int:
    sys.stderr.write(f"write-api: {why}\n")
    return 1
