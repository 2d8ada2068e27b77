"""`make fuzz`: random commands by concurrent clients, then every view of every author compared with the write model.

Against a stack of its own, or the one that `--url` names; its write model is then at DATABASE_URL. With AUTH=tokens
each request is sent with a token of its author. Exit code 0 where there is no difference, 1 where there is one or a
response was wrong, 2 where it could not be tried.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import psycopg
from rich.console import Console

from cheeper_e2e.actions.random_traffic import RandomTraffic
from cheeper_e2e.console import measured, positive, progress
from cheeper_e2e.http.callers import AUTH, Callers, callers_of
from cheeper_e2e.http.client import Client, UnavailableError
from cheeper_e2e.oracle.comparison import differences, report, wait_until_quiescent
from cheeper_e2e.oracle.write_model import WriteModel
from cheeper_local.errors import LocalError
from cheeper_local.running import RunningStack

WORKING: Final = ("WRITE_API", "READ_API", "WORKER", "PROJECTOR", "PROCESS_MANAGER")
REPLICAS: Final = {f"{role}_REPLICAS": "2" for role in WORKING}


async def fuzz(
    options: argparse.Namespace, url: str, callers: Callers | None, model: WriteModel, console: Console
) -> int:
    """Send the commands, wait, compare, and say what came out. The exit code."""
    seconds: dict[str, float] = {}
    with progress(console) as show:
        phase = partial(measured, show, seconds)
        connections = options.clients * 2
        async with Client(url, patience=options.patience, connections=connections, callers=callers) as client:
            traffic = RandomTraffic(client, options.seed, authors=options.authors)
            try:
                with phase("commands", options.commands) as tick:
                    await traffic.send(options.commands, options.clients, tick=tick)
                with phase("settled", len(traffic.sender.sent)) as tick:
                    await wait_until_quiescent(
                        client, model, traffic.sender, traffic.author_ids, options.patience, tick=tick
                    )
                tag = traffic.scene.tag
                with phase("compared", len(traffic.author_ids)) as tick:
                    found = await differences(
                        client,
                        model,
                        traffic.sender,
                        traffic.author_ids,
                        searches=[tag, f"stras {tag}"],
                        tick=tick,
                    )
            except AssertionError as wrong:
                console.print(f"seed {options.seed}: {wrong}")
                return 1
    outcome = report(found, traffic.sender) if found else "no difference"
    figures = ", ".join(f"{name} {spent:.1f} s" for name, spent in seconds.items())
    console.print(
        f"{traffic.sender.requests:,} commands, {len(traffic.author_ids):,} authors, seed {options.seed}: {figures}"
    )
    console.print(outcome)
    return 1 if found else 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and hand back its exit code."""
    options = _options(arguments)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    try:
        with _stack(options) as (url, database_url, callers), WriteModel(database_url) as model:
            return asyncio.run(fuzz(options, url, callers, model, console))
    except LocalError as error:
        return _refuse(str(error))
    except psycopg.OperationalError:
        return _refuse("The write model at DATABASE_URL cannot be reached.")
    except (httpx.TransportError, UnavailableError) as error:
        return _refuse(f"Nothing responds: {error}")


@contextmanager
def _stack(options: argparse.Namespace) -> Iterator[tuple[str, str, Callers | None]]:
    """The gateway's URL, the database's, and who signs requests. Raises LocalError."""
    if options.url:
        if "DATABASE_URL" not in os.environ:
            raise LocalError("DATABASE_URL must name the write model of the stack at --url.")
        yield options.url, os.environ["DATABASE_URL"], Callers(options.issuer) if options.issuer else None
        return
    with (
        callers_of(os.environ.get(AUTH)) as (callers, settings),
        RunningStack.temporary(environment=REPLICAS | settings) as stack,
    ):
        yield stack.gateway, stack.environment["DATABASE_URL"], callers


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 - what a command line says
    return 2


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cheeper_e2e.actions.fuzz", description=__doc__)
    parser.add_argument("--commands", type=positive, default=20_000, help="how many to send")
    parser.add_argument("--authors", type=positive, default=200, help="about how many authors")
    parser.add_argument("--seed", type=int, default=1, help="draws the commands")
    parser.add_argument("--clients", type=positive, default=20, help="how many send at once")
    parser.add_argument("--patience", type=float, default=300, help="seconds to wait for a system that stands still")
    parser.add_argument("--url", help="the gateway of a stack that runs (default: one of its own)")
    parser.add_argument("--issuer", type=Path, help="the folder of the key whose tokens the stack at --url accepts")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
