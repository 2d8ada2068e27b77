"""How far everything is: the relay, each store, and what is between them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from cheeper_audit.difference import StoreName
from cheeper_audit.stores import StoreState
from cheeper_audit.stores.mongo import MongoViews
from cheeper_audit.stores.redis import RedisViews
from cheeper_audit.views.view import Stores
from cheeper_audit.write_model import Relayed


class Standing(msgspec.Struct, frozen=True):
    """Where the write model's snapshot and the stores stand."""

    relayed: Relayed
    stores: dict[StoreName, StoreState]

    @property
    def at_rest(self) -> bool:
        """Whether the views hold all that led to the snapshot's rows, and nothing else."""
        return not self.relayed.waiting and all(
            state.sequences == self.relayed.sequences and not state.tasks for state in self.stores.values()
        )

    def lags(self) -> Iterator[str]:
        """What is behind, one sentence each."""
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


def read(stores: Stores) -> Standing:
    """Where they stand, by the write model's current snapshot. Raises StoreAwayError."""
    return Standing(stores.write_model.relayed(), states(stores))


def states(stores: Stores) -> dict[StoreName, StoreState]:
    """Where the stores of views stand that are audited. Raises StoreAwayError."""
    return {name: views.state() for name, views in _audited(stores).items()}


def parked(stores: Stores) -> dict[StoreName, int]:
    """How many messages are parked in each store that is audited and has any. Raises StoreAwayError."""
    found = {name: views.parked_messages() for name, views in _audited(stores).items()}
    return {name: number for name, number in found.items() if number}


def _audited(stores: Stores) -> dict[StoreName, RedisViews | MongoViews]:
    views: dict[StoreName, RedisViews | MongoViews] = {"redis": stores.redis, "mongo": stores.mongo}
    return {name: views[name] for name in stores.audited}
