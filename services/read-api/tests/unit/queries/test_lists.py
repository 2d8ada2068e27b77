"""Walking any list in MongoDB by cursor."""

import pytest
from read_api_lists import LISTS, laid, walk


@LISTS
@pytest.mark.parametrize("size", [1, 3, 20, 100])
async def test_walking_gives_every_entry_once_in_full_pages(documents, ask, kind, size):
    """By cursor all entries come once, in order of time and id, in pages that are full but for the last."""
    made = laid(kind, documents, 20)
    pages = await walk(ask, made, size)
    assert [entry for page in pages for entry in page] == made.whole()
    assert all(len(page) == size for page in pages[:-1])
    assert pages[-1]
