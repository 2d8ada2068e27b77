"""The command line: `projector run`, `projector tasks`, `projector status`, `projector dead-letters`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from threading import Event as Flag
from threading import Thread

import msgspec
import structlog

from projector import bootstrap, dead_letters_cli, health, logs, tasks
from projector.consumer import TooMuchPoisonError
from projector.limits import Limit
from projector.metrics import Metrics
from projector.settings import SettingError, Settings, from_env
from projector.stores import Status, Store, StoreAwayError

log = structlog.get_logger()

DRAIN_SECONDS = 9.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a process of this service; exits with 0 when stopped or done, 1 after a failure, 2 on bad settings."""
    options = _parser().parse_args(arguments)
    try:
        settings = from_env(os.environ)
    except SettingError as error:
        sys.stderr.write(f"projector: {error}\n")
        sys.exit(2)
    if options.role == "status":
        sys.exit(status(settings))
    if options.role == "dead-letters":
        sys.exit(dead_letters_cli.run(settings, options))
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


def status(settings: Settings) -> int:
    """Prints how far each store is and what waits in it, as JSON; the exit code."""
    stores: list[Store] = [bootstrap.redis_store(settings), bootstrap.mongo_store(settings)]
    try:
        found: dict[str, Status] = {store.name: store.status() for store in stores}
    except StoreAwayError as error:
        sys.stderr.write(f"projector: {error}\n")
        return 1
    finally:
        for store in stores:
            store.close()
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    return 0


def _run(settings: Settings, options: argparse.Namespace, found: health.Health, stop: Flag, metrics: Metrics) -> bool:
    """Whether all ended well."""
    if options.role == "tasks":
        found.expect("redis")
        with closing(bootstrap.redis_store(settings)) as store:
            tasks.run(store, found, Limit(options.limit), stop)
        return True
    names = bootstrap.STORES if options.store == "all" else (options.store,)
    consumers = bootstrap.consumers(
        settings, names, health=found, stop=stop, limit=options.limit, with_tasks=not options.no_tasks, metrics=metrics
    )
    running: dict[str, Callable[[], None]] = {
        name: consumer.run for name, consumer in zip(names, consumers, strict=True)
    }
    if "redis" in names and options.limit is None:
        running["commands"] = bootstrap.acceptance(settings, health=found, stop=stop).run
    return _run_all(running, found, stop, stay=options.limit is None)


def _run_all(running: Mapping[str, Callable[[], None]], found: health.Health, stop: Flag, *, stay: bool) -> bool:
    """A thread for each of them. When one fails, all stop: the runner starts the process again.

    Too much poison ends one consumer alone, and the process stays with `stay`, its readiness saying why: a process that
    ended would be started again, to meet the same messages, and would hold up the other store.
    """
    failed, poisoned = Flag(), Flag()

    def guard(name: str, run: Callable[[], None]) -> None:
        try:
            run()
        except TooMuchPoisonError as error:
            found.say(f"{name}_views", str(error))
            log.error("stopped: see to the cause and start it again", store=name, why=str(error))  # noqa: TRY400 - no defect
            poisoned.set()
        except Exception:
            log.exception("failed: the process ends", store=name)
            failed.set()
            stop.set()

    threads = [Thread(target=guard, args=(name, run), name=name, daemon=True) for name, run in running.items()]
    for thread in threads:
        thread.start()
    while not stop.is_set() and any(thread.is_alive() for thread in threads):
        stop.wait(0.1)
    if stay and poisoned.is_set():
        stop.wait()
    deadline = time.monotonic() + DRAIN_SECONDS
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
        if thread.is_alive():
            log.error("did not stop in time", store=thread.name)
            failed.set()
    return not failed.is_set() and not poisoned.is_set()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="projector", description="From the event log to the views.")
    roles = parser.add_subparsers(dest="role", required=True)
    run = roles.add_parser("run", help="apply the log to the stores, and serve fan-out tasks in between")
    run.add_argument("--store", choices=("redis", "mongo", "all"), default="all")
    run.add_argument("--limit", type=_positive, help="stop after so many domain messages in each store")
    run.add_argument("--no-tasks", action="store_true", help="leave fan-out tasks to `projector tasks`")
    slices = roles.add_parser("tasks", help="serve fan-out tasks only")
    slices.add_argument("--limit", type=_positive, help="stop after so many slices")
    roles.add_parser("status", help="print checkpoints, waiting tasks and parked messages of each store as JSON")
    dead_letters_cli.add_to(roles)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
