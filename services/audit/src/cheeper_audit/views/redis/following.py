"""The authors that an author follows."""

from __future__ import annotations

from cheeper_audit.views.redis.sorted_sets import AuthorSet
from cheeper_contracts import views


class Following(AuthorSet):
    """By the follower."""

    pattern = views.FOLLOWING
    members = """
        SELECT f.from_author_id::text, string_agg(f.to_author_id::text, ' ' ORDER BY f.to_author_id)
          FROM follows AS f WHERE f.from_author_id = ANY(%s::uuid[]) GROUP BY f.from_author_id
    """
