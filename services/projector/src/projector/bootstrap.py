"""Builds the parts of a process: no other module builds clients, stores or consumers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Event as Flag
from typing import Final

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from cheeper_contracts.kafka.groups import PROJECTOR, consumer_group
from cheeper_contracts.kafka.topics import COMMANDS, DEAD_LETTERS, EVENTS, Topic
from cheeper_contracts.views.generations import FIRST
from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.traces import tracer
from projector.access import LIMITS
from projector.consumer.loop import Consumer
from projector.consumer.progress import Progress
from projector.consumer.rate import Rate
from projector.consumer.step_limit import StepLimit
from projector.consumer.traces import projection_traces
from projector.fan_out.tasks import FanOutTasks
from projector.fan_out.traces import task_traces
from projector.kafka import groups
from projector.kafka.accepted_commands import AcceptedCommandsConsumer
from projector.kafka.assignment import Assignment
from projector.kafka.consumer_settings import consumer_settings
from projector.kafka.dead_letter_topic import DeadLetters
from projector.kafka.log_end import LogEnd
from projector.kafka.topic import TopicWatch
from projector.projections import projection_of
from projector.settings import Settings
from projector.stores.backend import Backend
from projector.stores.mongo.backend import MongoBackend
from projector.stores.redis.access import limits_acl_file
from projector.stores.redis.backend import RedisBackend
from projector.stores.registry import GenerationError

BACKENDS: Final[Mapping[str, Callable[[Settings], Backend]]] = {"redis": RedisBackend, "mongo": MongoBackend}
STORES: Final = tuple(BACKENDS)
_LEAVING_SECONDS: Final = 15.0


def backend(settings: Settings, name: str) -> Backend:
    """Return what makes the adapters of the named store."""
    return BACKENDS[name](settings)


def generation_or_live(settings: Settings, name: str, number: int | None) -> int:
    """Return that generation's number, by default the live one's. Raise GenerationError and StoreUnavailableError."""
    with closing(backend(settings, name).generations()) as generations:
        registry = generations.registry()
    wanted = registry.live if number is None else number
    if not registry.has(wanted):
        raise GenerationError(f"{name} has no generation {wanted}")
    return wanted


def consumer(  # noqa: PLR0913 - the options of the command line
    settings: Settings,
    name: str,
    number: int,
    *,
    readiness: Readiness,
    stop: Flag,
    limit: int | None = None,
    with_tasks: bool = True,
    rate: Rate | None = None,
) -> Consumer:
    """Make the consumer of a generation of the named store, which serves the store's tasks too if wanted."""
    store = backend(settings, name).store(number)
    progress = Progress(name, number)
    tasks = None
    if with_tasks and store.tasks is not None:
        durations = progress.counts.tasks
        tasks = FanOutTasks(store.tasks, traces=task_traces(tracer(), name), durations=durations)
    return Consumer(
        store=store,
        project=projection_of(name),
        assignment=_assignment(settings, EVENTS, group_of(name, number)),
        dead_letters=DeadLetters(Producer(_broker(settings)), DEAD_LETTERS.named(settings.topic_prefix)),
        readiness=readiness,
        stop=stop,
        limit=StepLimit(limit),
        progress=progress,
        tasks=tasks,
        rate=rate,
        traces=projection_traces(tracer(), name, number),
    )


def accepted_commands(
    settings: Settings, name: str, *, readiness: Readiness, stop: Flag
) -> AcceptedCommandsConsumer | None:
    """Make the consumer of the commands' headers, or return None if the named store keeps no accepted commands."""
    accepted = backend(settings, name).accepted_commands()
    if accepted is None:
        return None
    commands = _assignment(settings, COMMANDS, "commands")
    return AcceptedCommandsConsumer(accepted=accepted, commands=commands, readiness=readiness, stop=stop)


def log_end(settings: Settings) -> LogEnd:
    """Make what reads the end of the event log."""
    return LogEnd(partial(AdminClient, _broker(settings)), EVENTS.named(settings.topic_prefix))


def users(settings: Settings, server: str, passwords: Path) -> str:
    """Make the users of a store, or of the server of limits. Return the text of the file that this server reads."""
    return limits_acl_file(passwords) if server == LIMITS else backend(settings, server).users(passwords)


def delete_group(settings: Settings, name: str, number: int) -> str | None:
    """Delete the consumer group of a generation. Return the reason if it still exists."""
    return groups.delete(AdminClient(_broker(settings)), _group(settings, group_of(name, number)), _LEAVING_SECONDS)


def group_of(name: str, number: int) -> str:
    """Return the name of a generation's consumer group, without the prefix that all of the projector's have."""
    return name if number == FIRST else f"{name}.g{number}"


def _group(settings: Settings, group: str) -> str:
    return consumer_group(PROJECTOR + group, settings.topic_prefix)


def _assignment(settings: Settings, topic: Topic, group: str) -> Assignment:
    name = topic.named(settings.topic_prefix)
    return Assignment(
        consumer_settings(settings.kafka, _group(settings, group)),
        name,
        TopicWatch(partial(AdminClient, _broker(settings)), name),
    )


def _broker(settings: Settings) -> dict[str, str | int | float | bool]:
    return {**settings.kafka.client_settings(), "log_level": 0}
