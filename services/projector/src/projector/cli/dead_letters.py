"""`projector dead-letters`: list, show, replay and drop the parked messages of the stores.

A parked message's ID is `store:partition:sequence`, such as `redis:3:17`. Messages are printed as JSON.
"""

from __future__ import annotations

import argparse
import re
from contextlib import ExitStack, closing
from typing import Any, Final

from cheeper_contracts.kafka.topics import EVENTS
from cheeper_runtime.dead_letters import cli as dead_letters_cli
from cheeper_runtime.dead_letters.cli import text_of, write, write_json
from cheeper_runtime.traces import tracer
from projector import bootstrap
from projector.cli.options import positive
from projector.consumer.traces import ProjectionTraces, projection_traces
from projector.messages.parked import ParkedMessage
from projector.parked.replay import Replayed, replay
from projector.projections import projection_of
from projector.settings import Settings
from projector.stores.base import ParkedMessages, StoreUnavailableError, UnappliableError
from projector.stores.registry import GenerationError

_ID: Final = re.compile(rf"({'|'.join(bootstrap.STORES)}):([0-9]+:.+)", re.DOTALL)
DROP_WARNING: Final = (
    "The views of this store will not show this message unless they are rebuilt or the audit repairs them. Later "
    "messages of its key stay parked until they are replayed."
)


def add_to(roles: Any) -> None:
    """Add the command to the command line's subparsers."""
    actions = dead_letters_cli.add_to(
        roles,
        summary="list, show, replay or drop the parked messages of the stores",
        id_type=_id,
        id_help="as printed by list, such as redis:3:17",
    )
    for action in (actions.listing, actions.replay):
        action.add_argument("--store", choices=(*bootstrap.STORES, "all"), default="all")
    for action in actions:
        action.add_argument("--generation", type=positive, metavar="N", help="by default the live one")


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Run the command and return the exit code: 1 if something is still poison, not found, unavailable or refused."""
    actions = {"list": _list, "show": _show, "replay": _replay, "drop": _drop}
    names = [options.id[0]] if "id" in options else bootstrap.STORES if options.store == "all" else [options.store]
    with ExitStack() as open_stores:
        try:
            numbers = {name: bootstrap.generation_or_live(settings, name, options.generation) for name in names}
            stores = [
                open_stores.enter_context(closing(bootstrap.backend(settings, name).parked_messages(numbers[name])))
                for name in names
            ]
            return actions[options.action](stores, options, settings)
        except (StoreUnavailableError, UnappliableError, GenerationError) as error:
            return _refuse(str(error))


def _list(stores: list[ParkedMessages], _options: argparse.Namespace, settings: Settings) -> int:
    for store in stores:
        for message in store.all():
            write_json(_summary(store, message, settings))
    return 0


def _show(stores: list[ParkedMessages], options: argparse.Namespace, settings: Settings) -> int:
    message = _find(stores[0], options.id[1])
    if message is None:
        return _refuse(f"{':'.join(options.id)} is not parked")
    whole = _summary(stores[0], message, settings) | {
        "correlation_id": message.correlation_id,
        "stack_digest": message.stack_digest,
        "topic_id": message.topic_id,
        "headers": [(name, text_of(value)) for name, value in message.raw_headers()],
        "value": text_of(message.raw_value()),
    }
    write_json(whole, indent=2)
    return 0


def _replay(stores: list[ParkedMessages], options: argparse.Namespace, settings: Settings) -> int:
    still_poison = False
    for store in stores:
        generation = bootstrap.generation_or_live(settings, store.name, options.generation)
        traces = projection_traces(tracer(), store.name, generation)
        keys = list(dict.fromkeys(message.key for message in store.all())) if options.all else [options.key]
        for key in keys:
            still_poison |= not _replay_key(store, key, traces)
    return int(still_poison)


def _replay_key(store: ParkedMessages, key: str, traces: ProjectionTraces | None) -> bool:
    """Replay a key's messages. Return True if none of them is parked any more."""
    one = None
    for one in replay(store, projection_of(store.name), key, traces=traces):
        write(_outcome(store, one))
    if one is None:
        write(f"{store.name}: no message of the key {key} is parked")
        return True
    if one.error is None:
        write(f"{store.name}: no message of the key {key} is parked any more")
    return one.error is None


def _drop(stores: list[ParkedMessages], options: argparse.Namespace, _settings: Settings) -> int:
    name = ":".join(options.id)
    message = _find(stores[0], options.id[1])
    if message is None:
        return _refuse(f"{name} is not parked")
    if not options.yes:
        return _refuse(f"nothing is dropped without --yes. {DROP_WARNING}")
    if not stores[0].drop(message):
        return _refuse(f"{name} is not parked any more")
    write(f"{name} is dropped. {DROP_WARNING}")
    return 0


def _find(store: ParkedMessages, identifier: str) -> ParkedMessage | None:
    return next((message for message in store.all() if message.id == identifier), None)


def _summary(store: ParkedMessages, message: ParkedMessage, settings: Settings) -> dict[str, Any]:
    # A message that an older projector parked has no topic: there was one only.
    topic = message.source_topic or EVENTS.named(settings.topic_prefix)
    return {
        "id": f"{store.name}:{message.id}",
        "store": store.name,
        "key": message.key,
        "source_topic": topic,
        "partition": message.partition,
        "offset": message.offset,
        "sequence": message.sequence,
        "type": message.type,
        "message_id": message.message_id,
        "behind": message.behind,
        "reason": message.reason,
    }


def _outcome(store: ParkedMessages, one: Replayed) -> str:
    name = f"{store.name}:{one.message.id}"
    if one.error is not None:
        return f"{name} is still poison, and the key {one.message.key} waits behind it: {one.error}"
    readers = sorted({each.reader_id for each in one.left_out})
    return f"{name} is applied" + (f", but not to the broken timelines of {', '.join(readers)}" if readers else "")


def _id(text: str) -> tuple[str, str]:
    found = _ID.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ID such as redis:3:17")
    return found[1], found[2]


def _refuse(reason: str) -> int:
    return dead_letters_cli.refuse("projector", reason)
