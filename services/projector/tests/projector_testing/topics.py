"""Real topics of a test, as write-api and an operator make and empty them."""

from __future__ import annotations

from confluent_kafka.admin import AdminClient, NewTopic

from cheeper_contracts.kafka.topics import TOPICS
from cheeper_local.testing import until


class Topics:
    """The topics of an installation, one of which is emptied: `topic` is its name."""

    def __init__(self, servers, prefix, topic):
        self.servers, self.prefix, self.topic = servers, prefix, topic.named(prefix)
        self.admin = AdminClient({"bootstrap.servers": servers})

    def make(self, topics=TOPICS):
        """Make topics, on as many brokers as theirs say, and wait until the broker lists them."""
        wanted = [NewTopic(one.named(self.prefix), one.partitions, config=one.config) for one in topics]
        for made in self.admin.create_topics(wanted).values():
            made.result(60)
        until(lambda: set(self.admin.list_topics(timeout=10).topics) >= {one.topic for one in wanted})

    def wipe(self):
        """Delete the topic, and wait until it no longer exists."""
        self.admin.delete_topics([self.topic])[self.topic].result(60)
        until(lambda: self.topic not in self.admin.list_topics(timeout=10).topics)
