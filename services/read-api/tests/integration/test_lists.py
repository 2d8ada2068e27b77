"""Walking any list in MongoDB by cursor, while others write."""

import threading

import pytest
from read_api_lists import LISTS, laid, walk

from cheeper_local.testing import until


@pytest.mark.variants
@LISTS
async def test_walking_beside_a_writer(documents, ask, kind):
    """While a writer adds and removes entries, what was there throughout comes once, nothing twice, in full pages."""
    made = laid(kind, documents, 24)
    initial, ended, changes = set(made.entries), threading.Event(), 0

    def write():
        nonlocal changes
        while not ended.is_set():
            made.change()
            changes += 1

    def between():
        before = changes
        until(lambda: changes > before)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        pages = await walk(ask, made, 3, between)
    finally:
        ended.set()
        writer.join()
    seen = [entry for page in pages for entry in page]
    assert len(seen) == len(set(seen))
    assert initial - made.removed <= set(seen)
    assert all(len(page) == 3 for page in pages[:-1])
    assert made.removed
