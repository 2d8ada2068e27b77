"""The documents of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cheeper_audit.stores.write_model import WriteModel
from cheeper_audit.views.mongo.base import PairsView
from cheeper_contracts import views

_BLOCKS: Final = """
    SELECT b.author_id::text, b.blocked_id::text, b.blocked_at
      FROM blocks AS b WHERE b.author_id = ANY(%s::uuid[])
"""


class Blocks(PairsView):
    """A document a pair, by "<who blocks> <blocked>"; the sweep goes by those who block."""

    collection = views.BLOCKS

    def expected(self, write_model: WriteModel, ids: Sequence[str]) -> dict[str, views.BlockDocument]:
        """Implement MongoView."""
        rows = write_model.rows(_BLOCKS, list(ids))
        return {
            f"{author} {blocked}": views.BlockDocument(
                block_key=f"{author} {blocked}", author_id=author, blocked_id=blocked, blocked_at=at
            )
            for author, blocked, at in rows
        }
