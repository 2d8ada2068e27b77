"""One example of every message, from which the golden files under contracts/examples were once written.

A golden file is never written again: it holds what consumers have already seen. A new message, or a new version of one,
gets an example here and, by `generate.py`, a file of its own.
"""

from __future__ import annotations

from typing import Final

from cheeper_contracts import commands, events
from cheeper_contracts.envelope import Envelope

BOB: Final = "a64a52cc-3ee9-4a15-918b-099e18b43119"
ALICE: Final = "1fd7d739-2ad7-41a8-8c18-565603e3733f"
CHEEP: Final = "28bc90bd-2dfb-4b71-962f-81f02b0b3149"
FOLLOW: Final = "8cc71bf2-f827-4c92-95a5-43bb1bc622ad"
COMMAND_ID: Final = "0195a1c8-52f4-7c7e-9d3a-4f6b2a1c0d11"
EVENT_ID: Final = "0195a1c8-52f9-7b1f-8a27-90f0c7b45e22"
MOMENT: Final = 1_647_292_130_123_456  # 2022-03-14T21:08:50.123456+00:00

Message = commands.Command | events.Event

EXAMPLES: Final[tuple[Message, ...]] = (
    commands.SignUp(
        author_id=BOB,
        username="bob",
        email="bob@bob.com",
        name="Bob",
        bio="Builder",
        location="Barcelona",
        website="https://bob.example/",
        birth_date="1980-01-31",
    ),
    commands.Follow(follow_id=FOLLOW, from_author_id=ALICE, to_author_id=BOB),
    commands.PostCheep(cheep_id=CHEEP, author_id=BOB, message="Hello world, this is Bob \N{EARTH GLOBE EUROPE-AFRICA}"),
    events.NewAuthorSigned(
        author_id=BOB,
        username="bob",
        signed_up_at=MOMENT,
        name="Bob",
        bio="Builder",
        location="Barcelona",
        website="https://bob.example/",
        birth_date="1980-01-31",
    ),
    events.AuthorFollowed(follow_id=FOLLOW, from_author_id=ALICE, to_author_id=BOB, followed_at=MOMENT),
    events.CheepPosted(
        cheep_id=CHEEP,
        author_id=BOB,
        author_username="bob",
        message="Hello world, this is Bob \N{EARTH GLOBE EUROPE-AFRICA}",
        cheep_date=MOMENT,
    ),
    events.CommandHandled(command_type=commands.Follow.TYPE, command_key=BOB),
    events.CommandRejected(
        command_type=commands.PostCheep.TYPE,
        command_key=BOB,
        code="author_not_found",
        message=f'Author "{BOB}" does not exist',
    ),
)


def envelope_of(message: Message) -> Envelope:
    """The envelope that the example travels in: a command has neither cause nor sequence, an event both."""
    is_event = isinstance(message, events.Event)
    return Envelope(
        message_id=EVENT_ID if is_event else COMMAND_ID,
        type=message.TYPE,
        source="/write-api/worker" if is_event else "/write-api/http",
        time=MOMENT,
        key=message.key,
        correlation_id=COMMAND_ID,
        reply_to=COMMAND_ID if is_event else None,
        sequence=7 if is_event else None,
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
