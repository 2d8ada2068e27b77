"""The checkpoints of the relay and of each store, and the lag between them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from cheeper_audit.difference import StoreName
from cheeper_audit.stores import OtherVersionError, StoreState
from cheeper_audit.stores.mongo import MongoViews
from cheeper_audit.stores.redis import RedisViews
from cheeper_audit.stores.write_model import Relayed
from cheeper_audit.views.view import Stores
from cheeper_contracts.views.generations import VERSIONS


class Checkpoints(msgspec.Struct, frozen=True):
    """The checkpoints of the relay, in the write model's snapshot, and of the stores."""

    relayed: Relayed
    stores: dict[StoreName, StoreState]

    @property
    def at_rest(self) -> bool:
        """True if the views have the effects of all that led to the snapshot's rows, and no others."""
        return not self.relayed.waiting and all(
            state.sequences == self.relayed.sequences and not state.tasks for state in self.stores.values()
        )

    def lags(self) -> Iterator[str]:
        """Yield a sentence about each lag."""
        if self.relayed.waiting:
            yield f"relay: {self.relayed.waiting:,} messages wait in the outbox, for {self.relayed.seconds:.1f} s"
        for store, state in self.stores.items():
            for partition, sequence in state.sequences.items():
                sent = self.relayed.sequences[partition]
                if sequence != sent:
                    apart = f"{abs(sent - sequence):,} {'behind' if sequence < sent else 'ahead of the relay'}"
                    yield f"{store} partition {partition}: {apart}, at {sequence:,} of {sent:,}"
            if state.tasks:
                yield f"{store}: fan-out tasks wait, {state.tasks:,} in turn"


def read(stores: Stores) -> Checkpoints:
    """Return the checkpoints, by the write model's current snapshot. Raise as `states` does."""
    return Checkpoints(stores.write_model.relayed(), states(stores))


def states(stores: Stores) -> dict[StoreName, StoreState]:
    """Return the states of the audited stores. Raise StoreUnavailableError, and OtherVersionError if what the audit
    expects, and would repair, is not what the projector of these views writes.
    """
    found = {name: views.state() for name, views in _audited(stores).items()}
    for name, state in found.items():
        refuse_other_version(name, state)
    return found


def parked(stores: Stores) -> dict[StoreName, int]:
    """Return the numbers of parked messages of the audited stores that have any. Raise StoreUnavailableError."""
    found = {name: views.parked_messages() for name, views in _audited(stores).items()}
    return {name: number for name, number in found.items() if number}


def refuse_other_version(name: StoreName, state: StoreState) -> None:
    """Raise OtherVersionError unless the views have the version that this code knows, or are empty."""
    ours = VERSIONS[name]
    if state.version == ours or (state.version is None and not any(state.sequences.values())):
        return
    theirs = "an unknown version" if state.version is None else f"version {state.version}"
    raise OtherVersionError(
        f"{name} generation {state.generation} is of {theirs}, and this audit compares and repairs version {ours} "
        f"alone: use the audit of the release that fills it, or run `projector rebuild --store {name}` and audit the "
        f"generation that it makes, with `--store {name} --generation`"
    )


def _audited(stores: Stores) -> dict[StoreName, RedisViews | MongoViews]:
    views: dict[StoreName, RedisViews | MongoViews] = {"redis": stores.redis, "mongo": stores.mongo}
    return {name: views[name] for name in stores.audited}
