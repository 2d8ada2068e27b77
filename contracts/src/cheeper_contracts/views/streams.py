"""Streams: the channels of Redis on which the projector reports changes of lists to the processes that stream them.

A process that has open streams subscribes to `all_streams`, and for each reader whose timeline it streams to
`stream_of`. Nothing is published while nobody subscribes to the first, and nothing about a reader to whom nobody
subscribes. A message is one byte of its kind, and then:

    CHEEP        an entry and the cheep's record; the cheep is new in the reader's timeline
    OWN          an entry and the cheep's record; the reader has posted the cheep itself
    FOLLOWED     the author's id; the reader follows the author now, whose cheeps are in the timeline
    UNFOLLOWED   the author's id; the author's cheeps are out of the timeline
    NOTIFICATIONS  nothing; the reader's notifications have changed, in MongoDB once it has applied as much as Redis
    RECORD       an entry and the cheep's record, which is empty if the cheep was deleted: to `all_streams`
    REFRESH      nothing; anything may have changed: to `all_streams`

A message is published in the call that makes the change, so the messages of a reader are in the order of the changes.
Only the generation that is live publishes, and a switch to another one publishes REFRESH. Pub/sub keeps nothing:
whoever was not subscribed reads the timeline.
"""

from __future__ import annotations

from typing import Final

from cheeper_contracts.views.redis import stem

ALL_STREAMS: Final = "streams"
STREAM_OF: Final = "stream:"

CHEEP: Final = b"c"
OWN: Final = b"o"
FOLLOWED: Final = b"f"
UNFOLLOWED: Final = b"u"
NOTIFICATIONS: Final = b"n"
RECORD: Final = b"r"
REFRESH: Final = b"*"


def all_streams(prefix: str) -> str:
    """Return the channel of what concerns all streams; `prefix` is the installation's, whichever generation is live."""
    return stem(prefix) + ALL_STREAMS


def stream_of(prefix: str, reader_id: str) -> str:
    """Return the channel of what concerns one reader's timeline."""
    return stem(prefix) + STREAM_OF + reader_id


def lua_channels() -> str:
    """Return Lua that declares the table STREAM: the names of the channels without the stem, and the kinds."""
    kinds = {
        "CHEEP": CHEEP,
        "OWN": OWN,
        "FOLLOWED": FOLLOWED,
        "UNFOLLOWED": UNFOLLOWED,
        "NOTIFICATIONS": NOTIFICATIONS,
        "RECORD": RECORD,
        "REFRESH": REFRESH,
    }
    fields = [f"ALL = '{ALL_STREAMS}'", f"OF = '{STREAM_OF}'"]
    fields += [f"{name} = '{kind.decode()}'" for name, kind in kinds.items()]
    return f"local STREAM = {{{', '.join(fields)}}}\n"
