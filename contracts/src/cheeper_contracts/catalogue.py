"""The table of all messages: each command, and the event that it leaves where it changes something.

A new command or event is a file of its own and a row here.
"""

from __future__ import annotations

from typing import Final

from cheeper_contracts.commands.answer_cheep import AnswerCheep
from cheeper_contracts.commands.block import Block
from cheeper_contracts.commands.change_email import ChangeEmail
from cheeper_contracts.commands.delete_cheep import DeleteCheep
from cheeper_contracts.commands.end_follow_of_blocked import EndFollowOfBlocked
from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.mark_notifications_read import MarkNotificationsRead
from cheeper_contracts.commands.mute import Mute
from cheeper_contracts.commands.notify_author_about_answer import NotifyAuthorAboutAnswer
from cheeper_contracts.commands.notify_author_about_new_follower import NotifyAuthorAboutNewFollower
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.commands.unblock import Unblock
from cheeper_contracts.commands.unfollow import Unfollow
from cheeper_contracts.commands.unmute import Unmute
from cheeper_contracts.commands.update_cheep import UpdateCheep
from cheeper_contracts.commands.update_profile import UpdateProfile
from cheeper_contracts.commands.welcome_author import WelcomeAuthor
from cheeper_contracts.events.author_blocked import AuthorBlocked
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.author_muted import AuthorMuted
from cheeper_contracts.events.author_notified import AuthorNotified
from cheeper_contracts.events.author_unblocked import AuthorUnblocked
from cheeper_contracts.events.author_unfollowed import AuthorUnfollowed
from cheeper_contracts.events.author_unmuted import AuthorUnmuted
from cheeper_contracts.events.cheep_answered import CheepAnswered
from cheeper_contracts.events.cheep_deleted import CheepDeleted
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.events.cheep_updated import CheepUpdated
from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.events.command_rejected import CommandRejected
from cheeper_contracts.events.email_changed import EmailChanged
from cheeper_contracts.events.follow_of_blocked_ended import FollowOfBlockedEnded
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from cheeper_contracts.events.notifications_read import NotificationsRead
from cheeper_contracts.events.profile_updated import ProfileUpdated
from cheeper_contracts.messages import Command, Event

LEADS_TO: Final[dict[type[Command], type[Event]]] = {
    SignUp: NewAuthorSigned,
    UpdateProfile: ProfileUpdated,
    ChangeEmail: EmailChanged,
    Follow: AuthorFollowed,
    Unfollow: AuthorUnfollowed,
    PostCheep: CheepPosted,
    UpdateCheep: CheepUpdated,
    DeleteCheep: CheepDeleted,
    AnswerCheep: CheepAnswered,
    Mute: AuthorMuted,
    Unmute: AuthorUnmuted,
    Block: AuthorBlocked,
    Unblock: AuthorUnblocked,
    MarkNotificationsRead: NotificationsRead,
    EndFollowOfBlocked: FollowOfBlockedEnded,
    WelcomeAuthor: AuthorNotified,
    NotifyAuthorAboutNewFollower: AuthorNotified,
    NotifyAuthorAboutAnswer: AuthorNotified,
}

COMMANDS: Final = tuple(LEADS_TO)
OUTCOMES: Final = (CommandHandled, CommandRejected)
"""The outcomes of commands that changed nothing."""
EVENTS: Final[tuple[type[Event], ...]] = (*dict.fromkeys(LEADS_TO.values()), *OUTCOMES)

_NOTIFIES: Final[dict[str, type[Command]]] = {
    "welcome": WelcomeAuthor,
    "new_follower": NotifyAuthorAboutNewFollower,
    "answer": NotifyAuthorAboutAnswer,
}
_SETTLES: Final = {event: command.TYPE for command, event in LEADS_TO.items()}


def command_type_of(event: Event) -> str:
    """Return the type of the command that an event settles."""
    if isinstance(event, OUTCOMES):
        return event.command_type
    if isinstance(event, AuthorNotified):
        return _NOTIFIES[event.kind].TYPE
    return _SETTLES[type(event)]
