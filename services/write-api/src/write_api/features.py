"""The list of what this service does: each command with its handler, its endpoint, and how it gets to its handler.

A new command is a file for its handler, a file for its endpoint, and a row here.
"""

from __future__ import annotations

from typing import Final

import msgspec
from litestar.handlers import HTTPRouteHandler

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
from write_api.http.endpoints.answer_cheep import take_answer_cheep
from write_api.http.endpoints.change_email import take_change_email
from write_api.http.endpoints.delete_cheep import take_delete_cheep
from write_api.http.endpoints.follow import take_follow
from write_api.http.endpoints.post_cheep import take_post_cheep
from write_api.http.endpoints.sign_up import take_sign_up
from write_api.http.endpoints.unfollow import take_unfollow
from write_api.http.endpoints.update_cheep import take_update_cheep
from write_api.http.endpoints.update_profile import take_update_profile


class Feature(msgspec.Struct, frozen=True):
    """A command, its one handler, where clients send it (none where only process managers do), and its transport
    where the settings name no other.
    """

    command: type[Command]
    handler: Handler
    endpoint: HTTPRouteHandler | None
    transport: Transport = Transport.ASYNC


FEATURES: Final = (
    Feature(SignUp, sign_up, take_sign_up, Transport.SYNC),
    Feature(UpdateProfile, update_profile, take_update_profile, Transport.SYNC),
    Feature(ChangeEmail, change_email, take_change_email, Transport.SYNC),
    Feature(Follow, follow, take_follow),
    Feature(Unfollow, unfollow, take_unfollow),
    Feature(PostCheep, post_cheep, take_post_cheep),
    Feature(UpdateCheep, update_cheep, take_update_cheep),
    Feature(DeleteCheep, delete_cheep, take_delete_cheep),
    Feature(AnswerCheep, answer_cheep, take_answer_cheep),
    Feature(WelcomeAuthor, welcome_author, None),
    Feature(NotifyAuthorAboutNewFollower, notify_author_about_new_follower, None),
    Feature(NotifyAuthorAboutAnswer, notify_author_about_answer, None),
)

HANDLERS: Final = {feature.command: feature.handler for feature in FEATURES}
ENDPOINTS: Final = tuple(feature.endpoint for feature in FEATURES if feature.endpoint is not None)
TRANSPORTS: Final = {feature.command: feature.transport for feature in FEATURES}
