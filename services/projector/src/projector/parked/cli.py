"""`projector dead-letters`: see what is parked, replay it, drop it.

A parked message's ID is `store:partition:sequence`, such as `redis:3:17`. Lists and messages are JSON, for tools too.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from contextlib import ExitStack, closing
from typing import Any, Final

import msgspec

from cheeper_contracts.topics import EVENTS
from projector import bootstrap
from projector.generations.registry import GenerationError
from projector.ops.options import positive
from projector.parked.message import ParkedMessage
from projector.parked.replay import Replayed, replay
from projector.projections import projection_of
from projector.settings import Settings
from projector.stores.base import LeftOut, ParkedMessages, StoreUnavailableError, UnappliableError

_ID: Final = re.compile(r"(redis|mongo):([0-9]+:.+)", re.DOTALL)
WHAT_A_DROP_MEANS: Final = (
    "The views of this store will never show this message, unless they are rebuilt or the audit repairs them; later "
    "messages of its key that are parked stay so until they are replayed."
)


def add_to(roles: Any) -> None:
    """Adds the command to the command line's subparsers."""
    letters = roles.add_parser("dead-letters", help="see, replay or drop what the stores have set aside as poison")
    acts = letters.add_subparsers(dest="act", required=True)
    listing = acts.add_parser("list", help="print one line of JSON for each parked message")
    show = acts.add_parser("show", help="print all of one")
    again = acts.add_parser("replay", help="apply a key's parked messages in their order, up to what is still poison")
    drop = acts.add_parser("drop", help="remove one parked message for ever")
    for act in (listing, again):
        act.add_argument("--store", choices=(*bootstrap.STORES, "all"), default="all")
    for act in (listing, show, again, drop):
        act.add_argument("--generation", type=positive, metavar="N", help="by default the one that readers are shown")
    for act in (show, drop):
        act.add_argument("id", type=_id, metavar="ID", help="as list has it, such as redis:3:17")
    which = again.add_mutually_exclusive_group(required=True)
    which.add_argument("key", nargs="?", metavar="KEY", help="the author whose messages are parked")
    which.add_argument("--all", action="store_true", help="every key that has parked messages")
    drop.add_argument("--yes", action="store_true", help="say that you mean it")


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Does it; the exit code: 1 where something is still poison, not found, away or not done."""
    acts = {"list": _list, "show": _show, "replay": _replay, "drop": _drop}
    names = [options.id[0]] if "id" in options else bootstrap.STORES if options.store == "all" else [options.store]
    with ExitStack() as open_stores:
        try:
            numbers = {name: bootstrap.generation_or_live(settings, name, options.generation) for name in names}
            stores = [
                open_stores.enter_context(closing(bootstrap.backend(settings, name).parked_messages(numbers[name])))
                for name in names
            ]
            return acts[options.act](stores, options, settings)
        except (StoreUnavailableError, UnappliableError, GenerationError) as error:
            return _refuse(str(error))


def _list(stores: list[ParkedMessages], _options: argparse.Namespace, settings: Settings) -> int:
    for store in stores:
        for message in store.all():
            _say(msgspec.json.encode(_summary(store, message, settings)).decode())
    return 0


def _show(stores: list[ParkedMessages], options: argparse.Namespace, settings: Settings) -> int:
    message = _find(stores[0], options.id[1])
    if message is None:
        return _refuse(f"{':'.join(options.id)} is not parked")
    whole = _summary(stores[0], message, settings) | {
        "correlation_id": message.correlation_id,
        "stack_digest": message.stack_digest,
        "topic_id": message.topic_id,
        "headers": [(name, _text(value)) for name, value in message.raw_headers()],
        "value": _text(message.raw_value()),
    }
    _say(msgspec.json.format(msgspec.json.encode(whole), indent=2).decode())
    return 0


def _replay(stores: list[ParkedMessages], options: argparse.Namespace, _settings: Settings) -> int:
    still_poison = False
    for store in stores:
        keys = list(dict.fromkeys(message.key for message in store.all())) if options.all else [options.key]
        for key in keys:
            still_poison |= not _replay_key(store, key)
    return int(still_poison)


def _replay_key(store: ParkedMessages, key: str) -> bool:
    """Whether nothing of the key is parked any more."""
    one = None
    for one in replay(store, projection_of(store.name), key):
        _say(_told(store, one))
    if one is None:
        _say(f"{store.name}: nothing of the key {key} is parked")
        return True
    if one.why_not is None:
        _say(f"{store.name}: the key {key} flows again")
    return one.why_not is None


def _drop(stores: list[ParkedMessages], options: argparse.Namespace, _settings: Settings) -> int:
    name = ":".join(options.id)
    message = _find(stores[0], options.id[1])
    if message is None:
        return _refuse(f"{name} is not parked")
    if not options.yes:
        return _refuse(f"nothing is dropped without --yes. {WHAT_A_DROP_MEANS}")
    if not stores[0].drop(message):
        return _refuse(f"{name} is not parked any more")
    _say(f"{name} is dropped. {WHAT_A_DROP_MEANS}")
    return 0


def _find(store: ParkedMessages, place: str) -> ParkedMessage | None:
    return next((message for message in store.all() if message.place == place), None)


def _summary(store: ParkedMessages, message: ParkedMessage, settings: Settings) -> dict[str, Any]:
    # An older projector did not say where it read: there was but one topic.
    topic = message.source_topic or EVENTS.named(settings.topic_prefix)
    return {
        "id": f"{store.name}:{message.place}",
        "store": store.name,
        "key": message.key,
        "source_topic": topic,
        "partition": message.partition,
        "offset": message.offset,
        "sequence": message.sequence,
        "type": message.type,
        "message_id": message.message_id,
        "behind": message.behind,
        "why": message.why,
    }


def _told(store: ParkedMessages, one: Replayed) -> str:
    name = f"{store.name}:{one.message.place}"
    if one.why_not is not None:
        return f"{name} is still poison, and the key {one.message.key} waits behind it: {one.why_not}"
    return f"{name} is applied{_without(one.left_out)}"


def _without(left_out: Iterable[LeftOut]) -> str:
    readers = sorted({one.reader_id for one in left_out})
    return f", but not to the broken timelines of {', '.join(readers)}" if readers else ""


def _text(value: bytes) -> str:
    return value.decode(errors="backslashreplace")


def _id(text: str) -> tuple[str, str]:
    found = _ID.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no ID such as redis:3:17")
    return found[1], found[2]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _refuse(why: str) -> int:
    sys.stderr.write(f"projector: {why}\n")
    return 1
