import random
import threading

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from read_api_layout import AT, new_id

from cheeper_contracts.words import words_of
from read_api.queries.search_cheeps import SearchCheeps

WORDS = ["a", "ab", "abc", "b", "Bä", "ba", "é", "東京", "東", "42", "4", "ß", "z"]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
several = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def meets(q, *texts):
    """Whether every word of q begins some word of the texts."""
    return all(any(word.startswith(wanted) for word in words_of(*texts)) for wanted in words_of(q))


def ids_of(found):
    return [item.cheep_id for item in found.data.items]


@pytest.fixture
def cheeps(documents):
    """Cheeps of three authors, many of the same time, some deleted; those that live, newest first."""
    seed = random.Random(3)
    authors = [new_id() for _ in range(3)]
    laid = []
    for _ in range(150):
        author, at = seed.choice(authors), AT + seed.randrange(20)
        message = " ".join(seed.choices(WORDS, k=seed.randrange(1, 5)))
        cheep = documents.post(author, message, at=at)
        if seed.random() < 0.2:
            documents.delete(cheep)
        else:
            laid.append((at, cheep, author, message))
    return sorted(laid, reverse=True)


async def test_total_and_items_are_of_one_moment(documents, ask):
    """While cheeps are posted and deleted, a page that holds all has as many items as it says there are."""
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
