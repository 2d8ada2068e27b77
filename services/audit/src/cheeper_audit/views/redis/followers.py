"""The followers of an author."""

from __future__ import annotations

from cheeper_audit.views.redis.sorted_sets import AuthorSet
from cheeper_contracts import views


class Followers(AuthorSet):
    """The set of an author's followers, as the follows of the write model say that it must be."""

    pattern = views.FOLLOWERS
    members = """
        SELECT f.to_author_id::text, string_agg(f.from_author_id::text, ' ' ORDER BY f.from_author_id)
          FROM follows AS f WHERE f.to_author_id = ANY(%s::uuid[]) GROUP BY f.to_author_id
    """
