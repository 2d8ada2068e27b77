from __future__ import annotations

from cheeper_local.testing.replicated import Availability, KafkaCluster, MongoSet


def test_the_longest_pause_is_between_two_successes():
    """Neither the time before the first success nor the time after the last one counts."""
    times = iter([5.0, 6.0, 9.0, 9.5])
    measured = Availability(lambda: next(times))
    for _ in range(4):
        measured.succeeded()
    assert (measured.longest_pause, measured.successes) == (3.0, 4)


def test_nothing_was_unavailable_before_a_second_success():
    """One success has no pause."""
    measured = Availability(lambda: 1.0)
    measured.succeeded()
    assert measured.longest_pause == 0


def test_brokers_of_a_cluster_know_each_other(tmp_path):
    """They have one cluster id and one list of voters, and each has a number of its own."""
    cluster = KafkaCluster(tmp_path)
    assert len({broker.cluster_id for broker in cluster.members}) == 1
    assert len({broker.more["controller.quorum.voters"] for broker in cluster.members}) == 1
    assert [broker.more["node.id"] for broker in cluster.members] == ["1", "2", "3"]


def test_a_url_names_every_member(tmp_path):
    """A client that cannot reach one of them asks the others."""
    for made in (KafkaCluster(tmp_path), MongoSet(tmp_path)):
        assert all(member.address in made.url for member in made.members)
