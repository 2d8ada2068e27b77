"""`projector generations`, `switch`, `rollback` and `forget`.

Each command prints one line when it is done, or one sentence that says why it was refused, with exit code 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final

import msgspec

from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views import whole_seconds
from cheeper_contracts.views.generations import FIRST
from cheeper_runtime.retry import retry_for
from projector import bootstrap
from projector.cli.options import positive
from projector.settings import Settings
from projector.stores.base import StoreUnavailableError
from projector.stores.registry import BehindError, GenerationError, Generations, Registry, State

ROLES: Final = ("generations", "switch", "rollback", "forget")
SWITCH_SECONDS: Final = 10.0
"""A switch is retried for so long while the target lacks what is in flight."""
RESTORED_HELP: Final = (
    "the database was restored and `write-api raise-epoch` run: the log has another history than the live generation, "
    "whose sequences are not compared, and readers may see it taken back"
)


def add_to(roles: Any) -> None:
    """Add the commands to the command line's subparsers."""
    listing = roles.add_parser("generations", help="print one line of JSON for each generation of the stores' views")
    listing.add_argument("--store", choices=(*bootstrap.STORES, "all"), default="all")
    switch = roles.add_parser("switch", help="show another generation to readers, in one step")
    rollback = roles.add_parser("rollback", help="show readers the generation that was live before, in one step")
    forget = roles.add_parser("forget", help="delete a generation that is not live, for good")
    for command in (switch, rollback, forget):
        command.add_argument("--store", choices=bootstrap.STORES, required=True)
    for command in (switch, forget):
        command.add_argument("--generation", type=positive, required=True, metavar="N")
    for command in (switch, rollback):
        command.add_argument("--restored", action="store_true", help=RESTORED_HELP)


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Run the command and return the exit code."""
    commands: dict[str, Callable[[Settings, argparse.Namespace], None]] = {
        "generations": _list,
        "switch": _switch,
        "rollback": _rollback,
        "forget": _forget,
    }
    try:
        commands[options.role](settings, options)
    except (StoreUnavailableError, GenerationError) as error:
        sys.stderr.write(f"projector: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _list(settings: Settings, options: argparse.Namespace) -> None:
    for name in bootstrap.STORES if options.store == "all" else (options.store,):
        with closing(bootstrap.backend(settings, name).generations()) as generations:
            registry = generations.registry()
        sequences = {number: _sequences(settings, name, number) for number in registry.generations or (FIRST,)}
        furthest = [max(each[partition] for each in sequences.values()) for partition in range(PARTITIONS)]
        for number, reached in sequences.items():
            lag = sum(there - here for there, here in zip(furthest, reached, strict=True))
            _print(msgspec.json.encode(_line(name, registry, number, lag)).decode())


def _line(name: str, registry: Registry, number: int, lag: int) -> dict[str, Any]:
    one = registry.generations.get(number)
    return {
        "store": name,
        "generation": number,
        "version": one.version if one else None,
        "state": one.state if one else State.ACTIVE,
        "live": number == registry.live,
        "previous": number == registry.previous,
        "made_at": whole_seconds(one.made_at) if one else None,
        "compared_at": whole_seconds(one.compared_at) if one and one.compared_at else None,
        "lag": lag,
    }


def _sequences(settings: Settings, name: str, number: int) -> list[int]:
    with closing(bootstrap.backend(settings, name).store(number)) as store:
        return [one.sequence for one in store.checkpoints(range(PARTITIONS)).values()]


def _switch(settings: Settings, options: argparse.Namespace) -> None:
    with closing(bootstrap.backend(settings, options.store).generations()) as generations:
        _show(generations, options.generation, restored=options.restored)


def _rollback(settings: Settings, options: argparse.Namespace) -> None:
    with closing(bootstrap.backend(settings, options.store).generations()) as generations:
        previous = generations.registry().previous
        if previous is None:
            raise GenerationError(f"{options.store} has no generation that was live before")
        _show(generations, previous, restored=options.restored)


def _show(generations: Generations, number: int, *, restored: bool) -> None:
    before = generations.registry().live
    retry = retry_for(SWITCH_SECONDS, (BehindError, StoreUnavailableError), longest=0.2)
    retry(generations.switch, number, restored=restored)
    _print(f"{generations.name}: readers are shown generation {number} from now on, instead of {before}")


def _forget(settings: Settings, options: argparse.Namespace) -> None:
    """Delete a generation: its consumers end by themselves, then its group, its views and at last its entry go."""
    name, number = options.store, options.generation
    with closing(bootstrap.backend(settings, name).generations()) as generations:
        generations.forget(number)
        error = bootstrap.delete_group(settings, name, number)
        if error is not None:
            sys.stderr.write(f"projector: its consumer group stays, and does no harm: {error}\n")
        for _ in generations.clear(number):
            pass
        generations.remove(number)
    _print(f"{name}: generation {number} is forgotten")


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
