"""Topics on a real broker."""

import asyncio

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from cheeper_contracts.kafka import topics
from cheeper_local.testing import eventually
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.kafka.topics import TopicMismatchError, admin_client, describe, ensure_topics


@pytest.fixture
def admin(kafka_bootstrap):
    return admin_client(KafkaConnection(kafka_bootstrap))


async def an_id(admin, topic, prefix):
    return await eventually(lambda: asyncio.to_thread(describe, admin, topic, prefix))


async def test_topics_are_made_once_with_their_partitions(admin, topic_prefix):
    """Creating them again, or twice at once, changes nothing: the topics are the same ones."""
    assert await asyncio.to_thread(describe, admin, topics.EVENTS, topic_prefix) is None
    await asyncio.gather(*(asyncio.to_thread(ensure_topics, admin, topic_prefix) for _ in range(3)))
    made = [await an_id(admin, topic, topic_prefix) for topic in topics.TOPICS]
    await asyncio.to_thread(ensure_topics, admin, topic_prefix)
    assert [await an_id(admin, topic, topic_prefix) for topic in topics.TOPICS] == made


async def test_a_topic_with_another_number_of_partitions_is_refused(admin, topic_prefix):
    """Its keys would go to other partitions than the messages that it holds."""
    name = topics.EVENTS.named(topic_prefix)
    admin.create_topics([NewTopic(name, 3)])[name].result(60)
    with pytest.raises(TopicMismatchError, match="has 3 partitions and not 8"):
        await eventually(lambda: ensure_topics(admin, topic_prefix))
    with pytest.raises(TopicMismatchError):
        await an_id(admin, topics.EVENTS, topic_prefix)


@pytest.mark.proves(guarantee="idempotent-commands")
async def test_the_broker_has_the_settings_that_a_202_promises(admin, topic_prefix):
    """They are in force as the broker itself states them: on disk before the acknowledgement, and kept for ever."""
    await asyncio.to_thread(ensure_topics, admin, topic_prefix)
    for topic in topics.TOPICS:
        await an_id(admin, topic, topic_prefix)
        resource = ConfigResource(ResourceType.TOPIC, topic.named(topic_prefix))
        found = admin.describe_configs([resource])[resource].result(60)
        assert {name: found[name].value for name in topic.config} == topic.config


async def test_settings_that_were_changed_are_set_again(admin, topic_prefix):
    """Events are kept for ever, even if an operator has changed the setting."""
    await asyncio.to_thread(ensure_topics, admin, topic_prefix)
    await an_id(admin, topics.EVENTS, topic_prefix)
    name = topics.EVENTS.named(topic_prefix)
    entry = ConfigEntry("retention.ms", "1000000", incremental_operation=AlterConfigOpType.SET)
    change = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
    admin.incremental_alter_configs([change])[change].result(60)
    resource = ConfigResource(ResourceType.TOPIC, name)

    def kept():
        ensure_topics(admin, topic_prefix)
        return admin.describe_configs([resource])[resource].result(60)["retention.ms"].value == "-1"

    await eventually(lambda: asyncio.to_thread(kept))
