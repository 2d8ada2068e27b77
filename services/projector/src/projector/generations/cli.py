"""`projector generations`, `switch`, `rollback` and `forget`: what is done with generations that stand.

Each says in one line what it did, or in one sentence why not, with exit code 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final

import msgspec

from cheeper_contracts.generations import FIRST
from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views import whole_seconds
from projector import bootstrap
from projector.generations.registry import BehindError, GenerationError, Generations, Registry
from projector.ops.options import positive
from projector.ops.retry import pauses
from projector.settings import Settings
from projector.stores.base import StoreUnavailableError

ROLES: Final = ("generations", "switch", "rollback", "forget")
SWITCH_SECONDS: Final = 10.0
"""How long a switch is tried again while the target lacks what is in flight."""
WHAT_RESTORED_MEANS: Final = (
    "the database was restored and `write-api raise-epoch` run: the log tells another history than the live "
    "generation, so what that one has is not compared, and readers may see it taken back"
)


def add_to(roles: Any) -> None:
    """Adds the commands to the command line's subparsers."""
    listing = roles.add_parser("generations", help="print one line of JSON for each generation of the stores' views")
    listing.add_argument("--store", choices=(*bootstrap.STORES, "all"), default="all")
    switch = roles.add_parser("switch", help="show another generation to readers, in one step")
    rollback = roles.add_parser("rollback", help="show readers the generation that was live before, in one step")
    forget = roles.add_parser("forget", help="remove a generation that is not live, for good")
    for act in (switch, rollback, forget):
        act.add_argument("--store", choices=bootstrap.STORES, required=True)
    for act in (switch, forget):
        act.add_argument("--generation", type=positive, required=True, metavar="N")
    for act in (switch, rollback):
        act.add_argument("--restored", action="store_true", help=WHAT_RESTORED_MEANS)


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Does it; the exit code."""
    acts: dict[str, Callable[[Settings, argparse.Namespace], None]] = {
        "generations": _list,
        "switch": _switch,
        "rollback": _rollback,
        "forget": _forget,
    }
    try:
        acts[options.role](settings, options)
    except (StoreUnavailableError, GenerationError) as error:
        sys.stderr.write(f"projector: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def switch_patiently(
    generations: Generations, number: int, *, restored: bool = False, seconds: float = SWITCH_SECONDS
) -> None:
    """Switches as soon as nothing is lacking. Raises BehindError where that is not within the time, GenerationError,
    and StoreUnavailableError.
    """
    waits, deadline = pauses(), time.monotonic() + seconds
    while True:
        try:
            generations.switch(number, restored=restored)
        except (BehindError, StoreUnavailableError):
            if time.monotonic() > deadline:
                raise
            time.sleep(min(next(waits), 0.2))
        else:
            return


def _list(settings: Settings, options: argparse.Namespace) -> None:
    for name in bootstrap.STORES if options.store == "all" else (options.store,):
        with closing(bootstrap.generations(settings, name)) as generations:
            registry = generations.registry()
        sequences = {number: _sequences(settings, name, number) for number in registry.generations or (FIRST,)}
        furthest = [max(each[partition] for each in sequences.values()) for partition in range(PARTITIONS)]
        for number, reached in sequences.items():
            behind = sum(there - here for there, here in zip(furthest, reached, strict=True))
            _say(msgspec.json.encode(_line(name, registry, number, behind)).decode())


def _line(name: str, registry: Registry, number: int, behind: int) -> dict[str, Any]:
    one = registry.generations.get(number)
    return {
        "store": name,
        "generation": number,
        "version": one.version if one else None,
        "state": one.state if one else "standing",
        "live": number == registry.live,
        "previous": number == registry.previous,
        "made_at": whole_seconds(one.made_at) if one else None,
        "behind": behind,
    }


def _sequences(settings: Settings, name: str, number: int) -> list[int]:
    with closing(bootstrap.store_of(settings, name, number)) as store:
        return [one.sequence for one in store.checkpoints(range(PARTITIONS)).values()]


def _switch(settings: Settings, options: argparse.Namespace) -> None:
    with closing(bootstrap.generations(settings, options.store)) as generations:
        _show(generations, options.generation, restored=options.restored)


def _rollback(settings: Settings, options: argparse.Namespace) -> None:
    with closing(bootstrap.generations(settings, options.store)) as generations:
        previous = generations.registry().previous
        if previous is None:
            raise GenerationError(f"{options.store} has no generation that was live before")
        _show(generations, previous, restored=options.restored)


def _show(generations: Generations, number: int, *, restored: bool) -> None:
    before = generations.registry().live
    switch_patiently(generations, number, restored=restored)
    _say(f"{generations.name}: readers are shown generation {number} from now on, instead of {before}")


def _forget(settings: Settings, options: argparse.Namespace) -> None:
    """Its consumers end by themselves; then its group goes, its views, and at last its place in the registry."""
    name, number = options.store, options.generation
    with closing(bootstrap.generations(settings, name)) as generations:
        generations.forget(number)
        why = bootstrap.delete_group(settings, name, number)
        if why is not None:
            sys.stderr.write(f"projector: its consumer group stays behind, and does no harm: {why}\n")
        for _ in generations.clear(number):
            pass
        generations.remove(number)
    _say(f"{name}: generation {number} is forgotten")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
