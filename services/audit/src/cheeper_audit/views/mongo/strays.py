"""Documents whose ids are no text: they belong to nothing, and no range of ids finds them."""

from __future__ import annotations

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


def mend(mongo: MongoViews, difference: Difference) -> MongoMend:
    """What takes the document away."""
    ids = mongo.with_other_ids(_COLLECTIONS[difference.view])
    identifier = next((each for each in ids if repr(each) == difference.id), None)
    return MongoMend(difference.view, identifier, None)
