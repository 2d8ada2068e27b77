"""The process managers on a real Postgres and a real broker: event in, command out, and nothing twice."""

import asyncio

import pytest
from write_api_consumers import Consumers

from cheeper_contracts.commands.notify_author_about_new_follower import NotifyAuthorAboutNewFollower
from cheeper_contracts.commands.welcome_author import WelcomeAuthor
from cheeper_contracts.kafka import codec, topics
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_local.testing import eventually
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.bus.dispatcher import Transport
from write_api.bus.ids import made_for, new_id
from write_api.bus.outcome import ReceivedCommand
from write_api.consumer import loop as consumer_loop
from write_api.consumer.group_consumer import GroupConsumer
from write_api.features import HANDLERS
from write_api.relay.kafka.event_log import EventLog


@pytest.fixture
async def scene(engine, kafka_bootstrap, topic_prefix):
    scene = Consumers(engine, kafka_bootstrap, topic_prefix)
    await scene.prepare()
    yield scene
    await scene.producer.close()


async def test_an_event_makes_a_command_whose_ids_derive_from_it(scene, read_topic):
    """The commands that follow from an event have ids that derive from the event alone."""
    log = scene.messages_of(scene.posted(0, "Hello"), scene.signed(0), scene.followed(1, 2))
    (_, _), (signed, _), (followed, _) = log
    await scene.send(log)
    await scene.run_process_managers(2)
    sent = {envelope.message_id: (envelope, value) for _, _, envelope, value, _ in await read_topic(scene.commands, 2)}
    assert len(sent) == 2
    envelope, value = sent[made_for(signed.message_id, WelcomeAuthor.TYPE)]
    assert (envelope.reply_to, envelope.correlation_id) == (signed.message_id, signed.correlation_id)
    notification_id = made_for(signed.message_id, "notification_id")
    assert codec.decode_command(envelope.type, value) == WelcomeAuthor(
        notification_id=notification_id, author_id=scene.authors[0]
    )
    envelope, value = sent[made_for(followed.message_id, NotifyAuthorAboutNewFollower.TYPE)]
    command = codec.decode_command(envelope.type, value)
    assert (envelope.key, command.follower_id) == (scene.authors[2], scene.authors[1])


async def test_a_log_that_is_read_again_causes_no_second_notification(scene, monkeypatch):
    """A process that dies before its commit, and one that reads from the start, send the same commands again: there is
    no second notification and no second message.
    """
    await scene.send(scene.messages_of(*map(scene.signed, range(3)), scene.followed(0, 1)))
    monkeypatch.setattr(GroupConsumer, "commit", lambda *_: None)
    await scene.run_process_managers(4)
    await scene.run_process_managers(4)
    monkeypatch.undo()
    await scene.worker().run(asyncio.Event(), 8)
    assert await scene.notifications() == [(0, "welcome"), (1, "new_follower"), (1, "welcome"), (2, "welcome")]
    (left,) = await scene.rows("SELECT count(*) FROM outbox WHERE type LIKE '%author-notified%'")
    assert left.count == 4
    assert (await scene.rows("SELECT count(*) FROM outbox"))[0].count == 4 + len(scene.authors)


async def test_a_sync_command_is_run_by_the_process_manager_itself(scene):
    """A command whose transport is sync does not go through Kafka, and needs no worker."""
    scene.transports.update(dict.fromkeys(HANDLERS, Transport.SYNC))
    await scene.send(scene.messages_of(scene.signed(0), scene.followed(1, 0)))
    await scene.run_process_managers(2)
    assert await scene.notifications() == [(0, "new_follower"), (0, "welcome")]


async def test_several_processes_share_the_events(scene, running):
    """Processes may come and go: every event leads to its command once."""
    async with running(scene.worker(), scene.process_manager()):
        await scene.send(scene.messages_of(*(scene.followed(0, 1 + n % 2, n) for n in range(40))))
        async with running(scene.process_manager(), scene.process_manager()):
            await scene.send(scene.messages_of(*(scene.followed(0, 1 + n % 2, n) for n in range(40, 80))))
            await scene.wait_for_notifications(60)
        await scene.send(scene.messages_of(*map(scene.signed, range(3))))
        assert len(await scene.wait_for_notifications(83)) == 83


async def test_poison_is_parked_with_what_follows_it_in_its_key_and_the_others_flow(scene, running, read_topic):
    """An unreadable event and one that a process manager crashes on hold up only their keys; an event that leads to
    nothing is not parked behind them, and the worker runs the commands of those authors all the same.
    """
    log = scene.messages_of(
        scene.signed(0),
        scene.posted(0, "sorry"),
        scene.posted(0, "fine"),
        scene.followed(1, 0),
        scene.signed(1),
        scene.signed(2),
    )
    log[4] = (log[4][0], b"{")
    async with running(scene.process_manager(), scene.worker()):
        await scene.send(log)
        assert await scene.wait_for_notifications(2) == [(0, "welcome"), (2, "welcome")]
        copies = await read_topic(topics.DEAD_LETTERS.named(scene.prefix), 3)
        welcome = WelcomeAuthor(notification_id=new_id(), author_id=scene.authors[0])
        envelope = Envelope(
            message_id=new_id(), type=welcome.TYPE, source="/t", time=1, key=welcome.key, correlation_id=new_id()
        )
        await scene.dispatcher.pass_on([ReceivedCommand(command=welcome, envelope=envelope)])
        assert await scene.wait_for_notifications(3) == [(0, "welcome"), (0, "welcome"), (2, "welcome")]
    letters = await scene.letters()
    assert [reason for author, reason in letters if author == 0] == ["crashed", "behind"]
    assert [reason for author, reason in letters if author == 1] == ["malformed"]
    assert {headers["dead_letter_reason"] for *_, headers in copies} == {b"malformed", b"crashed", b"behind"}


@pytest.mark.proves(guarantee="transient-faults")
async def test_a_topic_that_goes_while_it_is_written_to_is_made_again(scene, running, read_topic):
    """No other process may be there to create the topics that a wiped Kafka lost.

    Broken by a loop that does not call `_create_topics` while a batch waits: it then waits for ever.
    """
    consumer = scene.process_manager()
    async with running(consumer):
        await eventually(lambda: consumer.readiness.reason(consumer_loop.GROUP) is None)
        await scene.delete(topics.COMMANDS)
        await scene.send(scene.messages_of(scene.signed(0), scene.posted(1, "sorry")))
        await eventually(scene.letters)
        await scene.send(scene.messages_of(scene.signed(2)))
        await read_topic(scene.commands, 2)
        await read_topic(topics.DEAD_LETTERS.named(scene.prefix), 1)
    async with running(scene.worker()):
        assert await scene.wait_for_notifications(2) == [(0, "welcome"), (2, "welcome")]
    assert await scene.letters() == [(1, "crashed")]


@pytest.mark.extended
async def test_an_outage_and_a_wipe_of_kafka_lose_nothing(engine, own_kafka, running):
    """The process is not ready during the outage; a topic that comes back empty is read from its start, and messages
    that the relay sends again change nothing.
    """
    scene = Consumers(engine, own_kafka.url, "")
    await scene.prepare()
    first, second = scene.messages_of(*map(scene.signed, range(3))), scene.messages_of(scene.followed(0, 1))
    consumer = scene.process_manager()
    async with running(consumer, scene.worker()):
        await scene.send(first)
        await scene.wait_for_notifications(3)
        await asyncio.to_thread(own_kafka.wipe)
        await eventually(lambda: consumer.readiness.reason(consumer_loop.KAFKA))
        await asyncio.to_thread(own_kafka.start)
        await asyncio.to_thread(EventLog(KafkaConnection(own_kafka.url), "").create_missing)  # as the relay does
        await eventually(lambda: consumer.readiness.reason(consumer_loop.KAFKA) is None)
        await scene.send([*first, *second])
        assert await scene.wait_for_notifications(4) == [
            (0, "welcome"),
            (1, "new_follower"),
            (1, "welcome"),
            (2, "welcome"),
        ]
        assert await scene.letters() == []
    await scene.producer.close()
