"""E-mail addresses are unique by another form: an IDN and its punycode are one, and ß is not ss.

Revision ID: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from write_api.domain import values
from write_api.domain.values import Email

revision = "0008"
down_revision = "0007"

_OF_OTHER_LETTERS = sa.text(
    "SELECT author_id, email, email_unique_form FROM authors WHERE octet_length(email) <> length(email)"
)
_FREE_FORM = sa.text(
    """
    UPDATE authors SET email_unique_form = :form WHERE author_id = :author_id
    AND NOT EXISTS (SELECT FROM authors AS other WHERE other.email_unique_form = :form)
    """
)


def upgrade() -> None:
    """Give each address its form anew, which for ASCII is what it was.

    Two authors who have one address in two spellings keep it both: the second one keeps the form of before, until it
    changes its address. A form that another author is about to leave is free in the next round.
    """
    connection = op.get_bind()
    to_change = {
        row.author_id: form
        for row in connection.execute(_OF_OTHER_LETTERS)
        if (form := values.unique_form(Email(row.email))) != row.email_unique_form
    }
    while changed := [
        author_id
        for author_id, form in to_change.items()
        if connection.execute(_FREE_FORM, {"author_id": author_id, "form": form}).rowcount
    ]:
        for author_id in changed:
            del to_change[author_id]
