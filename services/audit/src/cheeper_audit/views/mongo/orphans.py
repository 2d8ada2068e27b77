"""Documents whose `_id` is not a string: no view has such documents, and no range of ids finds them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cheeper_audit.difference import NOTHING, Difference, Fault, MongoRepair
from cheeper_audit.stores.mongo import MongoViews
from cheeper_contracts import views

_COLLECTIONS: Final = {
    collection.name: collection for collection in (views.AUTHORS, views.FOLLOWS, views.CHEEPS, views.NOTIFICATIONS)
}


def orphans(mongo: MongoViews) -> list[Difference]:
    """Return a difference for each such document."""
    fault = Fault("there", NOTHING)
    return [
        Difference(store="mongo", view=name, id=repr(identifier), faults=(fault,))
        for name, collection in _COLLECTIONS.items()
        for identifier in mongo.with_other_ids(collection)
    ]


def repairs(mongo: MongoViews, differences: Iterable[Difference]) -> list[MongoRepair]:
    """Return the repairs that delete the documents."""
    named = {(each.view, each.id) for each in differences}
    return [
        MongoRepair(name, identifier, None)
        for name, collection in _COLLECTIONS.items()
        for identifier in mongo.with_other_ids(collection)
        if (name, repr(identifier)) in named
    ]
