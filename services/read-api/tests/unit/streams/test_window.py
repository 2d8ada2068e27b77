from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from read_api_layout import new_id
from read_api_streams import READER, Client, FakeTimelines

from read_api.queries.timeline import Timeline
from read_api.query_bus.paging import encode_cursor
from read_api.query_bus.query import ForeignCursorError
from read_api.streams import timeline_stream, window
from read_api.streams.timeline_stream import TimelineStream
from read_api.streams.window import position_of

pytestmark = pytest.mark.proves(guarantee="streams")

QUERY = Timeline(author_id=READER)
AUTHORS = tuple(f"00000000-0000-4000-8000-00000000000{n}" for n in range(4))

authors, dates, places = st.sampled_from(AUTHORS), st.integers(1, 40), st.integers(0, 30)
changes = st.one_of(
    st.tuples(st.just("post"), authors, dates),
    st.tuples(st.just("post"), st.just(READER), st.none() | dates),
    st.tuples(st.just("post"), authors, st.none()),
    st.tuples(st.just("post"), authors, st.none()),
    st.tuples(st.sampled_from(["edit", "delete"]), places),
    st.tuples(st.just("follow"), authors, st.lists(dates, max_size=6)),
    st.tuples(st.just("unfollow"), authors),
    st.tuples(st.just("trim"), st.integers(1, 12)),
    st.tuples(st.just("switch")),
)
steps = st.one_of(
    changes,
    changes,
    changes,
    st.tuples(st.just("send"), st.integers(0, 9)),
    st.tuples(st.just("disconnect")),
    st.tuples(st.just("connect"), st.booleans()),
)


class Play:
    """A timeline that changes while a client's stream is connected, interrupted and resumed."""

    def __init__(self, *, own=True):
        self.timelines, self.newest = FakeTimelines(), 100
        self.client, self.stream = Client(self.timelines, own=own), None
        self.query = msgspec.structs.replace(QUERY, own=own)

    async def do(self, step, *args):
        await getattr(self, f"_{step}")(*args)

    async def _post(self, author, date):
        self.newest += 1
        self.timelines.put(self.newest if date is None else date, author)

    async def _edit(self, place):
        if self.timelines.entries:
            self.timelines.edit(self.timelines.entries[place % len(self.timelines.entries)])

    async def _delete(self, place):
        if self.timelines.entries:
            self.timelines.delete(self.timelines.entries[place % len(self.timelines.entries)])

    async def _follow(self, author, dates):
        self.timelines.follow(author, dates)

    async def _unfollow(self, author):
        self.timelines.unfollow(author)

    async def _trim(self, length):
        self.timelines.trim(length)

    async def _switch(self):
        self.timelines.switch()

    async def _connect(self, change_before_reading):
        """Subscribe first, then read; something may change in between."""
        await self._disconnect()
        self.stream = TimelineStream(self.query, position_of(self.query, self.client.last_id), self.timelines, 0)
        self.timelines.receive = lambda _reader, message: self.stream.receive(message)
        if change_before_reading:
            await self._post(AUTHORS[0], None)
            await self._delete(3)
        await self.stream.read()

    async def _send(self, events_received):
        """Send what is pending, of which the client receives the first events; then the connection is lost."""
        if self.stream is not None:
            self.client.apply((await pending(self.stream))[:events_received])
            await self._disconnect()

    async def _disconnect(self):
        self.stream = None
        self.timelines.receive = lambda _reader, _message: None

    async def finish(self):
        if self.stream is None:
            await self._connect(False)
        self.client.apply(await pending(self.stream))


async def pending(stream):
    """Return all events until the stream is at rest."""
    found = []
    async for events in stream.events():
        if not events:
            break
        found += events
    return found


@settings(max_examples=250, derandomize=True, deadline=None)
@given(script=st.lists(steps, max_size=40), size=st.integers(2, 6), own=st.booleans())
async def test_a_client_has_the_newest_of_the_timeline_in_the_end(script, size, own):
    """Whatever changes, and wherever the stream is interrupted and resumed, the client ends with what a query shows."""
    with (
        patch.object(window, "WINDOW", size),
        patch.object(window, "READ", 2 * size + 1),
        patch.object(timeline_stream, "READ", 2 * size + 1),
    ):
        play = Play(own=own)
        for step in script:
            await play.do(*step)
        await play.finish()
    client, held = play.client, position_of(QUERY, play.client.last_id)
    assert held.digest is not None
    shown = len(client.expected()) if held.complete else held.number
    assert client.shown[:shown] == client.expected()[:shown]


async def test_posts_are_resumed_without_a_gap_or_a_repeat_and_without_a_refresh():
    """If nothing but new cheeps came while the client was disconnected, it receives these alone, oldest first."""
    play = Play()
    for number in range(5):
        await play.do("post", AUTHORS[number % 4], None)
    await play.do("connect", False)
    await play.do("send", 9)
    play.client.names.clear()
    for _ in range(3):
        await play.do("post", AUTHORS[1], None)
    await play.finish()
    assert play.client.names == ["cheep"] * 3
    assert play.client.shown == play.client.expected()


@pytest.mark.parametrize(
    "change",
    [("edit", 1), ("delete", 1), ("post", AUTHORS[0], 2), ("unfollow", AUTHORS[1]), ("follow", AUTHORS[2], [3])],
)
async def test_what_a_cursor_cannot_show_gives_a_refresh(change):
    """An edit, a deletion, a late cheep, a follow or an unfollow while the client was disconnected."""
    play = Play()
    for number in range(4):
        await play.do("post", AUTHORS[number % 2], None)
    await play.do("connect", False)
    await play.do("send", 9)
    play.client.names.clear()
    await play.do(*change)
    await play.do("post", AUTHORS[3], None)
    await play.finish()
    assert play.client.names == ["cheep", "refresh"]


async def test_more_new_cheeps_than_a_window_holds_give_a_refresh_alone():
    """A client that was disconnected for long reads one page, and not all that it has missed."""
    play = Play()
    await play.do("connect", False)
    await play.do("send", 9)
    play.client.names.clear()
    for _ in range(window.WINDOW + 1):
        await play.do("post", AUTHORS[0], None)
    await play.finish()
    assert play.client.names == ["refresh"]


async def test_own_cheeps_come_to_who_wants_them():
    """A stream with `own` brings what its reader posts elsewhere, with edits and deletions; another has none."""
    names = []
    for own in (True, False):
        play = Play(own=own)
        await play.do("connect", False)
        await play.do("post", READER, None)
        await play.do("edit", 0)
        await play.do("delete", 0)
        await play.finish()
        names.append(play.client.names)
    assert names == [["refresh", "cheep", "edited", "deleted"], ["refresh"]]


async def test_the_lists_own_cursor_resumes_a_stream():
    """It says only which cheep was the newest, so the newer ones are followed by a refresh."""
    play = Play()
    for _ in range(3):
        await play.do("post", AUTHORS[0], None)
    play.client.shown, play.client.last_id = [], encode_cursor(QUERY, play.timelines.entries[1])
    await play.finish()
    assert play.client.names == ["cheep", "refresh"]


async def test_an_id_begins_with_the_cursor_of_the_list():
    """The first 40 characters of an event's id are the list's cursor of its newest cheep."""
    play = Play()
    await play.do("post", AUTHORS[0], None)
    await play.finish()
    assert play.client.last_id[:40] == encode_cursor(QUERY, play.timelines.entries[0])


def test_an_id_of_another_timeline_is_refused():
    """An id names its timeline, as a cursor names its list."""
    other = encode_cursor(Timeline(author_id=new_id()), bytes(24))
    with pytest.raises(ForeignCursorError):
        position_of(QUERY, other + "A" * 12)
