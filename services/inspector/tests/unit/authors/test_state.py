"""An author side by side, over a world in memory."""

import pytest

from inspector.authors.state import CHEEPS_SHOWN, Comparison, author_state

BOB = "a64a52cc-3ee9-4a15-918b-099e18b43119"
CHEEPS = [f"28bc90bd-2dfb-4b71-962f-{number:012x}" for number in range(7)]
EQUAL = Comparison(equal=True, cheeps=1)


@pytest.fixture
def author(world):
    """A world with an author who posted seven cheeps."""
    world.write_model.authors = {BOB: "bob"}
    world.write_model.cheeps = {cheep_id: (BOB, (at,)) for at, cheep_id in enumerate(CHEEPS)}
    return world


def test_all_sides_have_the_author_and_the_newest_cheeps(author):
    """Each side shows the author and the same newest cheeps, the newest first, with the comparison."""
    found = author_state(BOB, author.readers(), lambda _: EQUAL)
    newest = CHEEPS[::-1][:CHEEPS_SHOWN]
    assert [row.id for row in found.rows] == [BOB, *newest]
    assert [view.name for view in found.keys] == [
        f"author:{BOB}",
        f"timeline:{BOB}",
        *(f"cheep:{each}" for each in newest),
    ]
    assert [view.name for view in found.documents] == [f"authors:{BOB}", *(f"cheeps:{each}" for each in newest)]
    assert (found.exists, found.comparison, found.unavailable) == (True, EQUAL, {})


@pytest.mark.parametrize("server", ["postgres", "redis", "mongo"])
def test_a_server_that_is_unavailable_is_named_and_the_rest_is_shown(author, server):
    """Each side alone may be unavailable."""
    found = author_state(BOB, author.readers(server), lambda _: EQUAL)
    sides = {"postgres": found.rows, "redis": found.keys, "mongo": found.documents}
    assert list(found.unavailable) == [server]
    assert [name for name, side in sides.items() if not side] == [server]


def test_an_author_who_does_not_exist(world):
    """The stores are read all the same: they may have what the write model has not."""
    found = author_state(BOB, world.readers(), lambda _: EQUAL)
    assert (found.exists, [view.name for view in found.documents]) == (False, [f"authors:{BOB}"])
