"""The load's input and its comparison, without a system."""

import pytest

from cheeper_e2e.load.check import differences_of_sets, disagreement, misplaced
from cheeper_e2e.load.workload import Workload, read_workload

EDGES = {(1, 2), (2, 3), (1, 3), (3, 4)}
TEXTS = [f"Text {number}" for number in range(50)]


def shown_cheep(cheep_id, author, second):
    return {"cheep_id": cheep_id, "author_id": author, "cheep_date": f"2026-01-01T00:00:{second:02}+00:00"}


def test_a_world_is_the_same_each_time():
    """The same input makes the same ids and the same draw of authors; another seed makes another world."""
    one, same, other = Workload(EDGES, TEXTS, 1), Workload(EDGES, TEXTS, 1), Workload(EDGES, TEXTS, 2)
    assert one.posts == same.posts
    assert one.author_id(1) == same.author_id(1) != other.author_id(1)


def test_each_edge_is_two_follows_and_each_text_a_post():
    """Friendship goes both ways, and no text is lost."""
    world = Workload(EDGES, TEXTS, 1)
    assert world.followers == {1: [2, 3], 2: [1, 3], 3: [1, 2, 4], 4: [3]}
    assert world.number_of_follows() == 8
    assert world.number_of_posts() == 50


def test_a_sample_is_a_part(tmp_path):
    """A sample has as many authors as asked for, and texts in proportion."""
    graph, texts = tmp_path / "graph", tmp_path / "texts"
    graph.write_text("% a comment\n" + "".join(f"{n} {n + 1}\r\n{n} {n + 2}\n" for n in range(100)))
    texts.write_text("\n".join(TEXTS))
    world = read_workload(graph, texts, authors=20)
    assert len(world.authors) == 20
    assert world.number_of_posts() == 50 * 20 // 102


@pytest.mark.parametrize(
    ("found", "sentences"),
    [(["a", "b"], 0), (["b", "a"], 0), (["a"], 1), (["a", "b", "c"], 1), (["a", "b", "b"], 1), (["c", "c"], 3)],
)
def test_sets_are_compared_with_duplicates(found, sentences):
    """Missing, unexpected and duplicate entries are a sentence each."""
    assert len(differences_of_sets(found, {"a", "b"})) == sentences


def test_dates_must_not_rise_downwards():
    """Shown dates may be equal but not rise."""
    assert not misplaced(
        [shown_cheep("b", "x", 2), shown_cheep("a", "y", 2), shown_cheep("c", "z", 1)], {"a": 0, "b": 0, "c": 0}
    )
    assert misplaced([shown_cheep("a", "x", 1), shown_cheep("b", "y", 2)], {"a": 0, "b": 0})


def test_an_authors_cheeps_are_newest_first():
    """Within an author the one accepted later stands above, whatever stands between."""
    between = shown_cheep("m", "y", 1)
    places = {"first": 0, "second": 1, "m": 0}
    assert not misplaced([shown_cheep("second", "x", 1), between, shown_cheep("first", "x", 1)], places)
    assert misplaced([shown_cheep("first", "x", 1), between, shown_cheep("second", "x", 1)], places)


def test_timelines_agree_on_one_order():
    """Timelines that no single order explains are named."""
    assert not disagreement([["c", "b", "a"], ["c", "a"], ["b", "a"], []])
    assert disagreement([["c", "b"], ["b", "a"], ["a", "c"]])
