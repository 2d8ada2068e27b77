"""Profiles, counts, and the words by which authors are found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cheeper_audit.stores.write_model import WriteModel
from cheeper_audit.views.mongo.base import MongoView
from cheeper_contracts import views
from cheeper_contracts.words import words_of

_PROFILES: Final = """
    SELECT a.author_id::text, a.username, a.name, a.bio, a.location, a.website, to_char(a.birth_date, 'YYYY-MM-DD'),
           a.signed_up_at, a.read_notified_at, a.read_notification_id::text,
           (SELECT count(*) FROM follows AS f WHERE f.to_author_id = a.author_id),
           (SELECT count(*) FROM follows AS f WHERE f.from_author_id = a.author_id),
           (SELECT count(*) FROM cheeps AS c WHERE c.author_id = a.author_id AND c.deleted_at IS NULL)
      FROM authors AS a WHERE a.author_id = ANY(%s::uuid[])
"""


class Authors(MongoView):
    """A document an author."""

    collection = views.AUTHORS

    def expected(self, write_model: WriteModel, ids: Sequence[str]) -> dict[str, views.AuthorDocument]:
        """Implement MongoView."""
        documents = {}
        for author_id, username, name, *profile, followers, following, cheeps in write_model.rows(_PROFILES, list(ids)):
            bio, location, website, birth_date, signed_up_at, read_until, read_until_id = profile
            documents[author_id] = views.AuthorDocument(
                author_id=author_id,
                username=username,
                username_folded=username.lower(),
                name=name,
                bio=bio,
                location=location,
                website=website,
                birth_date=birth_date,
                signed_up_at=signed_up_at,
                words=words_of(username, name),
                followers=followers,
                following=following,
                cheeps=cheeps,
                read_until=read_until,
                read_until_id=read_until_id,
            )
        return documents
