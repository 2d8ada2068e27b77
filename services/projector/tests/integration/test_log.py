"""The partitions of a topic, as a consumer group on a real broker gives them."""

import time
from contextlib import closing

from confluent_kafka.admin import AdminClient, NewTopic

from cheeper_contracts.topics import COMMANDS
from cheeper_local.testing import until
from projector.log import TopicLog, consumer_settings
from projector.topic import TopicWatch


def test_one_that_closes_while_it_joins_leaves_a_group_that_others_join(own_tansu):
    """Tansu answers a first join after three seconds, and whoever leaves within them does not keep the partitions."""
    admin = AdminClient({"bootstrap.servers": own_tansu.url})
    admin.create_topics([NewTopic(COMMANDS.name, COMMANDS.partitions, 1)])[COMMANDS.name].result(30)

    def a_log():
        return TopicLog(consumer_settings(own_tansu.url, "group"), COMMANDS.name, TopicWatch(admin, COMMANDS.name))

    first, ends_at = a_log(), time.monotonic() + 1
    while time.monotonic() < ends_at:
        first.read(0.1)
    assert not first.joined
    first.close()
    with closing(a_log()) as second:
        until(lambda: second.read(0.1) or second.owned, 15)
        assert second.owned == set(range(COMMANDS.partitions))
