"""The command line: `projector run`, `tasks`, `status`, `dead-letters`, and what is done with generations."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from threading import Event as Flag
from typing import Final

import msgspec
import structlog

from projector import bootstrap
from projector.consumer.loop import Consumer
from projector.consumer.step_limit import Limit
from projector.fan_out import tasks
from projector.generations import cli as generations_cli
from projector.generations import rebuild_cli
from projector.generations.registry import ForgottenError, GenerationError
from projector.generations.supervisor import GenerationSupervisor, every_active, only
from projector.ops import health, logs
from projector.ops.metrics import Metrics
from projector.ops.options import positive
from projector.parked import cli as dead_letters_cli
from projector.projections import VERSIONS
from projector.settings import SettingError, Settings, from_env
from projector.stores.base import Status, Store, StoreUnavailableError

log = structlog.get_logger()

WHICH_GENERATION: Final = "this one alone; by default all active ones, or the live one with --limit"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a process of this service; exits with 0 when stopped or done, 1 after a failure, 2 on bad settings."""
    options = _parser().parse_args(arguments)
    try:
        settings = from_env(os.environ)
    except SettingError as error:
        sys.stderr.write(f"projector: {error}\n")
        sys.exit(2)
    if options.role == "status":
        sys.exit(status(settings, options.generation))
    if options.role == "dead-letters":
        sys.exit(dead_letters_cli.run(settings, options))
    if options.role in generations_cli.ROLES:
        sys.exit(generations_cli.run(settings, options))
    if options.role in rebuild_cli.ROLES:
        sys.exit(rebuild_cli.run(settings, options))
    logs.configure(options.role, settings.log_format, settings.log_level)
    sys.exit(serve(settings, options))


def serve(settings: Settings, options: argparse.Namespace) -> int:
    """Runs the role until a signal, its limit or a failure; the exit code."""
    stop, found = Flag(), health.Health()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    metrics = bootstrap.metrics(settings, stop)
    try:
        server = health.serve(found, settings.host, settings.port, metrics.text)
    except OSError as error:
        log.error("cannot listen", host=settings.host, port=settings.port, why=error.strerror)  # noqa: TRY400 - no defect
        return 1
    log.info("started", host=settings.host, port=server.server_port)
    try:
        whole = _run(settings, options, found, stop, metrics)
    finally:
        server.shutdown()
    log.info("stopped")
    return 0 if whole else 1


def status(settings: Settings, generation: int | None) -> int:
    """Prints how far each store is and what waits in it, as JSON; the exit code."""
    found: dict[str, Status] = {}
    try:
        for name in bootstrap.STORES:
            number = bootstrap.generation_or_live(settings, name, generation)
            with closing(bootstrap.backend(settings, name).store(number)) as store:
                found[name] = store.status()
    except (StoreUnavailableError, GenerationError) as error:
        sys.stderr.write(f"projector: {error}\n")
        return 1
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    return 0


def _run(settings: Settings, options: argparse.Namespace, found: health.Health, stop: Flag, metrics: Metrics) -> bool:
    """Whether all ended well."""
    stepping = options.limit is not None
    names = bootstrap.STORES if options.store == "all" else (options.store,)
    if options.role == "tasks":
        names = tuple(name for name in names if bootstrap.backend(settings, name).has_tasks)
    if options.role == "run":
        for name in names:
            metrics.expect(name)

    def start(name: str, number: int, health: health.Health, stop: Flag) -> Callable[[], None]:
        if options.role == "tasks":
            store = bootstrap.backend(settings, name).store(number)
            return partial(_serve_tasks, store, health, Limit(options.limit), stop)
        consumer = bootstrap.consumer_of(
            settings,
            name,
            number,
            health=health,
            stop=stop,
            limit=options.limit,
            with_tasks=not options.no_tasks,
            metrics=metrics,
        )
        return partial(_consume, consumer, metrics)

    supervisor = GenerationSupervisor(
        [bootstrap.backend(settings, name).generations() for name in names],
        versions=VERSIONS,
        choose=only(options.generation) if stepping or options.generation is not None else every_active,
        start=start,
        health=found,
        stop=stop,
        once=stepping,
    )
    if options.role == "run" and not stepping:
        for name in names:
            if acceptance := bootstrap.acceptance(settings, name, health=found, stop=stop):
                supervisor.beside("commands", acceptance.run)
    return supervisor.run()


def _consume(consumer: Consumer, metrics: Metrics) -> None:
    try:
        consumer.run()
    except ForgottenError:
        metrics.forget(consumer.progress)
        raise


def _serve_tasks(store: Store, health: health.Health, limit: Limit, stop: Flag) -> None:
    with closing(store):
        if store.tasks is not None:
            tasks.run(store.tasks, health, limit, stop)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="projector", description="From the event log to the views.")
    roles = parser.add_subparsers(dest="role", required=True)
    run = roles.add_parser("run", help="apply the log to the stores, and serve fan-out tasks in between")
    run.add_argument("--store", choices=(*bootstrap.STORES, "all"), default="all")
    run.add_argument("--limit", type=positive, help="stop after so many domain messages in each store")
    run.add_argument("--no-tasks", action="store_true", help="leave fan-out tasks to `projector tasks`")
    run.add_argument("--generation", type=positive, help=WHICH_GENERATION)
    slices = roles.add_parser("tasks", help="serve fan-out tasks only")
    slices.add_argument("--limit", type=positive, help="stop after so many slices")
    slices.add_argument("--generation", type=positive, help=WHICH_GENERATION)
    slices.set_defaults(store="all")
    state = roles.add_parser(
        "status", help="print checkpoints, waiting tasks and parked messages of each store as JSON"
    )
    state.add_argument("--generation", type=positive, help="of each store, instead of the live one")
    dead_letters_cli.add_to(roles)
    generations_cli.add_to(roles)
    rebuild_cli.add_to(roles)
    return parser
