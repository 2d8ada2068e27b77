"""The sets of the authors whom an author mutes."""

from __future__ import annotations

from cheeper_audit.views.redis.sorted_sets import AuthorSet
from cheeper_contracts import views


class Muted(AuthorSet):
    """By the author who mutes."""

    pattern = views.MUTED
    members = """
        SELECT m.author_id::text, string_agg(m.muted_id::text, ' ' ORDER BY m.muted_id)
          FROM mutes AS m WHERE m.author_id = ANY(%s::uuid[]) GROUP BY m.author_id
    """
