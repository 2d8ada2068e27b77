"""Keys that belong to no author and no cheep, or to nothing at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from cheeper_audit.difference import NOTHING, Difference, Fault, RedisRepair, is_uuid
from cheeper_audit.stores.redis import RedisViews
from cheeper_audit.stores.write_model import Table, WriteModel
from cheeper_contracts import views
from cheeper_contracts.views.generations import REGISTRY
from cheeper_contracts.views.lag import LAG

NAME: Final = "orphan"

_OWNED_BY: Final[dict[str, Table]] = {
    views.AUTHOR_COUNTERS.name: "authors",
    views.FOLLOWERS.name: "authors",
    views.FOLLOWING.name: "authors",
    views.MUTERS.name: "authors",
    views.MUTED.name: "authors",
    views.CHEEP_RECORD.name: "cheeps",
    views.AUTHOR_CHEEPS.name: "authors",
    views.TIMELINE.name: "authors",
    views.TIMELINE_FLOOR.name: "authors",
    views.TASKS.name: "authors",
    views.REFILL.name: "authors",
}
_NOT_AUDITED: Final = ({pattern.name for pattern in views.KEY_PATTERNS} | {REGISTRY, LAG}) - _OWNED_BY.keys()


def orphans(write_model: WriteModel, redis: RedisViews, keys: Mapping[str, bytes]) -> list[Difference]:
    """Return a difference for each of these keys that exists and should not. `keys` are by name without the stem.

    An author or a cheep is in the write model before it is in any view, and stays, so one snapshot after the keys were
    found decides.
    """
    owned: dict[Table, dict[str, list[str]]] = {"authors": {}, "cheeps": {}}
    unowned = []
    for name in keys:
        pattern, _, owner = name.partition(":")
        if pattern in _OWNED_BY and is_uuid(owner):
            owned[_OWNED_BY[pattern]].setdefault(owner, []).append(name)
        elif pattern not in _NOT_AUDITED:
            unowned.append(name)
    for table, by_owner in owned.items():
        for owner in by_owner.keys() - write_model.known(table, list(by_owner)):
            unowned += by_owner[owner]
    fault = Fault("there", NOTHING)
    there = redis.execute(("EXISTS", keys[name]) for name in sorted(unowned))
    return [
        Difference(store="redis", view=NAME, id=name, faults=(fault,))
        for name, found in zip(sorted(unowned), there, strict=True)
        if found
    ]


def repairs(keys: Iterable[bytes]) -> list[RedisRepair]:
    """Return the repairs that delete the keys."""
    return [RedisRepair((key,), (("UNLINK", key),)) for key in keys]
