"""The list of the features: each command with its handler, its endpoint, and its way to the handler.

A new command is a file for its handler and a row here.
"""

from __future__ import annotations

from typing import Final

import msgspec

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
from cheeper_contracts.http import routes
from cheeper_contracts.messages import Command
from write_api.bus.bus import Handler
from write_api.bus.dispatcher import Transport
from write_api.commands.answer_cheep import answer_cheep
from write_api.commands.block import block
from write_api.commands.change_email import change_email
from write_api.commands.delete_cheep import delete_cheep
from write_api.commands.end_follow_of_blocked import end_follow_of_blocked
from write_api.commands.follow import follow
from write_api.commands.mark_notifications_read import mark_notifications_read
from write_api.commands.mute import mute
from write_api.commands.notify_author_about_answer import notify_author_about_answer
from write_api.commands.notify_author_about_new_follower import notify_author_about_new_follower
from write_api.commands.post_cheep import post_cheep
from write_api.commands.sign_up import sign_up
from write_api.commands.unblock import unblock
from write_api.commands.unfollow import unfollow
from write_api.commands.unmute import unmute
from write_api.commands.update_cheep import update_cheep
from write_api.commands.update_profile import update_profile
from write_api.commands.welcome_author import welcome_author
from write_api.domain import block as block_rules
from write_api.domain import follow as follow_rules
from write_api.domain import mute as mute_rules
from write_api.domain.errors import (
    AuthorIdTaken,
    AuthorNotFound,
    Blocked,
    CannotBlockSelf,
    CannotFollowSelf,
    CannotMuteSelf,
    CheepIdTaken,
    CheepNotFound,
    EmailTaken,
    FollowIdTaken,
    NotificationNotFound,
    NotTheAuthor,
    TooManyFollows,
    TooManyFollowsADay,
    TooManyPostsADay,
    UsernameTaken,
)
from write_api.http.endpoint import Endpoint


class Feature(msgspec.Struct, frozen=True):
    """A command, its one handler, the endpoint where clients send it (None if only process managers do), and the
    transport that it takes unless the settings choose the other one.
    """

    command: type[Command]
    handler: Handler
    endpoint: Endpoint | None
    transport: Transport = Transport.ASYNC


FEATURES: Final = (
    Feature(
        SignUp,
        sign_up,
        Endpoint(
            "POST",
            routes.AUTHORS,
            ("author_id",),
            new_id="author_id",
            refusals=(AuthorIdTaken, UsernameTaken, EmailTaken),
            creates=routes.AUTHOR,
        ),
        Transport.SYNC,
    ),
    Feature(
        UpdateProfile,
        update_profile,
        Endpoint("PATCH", routes.AUTHOR, ("author_id",), refusals=(AuthorNotFound,)),
        Transport.SYNC,
    ),
    Feature(
        ChangeEmail,
        change_email,
        Endpoint("PUT", routes.EMAIL, ("author_id",), refusals=(AuthorNotFound, EmailTaken)),
        Transport.SYNC,
    ),
    Feature(
        Follow,
        follow,
        Endpoint(
            "POST",
            routes.FOLLOWS,
            ("follow_id", "from_author_id", "to_author_id"),
            new_id="follow_id",
            check=lambda command: follow_rules.refuse_self(command.from_author_id, command.to_author_id),
            refusals=(CannotFollowSelf, AuthorNotFound, Blocked, FollowIdTaken, TooManyFollows, TooManyFollowsADay),
            creates=routes.FOLLOWED,
        ),
    ),
    Feature(
        Unfollow,
        unfollow,
        Endpoint("DELETE", routes.FOLLOWED, ("from_author_id", "to_author_id"), refusals=(AuthorNotFound,)),
    ),
    Feature(
        PostCheep,
        post_cheep,
        Endpoint(
            "POST",
            routes.CHEEPS,
            ("cheep_id",),
            new_id="cheep_id",
            refusals=(AuthorNotFound, CheepIdTaken, TooManyPostsADay),
            creates=routes.CHEEP,
        ),
    ),
    Feature(
        UpdateCheep,
        update_cheep,
        Endpoint("PATCH", routes.CHEEP, ("cheep_id",), refusals=(CheepNotFound, NotTheAuthor)),
    ),
    Feature(
        DeleteCheep,
        delete_cheep,
        Endpoint("DELETE", routes.CHEEP, ("cheep_id",), refusals=(CheepNotFound, NotTheAuthor)),
    ),
    Feature(
        AnswerCheep,
        answer_cheep,
        Endpoint(
            "POST",
            routes.ANSWER,
            ("cheep_id", "in_reply_to"),
            new_id="cheep_id",
            refusals=(AuthorNotFound, CheepNotFound, Blocked, CheepIdTaken, TooManyPostsADay),
            creates=routes.CHEEP,
        ),
    ),
    Feature(
        Mute,
        mute,
        Endpoint(
            "PUT",
            routes.MUTED,
            ("author_id", "muted_id"),
            check=lambda command: mute_rules.refuse_self(command.author_id, command.muted_id),
            refusals=(CannotMuteSelf, AuthorNotFound),
        ),
    ),
    Feature(Unmute, unmute, Endpoint("DELETE", routes.MUTED, ("author_id", "muted_id"), refusals=(AuthorNotFound,))),
    Feature(
        Block,
        block,
        Endpoint(
            "PUT",
            routes.BLOCKED,
            ("author_id", "blocked_id"),
            check=lambda command: block_rules.refuse_self(command.author_id, command.blocked_id),
            refusals=(CannotBlockSelf, AuthorNotFound),
        ),
    ),
    Feature(
        Unblock, unblock, Endpoint("DELETE", routes.BLOCKED, ("author_id", "blocked_id"), refusals=(AuthorNotFound,))
    ),
    Feature(
        MarkNotificationsRead,
        mark_notifications_read,
        Endpoint(
            "PUT",
            routes.NOTIFICATIONS_READ,
            ("author_id", "notification_id"),
            refusals=(AuthorNotFound, NotificationNotFound),
        ),
    ),
    Feature(EndFollowOfBlocked, end_follow_of_blocked, None),
    Feature(WelcomeAuthor, welcome_author, None),
    Feature(NotifyAuthorAboutNewFollower, notify_author_about_new_follower, None),
    Feature(NotifyAuthorAboutAnswer, notify_author_about_answer, None),
)

HANDLERS: Final = {feature.command: feature.handler for feature in FEATURES}
ENDPOINTS: Final = {feature.command: feature.endpoint for feature in FEATURES if feature.endpoint is not None}
TRANSPORTS: Final = {feature.command: feature.transport for feature in FEATURES}
