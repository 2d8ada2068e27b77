"""The list of the authors whom an author mutes."""

import msgspec
import pytest
from read_api_layout import AT, new_id

from read_api.queries.mutes import Mutes
from read_api.query_bus.query import NotFoundError


async def test_an_entry_has_the_name_of_now_and_the_time(documents, ask):
    """The authors whom an author mutes are listed, newest first, with current names, and no others."""
    author = documents.sign_up()
    first, second = documents.sign_up(username="bob"), documents.sign_up(username="cleo", name="Cleo")
    documents.mute(author, first, at=AT)
    documents.mute(author, second, at=AT + 1_000_000)
    documents.mute(first, author)
    documents.mute(first, second)
    assert msgspec.to_builtins((await ask(Mutes(author_id=author))).data) == {
        "authors": [
            {"author_id": second, "username": "cleo", "name": "Cleo", "muted_at": "2022-03-14T21:08:51+00:00"},
            {"author_id": first, "username": "bob", "name": None, "muted_at": "2022-03-14T21:08:50+00:00"},
        ]
    }


async def test_the_end_of_a_mute_takes_the_author_out(documents, ask):
    """An author who is not muted any more is not listed."""
    author, other = documents.sign_up(), documents.sign_up()
    documents.mute(author, other)
    documents.unmute(author, other)
    assert (await ask(Mutes(author_id=author))).data.authors == []


async def test_an_author_who_has_not_signed_up(documents, ask):
    """An author whom this store does not know yet is left out, and has no list."""
    author, half = documents.sign_up(), new_id()
    documents.mute(author, half)
    assert (await ask(Mutes(author_id=author))).data.authors == []
    with pytest.raises(NotFoundError) as caught:
        await ask(Mutes(author_id=half))
    assert caught.value.code == "author_not_found"
