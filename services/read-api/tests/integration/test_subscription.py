"""The subscription to changes of timelines, over a real Redis whose connections are cut."""

import asyncio

import pytest
from read_api_layout import new_id

from cheeper_contracts.views.streams import CHEEP, REFRESH, all_streams, stream_of
from read_api.query_bus.query import StoreUnavailableError
from read_api.stores.redis.subscription import Subscription, connect
from read_api.streams.timeline_stream import Message

pytestmark = pytest.mark.proves(guarantee="streams")

NAME = f"streams-{new_id()}"
"""The client's name of these tests' subscriptions: other tests use the same Redis."""
ENTRY, RECORD = bytes(range(24)), b'{"cheep_id":"x"}'


class Heard:
    """The messages that a subscription passes on."""

    def __init__(self):
        self.messages, self._arrived = [], asyncio.Event()

    def __call__(self, reader_id, message):
        self.messages.append((reader_id, message))
        self._arrived.set()

    async def until(self, *wanted):
        """Wait until these have been heard, in any order, and forget them."""
        async with asyncio.timeout(20):
            while not all(each in self.messages for each in wanted):
                self._arrived.clear()
                await self._arrived.wait()
        found, self.messages = self.messages, []
        return found


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
async def subscription(redis_url, redis_prefix, heard):
    client = connect(f"{redis_url}?client_name={NAME}")
    yield Subscription(client, redis_prefix, heard)
    await client.aclose()


def subscribers(hot, *channels):
    """Return the number of subscribers of all these channels."""
    return sum(number for _, number in hot.client.pubsub_numsub(*channels))


async def until_unheard(hot, *channels):
    async with asyncio.timeout(20):
        while subscribers(hot, *channels):  # noqa: ASYNC110 - Redis has no event for it
            await asyncio.sleep(0.01)


async def test_messages_are_passed_on_once_the_subscription_is_confirmed(subscription, heard, hot, redis_prefix):
    """From the return of `add` on nothing is missed, and once nothing is subscribed to there is no subscriber left."""
    readers = [new_id() for _ in range(5)]
    await asyncio.gather(*(subscription.add(reader) for reader in readers))
    for reader in readers:
        hot.client.publish(stream_of(redis_prefix, reader), CHEEP + ENTRY + RECORD)
    hot.client.publish(all_streams(redis_prefix), REFRESH)
    wanted = [(reader, Message(CHEEP, ENTRY, RECORD)) for reader in readers]
    assert len(await heard.until(*wanted, (None, Message(REFRESH)))) == 6
    for reader in readers:
        subscription.remove(reader)
    await until_unheard(hot, all_streams(redis_prefix), *(stream_of(redis_prefix, reader) for reader in readers))


async def test_streams_of_one_reader_come_and_go(subscription, heard, hot, redis_prefix):
    """However quickly a reader's streams end and begin, whoever has been added hears what is published then."""
    reader, other = new_id(), new_id()
    await subscription.add(other)
    for number in range(30):
        await subscription.add(reader)
        entry = bytes([number]) * 24
        hot.client.publish(stream_of(redis_prefix, reader), CHEEP + entry + RECORD)
        await heard.until((reader, Message(CHEEP, entry, RECORD)))
        if number % 3 == 0:
            await subscription.add(reader)
            subscription.remove(reader)
        subscription.remove(reader)
    await until_unheard(hot, stream_of(redis_prefix, reader))
    assert subscribers(hot, stream_of(redis_prefix, other)) == 1
    subscription.remove(other)


async def test_a_lost_connection_refreshes_every_stream(subscription, heard, hot, redis_prefix):
    """The messages in between are gone, so each reader's streams read the timeline after the next subscription."""
    readers = [new_id(), new_id()]
    for reader in readers:
        await subscription.add(reader)
    for each in hot.client.client_list(_type="pubsub"):
        if each["name"] == NAME:
            hot.client.client_kill_filter(_id=each["id"])
    await heard.until(*((reader, Message(REFRESH)) for reader in readers))
    hot.client.publish(stream_of(redis_prefix, readers[0]), CHEEP + ENTRY + RECORD)
    await heard.until((readers[0], Message(CHEEP, ENTRY, RECORD)))
    for reader in readers:
        subscription.remove(reader)


class SilentRedis:
    """A Redis that confirms subscriptions and then is silent, as behind a network that drops everything."""

    def __init__(self, channels):
        self._channels, self.connections = channels, 0

    async def __call__(self, reader, writer):
        self.connections += 1
        while data := await reader.read(4_096):
            writer.write(b"+OK\r\n" * data.count(b"SETINFO"))
            if b"SUBSCRIBE" in data:
                for number, channel in enumerate(self._channels, 1):
                    name = channel.encode()
                    writer.write(b"*3\r\n$9\r\nsubscribe\r\n$%d\r\n%b\r\n:%d\r\n" % (len(name), name, number))
        writer.close()


async def test_a_connection_that_is_silent_to_a_probe_is_given_up(heard):
    """A connection that was lost without a sign is replaced, and what was missed is read."""
    reader = new_id()
    silent = SilentRedis([all_streams(""), stream_of("", reader)])
    server = await asyncio.start_server(silent, "127.0.0.1")
    host, port = server.sockets[0].getsockname()
    client = connect(f"redis://{host}:{port}")
    subscription = Subscription(client, "", heard, probe_seconds=0.3)
    await subscription.add(reader)
    await heard.until((reader, Message(REFRESH)))
    assert silent.connections >= 2
    subscription.remove(reader)
    await client.aclose()
    server.close()


async def test_without_redis_a_stream_does_not_begin(heard):
    """`add` fails as unavailable."""
    subscription = Subscription(connect("redis://127.0.0.1:1"), "", heard)
    reader = new_id()
    with pytest.raises(StoreUnavailableError):
        await subscription.add(reader)
    subscription.remove(reader)
