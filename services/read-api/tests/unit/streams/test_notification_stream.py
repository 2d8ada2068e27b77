from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from read_api_streams import READER

from cheeper_contracts.views.streams import CHEEP, NOTIFICATIONS, RECORD, REFRESH
from read_api.queries.notifications import ListedNotification, Notifications, shown
from read_api.query_bus.query import Result, StoreUnavailableError
from read_api.streams import notification_stream, window
from read_api.streams.notification_stream import NotificationStream
from read_api.streams.stream import Message
from read_api.streams.window import StreamEvent, position_of

pytestmark = pytest.mark.proves(guarantee="streams")

QUERY = Notifications(author_id=READER)


class FakeNotifications:
    """The notifications of one author. What happens is reported at once, and is in the list after `apply`."""

    def __init__(self):
        self.real, self.listed, self.unavailable, self.number = [], [], None, 0
        self.receive = lambda _message: None

    def happen(self, change):
        change(self)
        self.receive(Message(NOTIFICATIONS))

    def notify(self, at):
        self.number += 1
        fields = {"notification_id": f"00000000-0000-4000-8000-{self.number:012}", "author_id": READER, "at": at}
        self.real.append(ListedNotification(**fields, kind="welcome", read=False))

    def read(self, place):
        mark = self.newest(self.real)[place % len(self.real) :] if self.real else []
        self.real = [msgspec.structs.replace(each, read=each.read or each in mark) for each in self.real]

    def hide(self, place):
        if self.real:
            del self.real[place % len(self.real)]

    async def apply(self):
        self.listed = list(self.real)

    @staticmethod
    def newest(entries):
        return sorted(entries, key=lambda each: (each.at, each.notification_id), reverse=True)

    async def of_author(self, _author_id, part, *, after):
        assert (part.beyond, after) == (None, None)
        if self.unavailable is not None:
            raise self.unavailable
        return Result(data=self.newest(self.listed)[: part.limit])

    def expected(self):
        return [msgspec.to_builtins(shown(each)) for each in self.newest(self.real)]


class Client:
    """A client that applies the events, and reads the list for each refresh."""

    def __init__(self, notifications):
        self._notifications = notifications
        self.shown, self.last_id, self.names = None, None, []

    def apply(self, events: list[StreamEvent]):
        for event in events:
            self.names.append(event.name)
            data = msgspec.json.decode(event.data)
            if event.name == "refresh":
                self.shown = self._notifications.expected()
            else:
                self._put(data)
            self.last_id = event.id

    def _put(self, data):
        below = data.pop("below", None)
        others = [each for each in self.shown if each["notification_id"] != data["notification_id"]]
        ids = [each["notification_id"] for each in others]
        if below is None or below in ids:
            others.insert(0 if below is None else ids.index(below) + 1, data)
            self.shown = others


class Play:
    """Notifications that change while a client's stream is connected, interrupted and resumed."""

    def __init__(self):
        self.notifications, self.newest = FakeNotifications(), 100
        self.client, self.stream = Client(self.notifications), None

    async def do(self, step, *args):
        if step in {"connect", "send"}:
            await getattr(self, f"_{step}")(*args)
        elif step == "notify" and args[0] is None:
            self.newest += 1
            self.notifications.happen(lambda all_: all_.notify(self.newest))
        else:
            self.notifications.happen(lambda all_: getattr(all_, step)(*args))

    async def _connect(self):
        position = position_of(QUERY, self.client.last_id)
        self.stream = NotificationStream(QUERY, position, self.notifications, self.notifications.apply, 0)
        self.notifications.receive = self.stream.receive
        await self.stream.read()

    async def _send(self, received):
        """Send what there is, of which the client receives the first events; then the connection is lost."""
        if self.stream is not None:
            self.client.apply((await pending(self.stream))[:received])
            self.stream = None
            self.notifications.receive = lambda _message: None

    async def finish(self):
        if self.stream is None:
            await self._connect()
        self.client.apply(await pending(self.stream))
        return self.client.names


async def pending(stream):
    """Return all events until the stream is at rest."""
    found = []
    async for events in stream.events():
        if not events:
            break
        found += events
    return found


steps = st.one_of(
    st.tuples(st.just("notify"), st.none()),
    st.tuples(st.just("notify"), st.none()),
    st.tuples(st.just("notify"), st.integers(1, 40)),
    st.tuples(st.sampled_from(["read", "hide"]), st.integers(0, 30)),
    st.tuples(st.just("connect")),
    st.tuples(st.just("send"), st.integers(0, 9)),
)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(script=st.lists(steps, max_size=40), size=st.integers(2, 6))
async def test_a_client_has_the_newest_notifications_in_the_end(script, size):
    """Whatever changes, and wherever the stream is interrupted and resumed, the client ends with what a query shows."""
    read = 2 * size + 1
    with (
        patch.object(window, "WINDOW", size),
        patch.object(window, "READ", read),
        patch.object(notification_stream, "READ", read),
    ):
        play = Play()
        for step in script:
            await play.do(*step)
        await play.finish()
    expected, held = play.notifications.expected(), position_of(QUERY, play.client.last_id)
    count = len(expected) if held.complete else held.number
    assert play.client.shown[:count] == expected[:count]


async def test_new_notifications_are_events_and_are_resumed_without_a_refresh():
    """Each comes once, oldest first, while a client is connected and when it is back."""
    play = Play()
    await play.do("notify", None)
    await play.do("connect")
    await play.do("notify", None)
    await play.do("send", 9)
    for _ in range(3):
        await play.do("notify", None)
    assert await play.finish() == ["refresh", *["notification"] * 4]
    assert play.client.shown == play.notifications.expected()


@pytest.mark.parametrize("change", [("read", 0), ("hide", 1), ("notify", 2)])
async def test_what_is_no_new_notification_gives_a_refresh(change):
    """A mark, a mute, and one that is older than others, while a client is connected or not."""
    for connected in (True, False):
        play = Play()
        for _ in range(3):
            await play.do("notify", None)
        await play.do("connect")
        await play.do("send", 9)
        if connected:
            await play.do("connect")
        await play.do(*change)
        assert (await play.finish())[1:] == ["refresh"]


async def test_the_list_is_read_once_it_has_what_was_reported():
    """A stream waits for the documents, and reads them once for all messages that came before."""
    play = Play()
    await play.do("connect")
    reads = []

    async def apply():
        reads.append(len(play.notifications.real))
        await FakeNotifications.apply(play.notifications)

    play.stream._catch_up = apply
    for _ in range(3):
        await play.do("notify", None)
    play.stream.receive(Message(RECORD, bytes(24)))
    play.stream.receive(Message(CHEEP, bytes(24), b"{}"))
    await play.finish()
    assert reads == [3]
    play.stream.receive(Message(REFRESH))
    assert await pending(play.stream) == []
    assert reads == [3, 3]


async def test_a_stream_ends_while_documents_cannot_be_read():
    """Its client resumes it, from the last event that it has received."""
    play = Play()
    await play.do("connect")
    play.client.apply(await pending(play.stream))
    play.notifications.unavailable = StoreUnavailableError("mongo", "gone")
    await play.do("notify", None)
    assert await pending(play.stream) == []
    assert play.stream.ended == "store_unavailable"
    play.stream, play.notifications.unavailable = None, None
    assert await play.finish() == ["refresh", "notification"]
