"""The documents of follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cheeper_audit.stores.write_model import WriteModel
from cheeper_audit.views.mongo.base import PairsView
from cheeper_contracts import views

_FOLLOWS: Final = """
    SELECT f.from_author_id::text, f.to_author_id::text, f.followed_at
      FROM follows AS f WHERE f.from_author_id = ANY(%s::uuid[])
"""


class Follows(PairsView):
    """A document a pair, by "<follower> <followed>"; the sweep goes by followers."""

    collection = views.FOLLOWS

    def expected(self, write_model: WriteModel, ids: Sequence[str]) -> dict[str, views.FollowDocument]:
        """Implement MongoView."""
        rows = write_model.rows(_FOLLOWS, list(ids))
        return {
            f"{follower} {followed}": views.FollowDocument(
                follow_key=f"{follower} {followed}", from_author_id=follower, to_author_id=followed, followed_at=at
            )
            for follower, followed, at in rows
        }
