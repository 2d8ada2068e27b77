"""The sets of those who mute an author."""

from __future__ import annotations

from cheeper_audit.views.redis.sorted_sets import AuthorSet
from cheeper_contracts import views


class Muters(AuthorSet):
    """By the author who is muted."""

    pattern = views.MUTERS
    members = """
        SELECT m.muted_id::text, string_agg(m.author_id::text, ' ' ORDER BY m.author_id)
          FROM mutes AS m WHERE m.muted_id = ANY(%s::uuid[]) GROUP BY m.muted_id
    """
