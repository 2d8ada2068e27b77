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
from threading import Thread
from typing import Final, NamedTuple

import msgspec
import structlog

from cheeper_contracts.views.generations import VERSIONS
from cheeper_runtime import logs
from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.settings import SettingError
from cheeper_runtime.traces import tracer, tracing
from projector import bootstrap
from projector.cli import access as access_cli
from projector.cli import dead_letters as dead_letters_cli
from projector.cli import generations as generations_cli
from projector.cli import rebuild as rebuild_cli
from projector.cli.options import SILENT, positive
from projector.consumer.step_limit import StepLimit
from projector.fan_out import tasks
from projector.fan_out.traces import task_traces
from projector.generations.supervisor import GenerationSupervisor, every_active, only
from projector.kafka.log_end import LogEndHistory, follow
from projector.ops import health
from projector.ops.lag_reports import report
from projector.ops.metrics import Metrics, count_backlog
from projector.settings import Settings, from_env
from projector.stores.base import Status, StoreUnavailableError
from projector.stores.registry import ForgottenError, GenerationError

log = structlog.get_logger()

WHICH_GENERATION: Final = "this one alone; by default all active ones, or the live one with --limit"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a process of this service. Exit with 0 when stopped or done, 1 after a failure, 2 on bad settings."""
    options = _parser().parse_args(arguments)
    try:
        settings = from_env(os.environ)
    except SettingError as error:
        sys.stderr.write(f"projector: {error}\n")
        sys.exit(2)
    if options.role == "status":
        sys.exit(status(settings, options.generation))
    if options.role == "dead-letters":
        # Its results are its output. Parked messages may be of any age.
        logs.configure("projector dead-letters", settings.log_format, "error", silent=SILENT)
        with tracing("projector-dead-letters", os.environ, history=True):
            sys.exit(dead_letters_cli.run(settings, options))
    if options.role in access_cli.ROLES:
        sys.exit(access_cli.run(settings, options))
    if options.role in generations_cli.ROLES:
        sys.exit(generations_cli.run(settings, options))
    if options.role in rebuild_cli.ROLES:
        sys.exit(rebuild_cli.run(settings, options))
    with tracing(f"projector-{options.role}", os.environ) as traces:
        context = None if traces is None else traces.log_context
        logs.configure(
            f"projector {options.role}", settings.log_format, settings.log_level, silent=SILENT, context=context
        )
        sys.exit(serve(settings, options))


def serve(settings: Settings, options: argparse.Namespace) -> int:
    """Run the role until a signal, its limit or a failure. Return the exit code."""
    stop, readiness = Flag(), Readiness()
    metrics = Metrics(LogEndHistory(), readiness)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        server = health.server(readiness, settings.host, settings.port, metrics.page)
    except OSError as error:
        log.error("cannot listen", host=settings.host, port=settings.port, reason=error.strerror)  # noqa: TRY400 - no defect
        return 1
    _start_thread("health", server.serve_forever)
    log.info("started", host=settings.host, port=server.server_port)
    try:
        succeeded = _run(settings, options, readiness, stop, metrics)
    finally:
        server.shutdown()
    log.info("stopped")
    return 0 if succeeded else 1


def status(settings: Settings, generation: int | None) -> int:
    """Print each store's checkpoints and a count of what waits in it, as JSON. Return the exit code."""
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


def _run(settings: Settings, options: argparse.Namespace, readiness: Readiness, stop: Flag, metrics: Metrics) -> bool:
    stepping = options.limit is not None
    names = bootstrap.STORES if options.store == "all" else (options.store,)
    role = _Role(settings, options, metrics)
    if options.role == "tasks":
        names = tuple(name for name in names if bootstrap.backend(settings, name).has_tasks)
    else:
        for name in names:
            metrics.expect(name)
        _start_thread("log-end", partial(follow, metrics.ends, bootstrap.log_end(settings), stop))
    supervisor = GenerationSupervisor(
        [bootstrap.backend(settings, name).generations() for name in names],
        versions=VERSIONS,
        choose=only(options.generation) if stepping or options.generation is not None else every_active,
        start=role.tasks if options.role == "tasks" else role.consumer,
        readiness=readiness,
        stop=stop,
        once=stepping,
    )
    if options.role == "run" and not stepping:
        for name in names:
            commands = bootstrap.accepted_commands(settings, name, readiness=readiness.part("commands"), stop=stop)
            if commands is not None:
                supervisor.beside("commands", commands.run)
    return supervisor.run()


class _Role(NamedTuple):
    """Makes the work of a generation's thread."""

    settings: Settings
    options: argparse.Namespace
    metrics: Metrics

    def consumer(self, name: str, number: int, readiness: Readiness, stop: Flag) -> Callable[[], None]:
        with_tasks, limit = not self.options.no_tasks, self.options.limit
        consumer = bootstrap.consumer(
            self.settings, name, number, readiness=readiness, stop=stop, limit=limit, with_tasks=with_tasks
        )
        lag_reports = bootstrap.backend(self.settings, name).lag_reports()

        def run() -> None:
            self.metrics.add(consumer.progress)
            _start_thread(f"backlog {name}", partial(count_backlog, consumer.progress, consumer.store.backlog, stop))
            _start_thread(f"lag {name}", partial(report, consumer.progress, self.metrics.ends, lag_reports, stop))
            try:
                consumer.run()
            except ForgottenError:
                stop.set()
                self.metrics.remove(consumer.progress)
                raise

        return run

    def tasks(self, name: str, number: int, readiness: Readiness, stop: Flag) -> Callable[[], None]:
        store = bootstrap.backend(self.settings, name).store(number)

        def run() -> None:
            with closing(store):
                if store.tasks is not None:
                    tasks.run(store.tasks, readiness, StepLimit(self.options.limit), stop, task_traces(tracer(), name))

        return run


def _start_thread(name: str, run: Callable[[], None]) -> None:
    Thread(target=run, name=name, daemon=True).start()


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
    access_cli.add_to(roles)
    generations_cli.add_to(roles)
    rebuild_cli.add_to(roles)
    return parser
