import psycopg
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from cheeper_bench.environment import durable
from cheeper_bench.errors import NotDurableError
from cheeper_local.servers import Postgres, Redis


def test_a_postgres_that_loses_commits_is_refused(postgres_url):
    """No figure counts with fsync off, as tests have it."""
    with pytest.raises(NotDurableError, match="fsync=off"):
        durable.check_postgres(postgres_url)


def test_a_postgres_as_the_stack_has_it_is_taken(tmp_path):
    """The stack's own PostgreSQL keeps what it confirms, until somebody switches one setting off."""
    server = Postgres(tmp_path / "postgres")
    try:
        server.start()
        durable.check_postgres(server.url)
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("ALTER DATABASE cheeper SET synchronous_commit = off")
        with pytest.raises(NotDurableError, match="synchronous_commit=off"):
            durable.check_postgres(server.url)
    finally:
        server.wipe()


def test_a_redis_that_leaves_its_file_to_the_system_is_refused(redis_url):
    """No figure counts with appendfsync off, as tests have it."""
    with pytest.raises(NotDurableError, match="appendfsync=no"):
        durable.check_redis(redis_url)


def test_a_redis_as_the_stack_has_it_is_taken(tmp_path):
    """The stack's own Redis writes its file every second."""
    server = Redis(tmp_path / "redis")
    try:
        server.start()
        durable.check_redis(server.url)
    finally:
        server.wipe()


def test_a_broker_in_memory_is_refused(own_tansu):
    """Tansu keeps no log on disk, so its figures do not count for Kafka."""
    with pytest.raises(NotDurableError, match="tansu"):
        durable.check_kafka(own_tansu)


def test_a_topic_that_forgets_is_refused(kafka_bootstrap, topic_prefix):
    """No figure counts of a log that is not kept for ever."""
    for name, retention in (("kept", "-1"), ("forgets", "60000")):
        topic = NewTopic(f"{topic_prefix}{name}", 1, config={"retention.ms": retention})
        admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
        admin.create_topics([topic])[topic.topic].result(10)
    durable.check_topic(kafka_bootstrap, f"{topic_prefix}kept")
    with pytest.raises(NotDurableError, match="60000"):
        durable.check_topic(kafka_bootstrap, f"{topic_prefix}forgets")
