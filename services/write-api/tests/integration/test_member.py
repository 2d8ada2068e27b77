"""A member of a consumer group on a real broker."""

import time
from contextlib import closing

from cheeper_contracts.topics import DEAD_LETTERS
from cheeper_local.testing import until
from write_api.consumer.member import Member, Subscription
from write_api.kafka.topics import admin_client, ensure_topics
from write_api.worker import SUBSCRIPTION


def join(member):
    """Receive, of a topic without messages, until the member has its partitions."""
    until(lambda: member.receive(1) or member.joined, 15)


def test_a_member_that_closes_while_it_joins_leaves_a_group_that_others_join(own_tansu):
    """Tansu answers a first join after three seconds, and whoever leaves within them does not keep the partitions."""
    ensure_topics(admin_client(own_tansu.url), "")
    member, ends_at = Member(SUBSCRIPTION, own_tansu.url, ""), time.monotonic() + 1
    while time.monotonic() < ends_at:
        member.receive(1)
    assert not member.joined
    member.close()
    with closing(Member(SUBSCRIPTION, own_tansu.url, "")) as other:
        join(other)


def test_a_member_of_a_full_group_has_joined_without_partitions(kafka_bootstrap, topic_prefix):
    """More members than partitions are no fault; who leaves or loses its share has not joined any more."""
    ensure_topics(admin_client(kafka_bootstrap), topic_prefix)
    subscription = Subscription(role="full", topic=DEAD_LETTERS, batch=1)
    members = [Member(subscription, kafka_bootstrap, topic_prefix) for _ in range(DEAD_LETTERS.partitions + 1)]
    for member in members:
        assert not member.joined
    until(lambda: [member.receive(1) for member in members] and all(member.joined for member in members), 30)
    for member in members:
        member.close()
        assert not member.joined


def test_a_broker_that_is_away_holds_up_no_close():
    """What cannot be joined is waited for well within the time that a role has for its end."""
    member = Member(SUBSCRIPTION, "127.0.0.1:1", "")
    began = time.monotonic()
    member.close()
    assert time.monotonic() - began < 8
