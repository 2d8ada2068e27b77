import random
import threading

from read_api.queries.search_cheeps import SearchCheeps


async def test_total_and_items_are_of_one_moment(documents, ask):
    """While cheeps are posted and deleted, a page that holds all has as many items as its total."""
    ended = threading.Event()
    laid = [documents.post(message="hello") for _ in range(30)]

    def write():
        seed = random.Random(1)
        while not ended.is_set():
            if seed.randrange(60) < len(laid):
                documents.delete(laid.pop(seed.randrange(len(laid))))
            else:
                laid.append(documents.post(message="hello"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        totals = set()
        for _ in range(60):
            found = (await ask(SearchCheeps(q="hello", page_size=100))).data
            assert found.total == len(found.items)
            totals.add(found.total)
    finally:
        ended.set()
        writer.join()
    assert len(totals) > 1
