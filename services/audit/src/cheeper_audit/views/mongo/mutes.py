"""The documents of mutes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cheeper_audit.stores.write_model import WriteModel
from cheeper_audit.views.mongo.base import PairsView
from cheeper_contracts import views

_MUTES: Final = """
    SELECT m.author_id::text, m.muted_id::text, m.muted_at
      FROM mutes AS m WHERE m.author_id = ANY(%s::uuid[])
"""


class Mutes(PairsView):
    """A document a pair, by "<who mutes> <muted>"; the sweep goes by those who mute."""

    collection = views.MUTES

    def expected(self, write_model: WriteModel, ids: Sequence[str]) -> dict[str, views.MuteDocument]:
        """Implement MongoView."""
        rows = write_model.rows(_MUTES, list(ids))
        return {
            f"{author} {muted}": views.MuteDocument(
                mute_key=f"{author} {muted}", author_id=author, muted_id=muted, muted_at=at
            )
            for author, muted, at in rows
        }
