"""`cheeper`: the local stack from a terminal. The Makefile's targets are these commands."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from cheeper_local import settings as local_settings
from cheeper_local.errors import LocalError
from cheeper_local.runner import contents, roles
from cheeper_local.runner.greeting import FIRST_WORDS
from cheeper_local.runner.run import log_of_background, run
from cheeper_local.running import RunningStack
from cheeper_local.servers import Mongo, Postgres, Redis, Server, choose_broker
from cheeper_local.settings import Settings
from cheeper_local.stack_folder import StackFolder
from cheeper_local.system.profile import flame_graph
from cheeper_local.text import counted, size

_STORES: tuple[type[Server], ...] = (Postgres, Redis, Mongo)


def main() -> None:
    """Run one command. The exit code is 1 after an error, with a sentence on stderr."""
    options = _parser().parse_args()
    try:
        options.run(local_settings.from_env(os.environ), options)
        sys.stdout.flush()
    except LocalError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:  # the reader has seen enough (`make status | head`), which is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        sys.exit(f"{error.filename or 'The system'}: {error.strerror}.")


def _up(settings: Settings, options: argparse.Namespace) -> None:
    run(settings, quiet=options.quiet)


def _start(settings: Settings, _: argparse.Namespace) -> None:
    RunningStack.start_in_background(settings.data)
    text = log_of_background(settings.data).read_text()
    print(text[text.index(FIRST_WORDS) :], end="")
    print("It runs in the background: `make status` shows its state, `make stop` stops it.")


def _stop(settings: Settings, _: argparse.Namespace) -> None:
    folder = StackFolder(settings.data)
    if not folder.is_in_use(by_anything=True):
        print(f"No stack runs from {settings.data}.")
        return
    RunningStack(folder).stop()
    print(f"Stopped the stack of {settings.data}; its data stays.")


def _deps(settings: Settings, _: argparse.Namespace) -> None:
    choice = choose_broker(settings.broker)
    folder = StackFolder(settings.data)
    folder.make()
    for kind in (*_STORES, choice.broker):
        print(f"{kind.name:<9} {kind(settings.data / kind.name, 1).origin}")
    print(f"gateway   {roles.caddy().origin}")
    print(f"The broker is {choice.broker.__name__}: {choice.reason}.")


def _empty(settings: Settings, options: argparse.Namespace) -> None:
    if StackFolder(settings.data).read_state() is None:
        for folder in _data_folders(settings):
            print(f"  {folder}: {size(_bytes_in(folder))}")
        if _confirm(f"Delete all data of the stopped stack of {settings.data}?", yes=options.yes):
            _clean(settings, options)
        return
    stack = RunningStack.of(settings.data)
    for server, content in contents.count_all(stack.environment).items():
        print(f"  {server:<10} {content}")
    if _confirm(f"Delete all of it from the running stack {stack.gateway}?", yes=options.yes):
        stack.empty()
        print("Every store and topic is empty, and every process has restarted.")


def _confirm(question: str, *, yes: bool) -> bool:
    """Return True if the answer is yes. Raises LocalError without a terminal that could be asked."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise LocalError("Nothing was deleted: without a terminal for the question, say YES=1.")
    confirmed = input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
    if not confirmed:
        print("Nothing was deleted.")
    return confirmed


def _clean(settings: Settings, _: argparse.Namespace) -> None:
    if StackFolder(settings.data).is_in_use(by_anything=True):
        raise LocalError(f"A stack runs from {settings.data}: `make stop` first.")
    folders = _data_folders(settings)
    for folder in folders:
        content = size(_bytes_in(folder))
        shutil.rmtree(folder)
        print(f"Deleted {folder} ({content}).")
    if not folders:
        print(f"There is no data in {settings.data}.")


def _data_folders(settings: Settings) -> list[Path]:
    """Return the folders that hold data: PostgreSQL's may be another than the rest's."""
    if not settings.data.exists():
        return []
    postgres = Postgres(settings.data / Postgres.name, 1).data.parent
    inside = postgres.is_relative_to(settings.data)
    return [settings.data] if inside or not postgres.exists() else [postgres, settings.data]


def _bytes_in(folder: Path) -> int:
    return sum(each.lstat().st_size for each in folder.rglob("*") if each.is_file())


def _status(settings: Settings, _: argparse.Namespace) -> None:
    try:
        stack = RunningStack.of(settings.data)
    except LocalError as none_runs:
        print(none_runs)
        return
    state = stack.state
    print(f"{state['state']}: {state['gateway']}, data in {state['data']}, logs in {state['logs']}")
    for name, server in state["servers"].items():
        print(f"  {name:<15} {server['address']:<15} {_pid(server['pid'])}")
    for name, process in state["processes"].items():
        restarts = f", restarted {counted(process['restarts'], 'time')}" if process["restarts"] else ""
        print(f"  {name:<15} {'127.0.0.1:' + str(process['port']):<15} {_pid(process['pid'])}{restarts}")
    print("The views against the write model, and what is between them:", flush=True)
    print(_lag(stack), end="")


def _lag(stack: RunningStack) -> str:
    """Return the audit's lag report. It reads the stores, so that it is right whatever process is down."""
    command = [sys.executable, "-m", "cheeper_audit", "--lag"]
    environment = {**os.environ, **stack.environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return "".join(f"  {line}\n" for line in (done.stdout or done.stderr).splitlines())


def _pid(pid: int | None) -> str:
    return "stopped" if pid is None else f"pid {pid}"


def _url(settings: Settings, _: argparse.Namespace) -> None:
    print(RunningStack.of(settings.data).gateway)


def _exec(settings: Settings, options: argparse.Namespace) -> None:
    stack = RunningStack.of(settings.data)
    os.execvpe(options.program, [options.program, *options.arguments], {**os.environ, **stack.environment})  # noqa: S606 - the user's own command


def _kill(settings: Settings, options: argparse.Namespace) -> None:
    for pid in RunningStack.of(settings.data).kill(options.process):
        print(f"killed {pid}")


def _profile(settings: Settings, options: argparse.Namespace) -> None:
    processes = RunningStack.of(settings.data).processes()
    chosen = {
        name: each["pid"] for name, each in processes.items() if options.process in (name, each["role"]) and each["pid"]
    }
    if not chosen:
        raise LocalError(f"There is no running process {options.process!r}; the processes are {', '.join(processes)}.")
    for name, pid in chosen.items():
        file = settings.data / "profiles" / f"{name}.svg"
        print(f"{name}, pid {pid}, for {options.seconds} s …", flush=True)
        flame_graph(pid, options.seconds, file)
        print(f"  {file}")


def _server(settings: Settings, options: argparse.Namespace) -> None:
    RunningStack.of(settings.data).server(options.server, options.action)


Command = Callable[[Settings, argparse.Namespace], None]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cheeper", description=f"Cheeper as plain processes, from {Path.cwd()}.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, command: Command, description: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=description)
        added.set_defaults(run=command)
        return added

    up = add("up", _up, "start the stack and show its log until Ctrl-C")
    up.add_argument("--quiet", action="store_true", help="show the runner's own lines alone")
    add("start", _start, "start the stack in the background and return when it is ready")
    add("stop", _stop, "stop the running stack")
    add("status", _status, "show what runs where, and the lag of the views")
    add("url", _url, "print the gateway's URL of the running stack")
    within = add("exec", _exec, "run a program with the settings of the running stack in its environment")
    within.add_argument("program")
    within.add_argument("arguments", nargs=argparse.REMAINDER)
    add("deps", _deps, "fetch missing servers and list them, without starting them")
    empty = add("empty", _empty, "delete the content of every store and topic, after a question")
    empty.add_argument("--yes", action="store_true", help="skip the question")
    add("clean", _clean, "delete all data of a stopped stack")
    add("kill", _kill, "kill -9 a process; it is restarted").add_argument("process")
    profile = add("profile", _profile, "write a flame graph of a running process, or of each one of a role")
    profile.add_argument("process")
    profile.add_argument("--seconds", type=int, default=30)
    server = add("server", _server, "stop, kill, wipe, start, save or restore one server of the running stack")
    server.add_argument("action", choices=["stop", "kill", "wipe", "start", "save", "restore"])
    server.add_argument("server")
    return parser
