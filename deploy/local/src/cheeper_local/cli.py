"""`cheeper`: the local stack from a terminal. The Makefile's targets are these commands."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from cheeper_local import settings as local_settings
from cheeper_local.errors import LocalError
from cheeper_local.runner import roles
from cheeper_local.runner.greeting import FIRST_WORDS
from cheeper_local.runner.run import log_of_background, run
from cheeper_local.running import RunningStack
from cheeper_local.servers import Mongo, Postgres, Redis, Server, choose_broker
from cheeper_local.settings import Settings
from cheeper_local.stack_folder import StackFolder

_STORES: tuple[type[Server], ...] = (Postgres, Redis, Mongo)


def main() -> None:
    """Run one command; its exit code is 1 where a sentence on stderr says what is wrong."""
    options = _parser().parse_args()
    try:
        options.run(local_settings.from_env(os.environ), options)
    except LocalError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename or 'The system'}: {error.strerror}.")


def _up(settings: Settings, options: argparse.Namespace) -> None:
    run(settings, quiet=options.quiet)


def _start(settings: Settings, _: argparse.Namespace) -> None:
    RunningStack.start_in_background(settings.data)
    text = log_of_background(settings.data).read_text()
    print(text[text.index(FIRST_WORDS) :], end="")
    print("It runs in the background: `make status` tells how it is, `make stop` ends it.")


def _stop(settings: Settings, _: argparse.Namespace) -> None:
    if not StackFolder(settings.data).is_in_use(by_anything=True):
        print(f"No stack runs from {settings.data}.")
        return
    RunningStack(StackFolder(settings.data)).stop()


def _deps(settings: Settings, _: argparse.Namespace) -> None:
    choice = choose_broker(settings.broker)
    folder = StackFolder(settings.data)
    folder.make()
    for kind in (*_STORES, choice.broker):
        print(f"{kind.name:<9} {kind(settings.data / kind.name, 1).origin}")
    print(f"gateway   {roles.caddy().origin}")
    print(f"The broker is {choice.broker.__name__}: {choice.why}.")


def _infrastructure(settings: Settings, _: argparse.Namespace) -> None:
    if StackFolder(settings.data).read_state() is None:
        _remove_data(settings)
        print("No stack runs; its data was removed, and the next start makes every store and topic anew.")
        return
    RunningStack.of(settings.data).infrastructure()
    print("Every store and topic is empty.")


def _clean(settings: Settings, _: argparse.Namespace) -> None:
    if StackFolder(settings.data).is_in_use(by_anything=True):
        raise LocalError(f"A stack runs from {settings.data}: `make stop` first.")
    _remove_data(settings)


def _remove_data(settings: Settings) -> None:
    for folder in {Postgres(settings.data / Postgres.name, 1).data.parent, settings.data}:
        if folder.exists():
            shutil.rmtree(folder)


def _status(settings: Settings, _: argparse.Namespace) -> None:
    stack = RunningStack.of(settings.data)
    state = stack.state
    print(f"{state['state']}: {state['gateway']}, data in {state['data']}, logs in {state['logs']}")
    for name, server in state["servers"].items():
        print(f"  {name:<12} {server['address']:<16} {_pid(server['pid'])}")
    for name, process in state["processes"].items():
        again = f", started again {process['restarts']} times" if process["restarts"] else ""
        print(f"  {name:<12} {'127.0.0.1:' + str(process['port']):<16} {_pid(process['pid'])}{again}")
    print("The views against the write model, and what is between them:", flush=True)
    print(_lag(stack), end="")


def _lag(stack: RunningStack) -> str:
    """What the audit's one look says. It asks the stores, so that it is right whatever process is down."""
    command = [sys.executable, "-m", "cheeper_audit", "--lag"]
    environment = {**os.environ, **stack.environment}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return "".join(f"  {line}\n" for line in (told.stdout or told.stderr).splitlines())


def _pid(pid: int | None) -> str:
    return "down" if pid is None else f"pid {pid}"


def _url(settings: Settings, _: argparse.Namespace) -> None:
    print(RunningStack.of(settings.data).gateway)


def _exec(settings: Settings, options: argparse.Namespace) -> None:
    stack = RunningStack.of(settings.data)
    os.execvpe(options.program, [options.program, *options.arguments], {**os.environ, **stack.environment})  # noqa: S606 - what was asked for


def _kill(settings: Settings, options: argparse.Namespace) -> None:
    for pid in RunningStack.of(settings.data).kill(options.process):
        print(f"killed {pid}")


def _server(settings: Settings, options: argparse.Namespace) -> None:
    RunningStack.of(settings.data).server(options.server, options.action)


Command = Callable[[Settings, argparse.Namespace], None]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cheeper", description=f"Cheeper as plain processes, from {Path.cwd()}.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, command: Command, what: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=what)
        added.set_defaults(run=command)
        return added

    up = add("up", _up, "start the stack and show its lines until Ctrl-C")
    up.add_argument("--quiet", action="store_true", help="show the runner's own lines alone")
    add("start", _start, "start the stack in the background and return when it is ready")
    add("stop", _stop, "stop the stack that runs")
    add("status", _status, "say what runs where, and how late the views are")
    add("url", _url, "print the gateway's URL of the stack that runs")
    within = add("exec", _exec, "run a program with the settings of the stack that runs in its environment")
    within.add_argument("program")
    within.add_argument("arguments", nargs=argparse.REMAINDER)
    add("deps", _deps, "get what is missing and say which servers there are, without starting them")
    add("infrastructure", _infrastructure, "empty every store and topic")
    add("clean", _clean, "remove all data")
    add("kill", _kill, "kill -9 a process; it is started again").add_argument("process")
    server = add("server", _server, "stop, kill, wipe, start, save or restore one server of the stack that runs")
    server.add_argument("action", choices=["stop", "kill", "wipe", "start", "save", "restore"])
    server.add_argument("server")
    return parser
