"""The list of the authors whom an author blocks."""

import msgspec
import pytest
from read_api_layout import AT, new_id

from read_api.queries.blocks import Blocks
from read_api.query_bus.query import NotFoundError


async def test_an_entry_has_the_name_of_now_and_the_time(documents, ask):
    """The authors whom an author blocks are listed, newest first, with current names, and no others."""
    author = documents.sign_up()
    first, second = documents.sign_up(username="bob"), documents.sign_up(username="cleo", name="Cleo")
    documents.block(author, first, at=AT)
    documents.block(author, second, at=AT + 1_000_000)
    documents.block(first, author)
    documents.block(first, second)
    assert msgspec.to_builtins((await ask(Blocks(author_id=author))).data) == {
        "authors": [
            {"author_id": second, "username": "cleo", "name": "Cleo", "blocked_at": "2022-03-14T21:08:51+00:00"},
            {"author_id": first, "username": "bob", "name": None, "blocked_at": "2022-03-14T21:08:50+00:00"},
        ]
    }


async def test_the_end_of_a_block_takes_the_author_out(documents, ask):
    """An author who is not blocked any more is not listed."""
    author, other = documents.sign_up(), documents.sign_up()
    documents.block(author, other)
    documents.unblock(author, other)
    assert (await ask(Blocks(author_id=author))).data.authors == []


async def test_an_author_who_has_not_signed_up(documents, ask):
    """An author whom this store does not know yet is left out, and has no list."""
    author, half = documents.sign_up(), new_id()
    documents.block(author, half)
    assert (await ask(Blocks(author_id=author))).data.authors == []
    with pytest.raises(NotFoundError) as caught:
        await ask(Blocks(author_id=half))
    assert caught.value.code == "author_not_found"
