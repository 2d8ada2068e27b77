"""Documents whose ids are no text: they belong to nothing, and no range of ids finds them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cheeper_audit.difference import NOTHING, Difference, Fault, MongoMend
from cheeper_audit.stores.mongo import MongoViews
from cheeper_contracts import views

_COLLECTIONS: Final = {
    collection.name: collection for collection in (views.AUTHORS, views.FOLLOWS, views.CHEEPS, views.NOTIFICATIONS)
}


def strays(mongo: MongoViews) -> list[Difference]:
    """One for each such document."""
    fault = Fault("there", NOTHING)
    return [
        Difference(store="mongo", view=name, id=repr(identifier), faults=(fault,))
        for name, collection in _COLLECTIONS.items()
        for identifier in mongo.with_other_ids(collection)
    ]


def mends(mongo: MongoViews, differences: Iterable[Difference]) -> list[MongoMend]:
    """What takes the documents away."""
    named = {(each.view, each.id) for each in differences}
    return [
        MongoMend(name, identifier, None)
        for name, collection in _COLLECTIONS.items()
        for identifier in mongo.with_other_ids(collection)
        if (name, repr(identifier)) in named
    ]
