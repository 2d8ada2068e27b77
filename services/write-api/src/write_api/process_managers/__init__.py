"""The process managers (the book's event handlers). Each is a pure function that returns the command that follows from
an event and its envelope, or None.

A new one is a file of its own and a row here. The ids of a command derive from the event's, so that a redelivered event
leads to the very same command, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cheeper_contracts.events.author_blocked import AuthorBlocked
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.cheep_answered import CheepAnswered
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.messages import Command, Event
from write_api.process_managers.end_follow_of_blocked import end_follow_of_blocked
from write_api.process_managers.notify_author_about_answer import notify_author_about_answer
from write_api.process_managers.notify_author_about_new_follower import notify_author_about_new_follower
from write_api.process_managers.welcome_author import welcome_author

ProcessManager = Callable[[Any, Envelope], Command | None]

PROCESS_MANAGERS: Final[Mapping[type[Event], tuple[ProcessManager, ...]]] = {
    NewAuthorSigned: (welcome_author,),
    AuthorFollowed: (notify_author_about_new_follower,),
    CheepAnswered: (notify_author_about_answer,),
    AuthorBlocked: (end_follow_of_blocked,),
}
