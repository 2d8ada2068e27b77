from collections import Counter

from cheeper_bench.environment.events import Numbering, numbered_events
from cheeper_bench.environment.graph import given, power_law, with_reader
from cheeper_contracts.partitions import PARTITIONS


def test_a_graph_is_the_same_on_every_run():
    """Two runs measure the same thing (seed 1)."""
    assert power_law(50, follows=5, cheeps=2) == power_law(50, follows=5, cheeps=2)
    assert power_law(50, follows=5, cheeps=2, seed=2) != power_law(50, follows=5, cheeps=2)


def test_a_power_law_has_few_whom_many_follow():
    """Everybody follows as many others and never themselves; the first ranks have most followers."""
    world = power_law(500, follows=5, cheeps=2)
    assert len(set(world.follows)) == len(world.follows) == 2_500
    assert all(follower != followed for follower, followed in world.follows)
    followers = Counter(followed for _, followed in world.follows)
    assert followers[0] > 5 * followers[400]


def test_a_reader_is_added_behind_all_others():
    """The reader follows the first so many and nobody else."""
    world, reader = with_reader(power_law(20, follows=2, cheeps=1), 15)
    assert [followed for follower, followed in world.follows if follower == reader] == list(range(15))
    assert world.authors == 21


def test_a_given_graph_has_both_ways_of_each_friendship(tmp_path):
    """A line of the file is two follows; each author has so many cheeps of the given texts."""
    graph, texts = tmp_path / "g.edges", tmp_path / "t.txt"
    graph.write_text("10 20\n20 30\n")
    texts.write_text("one\ntwo\n")
    world = given(graph, texts, cheeps=4)
    assert (world.authors, set(world.follows)) == (3, {(0, 1), (1, 0), (1, 2), (2, 1)})
    assert Counter(author for author, _ in world.cheeps) == {0: 4, 1: 4, 2: 4}
    assert {text for _, text in world.cheeps} <= {"one", "two"}


def test_events_are_numbered_without_a_gap_within_each_partition():
    """The stores take what the relay would have numbered, and nothing else."""
    numbering = Numbering()
    everything = list(numbered_events(power_law(40, follows=3, cheeps=2), numbering))
    for partition in range(PARTITIONS):
        ours = [one.envelope.sequence for one in everything if one.partition == partition]
        assert ours == list(range(1, len(ours) + 1))
    assert sum(numbering.last.values()) == len(everything) == 40 + 120 + 80
