"""The list of the features: each command with its handler, its endpoint, and its way to the handler.

A new command is a file for its handler and a row here.
"""

from __future__ import annotations

from typing import Final

import msgspec

from cheeper_contracts.commands.answer_cheep import AnswerCheep
from cheeper_contracts.commands.change_email import ChangeEmail
from cheeper_contracts.commands.delete_cheep import DeleteCheep
from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.notify_author_about_answer import NotifyAuthorAboutAnswer
from cheeper_contracts.commands.notify_author_about_new_follower import NotifyAuthorAboutNewFollower
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.commands.unfollow import Unfollow
from cheeper_contracts.commands.update_cheep import UpdateCheep
from cheeper_contracts.commands.update_profile import UpdateProfile
from cheeper_contracts.commands.welcome_author import WelcomeAuthor
from cheeper_contracts.http import routes
from cheeper_contracts.messages import Command
from write_api.bus.bus import Handler
from write_api.bus.dispatcher import Transport
from write_api.commands.answer_cheep import answer_cheep
from write_api.commands.change_email import change_email
from write_api.commands.delete_cheep import delete_cheep
from write_api.commands.follow import follow
from write_api.commands.notify_author_about_answer import notify_author_about_answer
from write_api.commands.notify_author_about_new_follower import notify_author_about_new_follower
from write_api.commands.post_cheep import post_cheep
from write_api.commands.sign_up import sign_up
from write_api.commands.unfollow import unfollow
from write_api.commands.update_cheep import update_cheep
from write_api.commands.update_profile import update_profile
from write_api.commands.welcome_author import welcome_author
from write_api.domain.follow import refuse_self
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
    Feature(SignUp, sign_up, Endpoint("POST", routes.AUTHORS, ("author_id",), new_id="author_id"), Transport.SYNC),
    Feature(UpdateProfile, update_profile, Endpoint("PATCH", routes.AUTHOR, ("author_id",)), Transport.SYNC),
    Feature(ChangeEmail, change_email, Endpoint("PUT", routes.EMAIL, ("author_id",)), Transport.SYNC),
    Feature(
        Follow,
        follow,
        Endpoint(
            "POST",
            routes.FOLLOWS,
            ("follow_id", "from_author_id", "to_author_id"),
            new_id="follow_id",
            check=lambda command: refuse_self(command.from_author_id, command.to_author_id),
        ),
    ),
    Feature(Unfollow, unfollow, Endpoint("DELETE", routes.FOLLOWED, ("from_author_id", "to_author_id"))),
    Feature(PostCheep, post_cheep, Endpoint("POST", routes.CHEEPS, ("cheep_id",), new_id="cheep_id")),
    Feature(UpdateCheep, update_cheep, Endpoint("PATCH", routes.CHEEP, ("cheep_id",))),
    Feature(DeleteCheep, delete_cheep, Endpoint("DELETE", routes.CHEEP, ("cheep_id",))),
    Feature(AnswerCheep, answer_cheep, Endpoint("POST", routes.ANSWER, ("cheep_id", "in_reply_to"), new_id="cheep_id")),
    Feature(WelcomeAuthor, welcome_author, None),
    Feature(NotifyAuthorAboutNewFollower, notify_author_about_new_follower, None),
    Feature(NotifyAuthorAboutAnswer, notify_author_about_answer, None),
)

HANDLERS: Final = {feature.command: feature.handler for feature in FEATURES}
ENDPOINTS: Final = {feature.command: feature.endpoint for feature in FEATURES if feature.endpoint is not None}
TRANSPORTS: Final = {feature.command: feature.transport for feature in FEATURES}
