"""The views that are audited, by what their ids are: a sweep goes once over each table's ids."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from cheeper_audit.difference import StoreName
from cheeper_audit.stores.write_model import Table
from cheeper_audit.views.mongo.authors import Authors
from cheeper_audit.views.mongo.blocks import Blocks
from cheeper_audit.views.mongo.cheeps import Cheeps
from cheeper_audit.views.mongo.follows import Follows
from cheeper_audit.views.mongo.mutes import Mutes
from cheeper_audit.views.mongo.notifications import Notifications
from cheeper_audit.views.redis.author_cheeps import AuthorCheeps
from cheeper_audit.views.redis.author_counters import AuthorCounters
from cheeper_audit.views.redis.cheep_records import CheepRecords
from cheeper_audit.views.redis.followers import Followers
from cheeper_audit.views.redis.following import Following
from cheeper_audit.views.redis.muted import Muted
from cheeper_audit.views.redis.muters import Muters
from cheeper_audit.views.redis.timelines import Timelines
from cheeper_audit.views.view import View


class Sweep(msgspec.Struct, frozen=True):
    """The views of a table's ids, and how many ids are compared in one chunk: some megabytes of timelines at most."""

    table: Table
    chunk: int
    views: tuple[View, ...]

    def of(self, audited: Collection[StoreName]) -> tuple[View, ...]:
        """Return the views of these stores."""
        return tuple(view for view in self.views if view.store in audited)


SWEEPS: Final = (
    Sweep(
        "authors",
        200,
        (
            AuthorCounters(),
            Followers(),
            Following(),
            Muters(),
            Muted(),
            AuthorCheeps(),
            Timelines(),
            Authors(),
            Follows(),
            Mutes(),
            Blocks(),
        ),
    ),
    Sweep("cheeps", 1_000, (CheepRecords(), Cheeps())),
    Sweep("notifications", 2_000, (Notifications(),)),
)
