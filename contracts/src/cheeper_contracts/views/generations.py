"""Generations: complete sets of one store's views, each filled from the log by its own consumer.

Readers see the one that is *live*; another is built beside it, and switched to in one step. Each store has its own
generations and records itself which of them is live, so that a reader, a switch and the views meet in one place:

- Redis: the hash `registry_key(prefix)`, field `live`; a generation's keys are those of `cheeper_contracts.views` under
  `prefix_of(prefix, number)`.
- MongoDB: the document `REGISTRY_ID` of the collection `REGISTRY` in the first generation's database, field `live`; a
  generation is the database `database_of(database, number)`. Every other generation's database has a document of that
  collection and id too, its *mark*, of which `live` alone counts. A switch is one transaction that writes the new
  `live` to the registry, to the mark of the generation that it leaves and to the mark of the one that it makes live. So
  each look-up sees in its own snapshot whether it reads the live generation. If a mark is missing, the registry is
  read.

The registry holds an entry for each generation: in Redis the JSON in the field `ENTRY` + number, in MongoDB the
field `generations.<number>`. The projector writes the entries, and a switch refuses an entry without `COMPARED_AT`,
which the audit sets once it has found the generation equal to the write model.

A store whose registry is empty has one generation, the first, and it is live.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cheeper_contracts.views import stem

VERSIONS: Final[Mapping[str, int]] = {"redis": 2, "mongo": 3}
"""By store, the version of its views: of the projections that fill them, and of how the store does their writes.

Raised by one with every change of what the views hold, so that the views of the version before are not mixed with it,
nor compared or repaired by code that knows another one: `docs/change-a-projection.md`.
"""

FIRST: Final = 1
"""The first generation has the plain names, without a number."""

LIVE: Final = "live"
"""The field that holds the number of the generation that readers see."""

ENTRY: Final = "generation:"
"""The fields of the Redis registry that hold entries begin with this."""

VERSION: Final = "version"
"""The field of an entry that says which version fills the generation."""

COMPARED_AT: Final = "compared_at"
"""The field of an entry that says when the audit compared the generation, in microseconds since the epoch."""

REGISTRY: Final = "generations"
REGISTRY_ID: Final = "generations"


def prefix_of(prefix: str, number: int) -> str:
    """Return the beginning of the Redis keys of a generation, before the shard tag."""
    return prefix if number == FIRST else f"{prefix}g{number}."


def database_of(database: str, number: int) -> str:
    """Return the MongoDB database of a generation."""
    return database if number == FIRST else f"{database}_g{number}"


def registry_key(prefix: str) -> str:
    """Return the key of the Redis hash that lists the generations; `prefix` is the installation's."""
    return stem(prefix) + REGISTRY
