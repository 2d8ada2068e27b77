"""The JSON Schemas of messages and view documents."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from cheeper_contracts import views
from cheeper_contracts.kafka import codec
from cheeper_contracts.messages import Command, Event

MESSAGES: Final[dict[str, type[Command | Event]]] = {**codec.COMMAND_TYPES, **codec.EVENT_TYPES}
"""Every version of every message that can be read, by its type."""
DOCUMENTS: Final[tuple[type[msgspec.Struct], ...]] = (
    views.AuthorDocument,
    views.FollowDocument,
    views.CheepDocument,
    views.DeletedCheepDocument,
    views.NotificationDocument,
    views.CheepRecord,
    views.CommandRecord,
    views.AcceptedCommand,
)


def schema_of(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the struct's JSON Schema, standing alone."""
    (schema,), components = msgspec.json.schema_components([struct], ref_template="#/$defs/{name}")
    name = schema["$ref"].rsplit("/", 1)[-1]
    own = components.pop(name)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **own,
        **({"$defs": components} if components else {}),
    }
