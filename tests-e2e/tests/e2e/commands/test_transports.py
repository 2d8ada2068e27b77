"""Each command by the other way: those that are asynchronous by default handled at once, and the other way round."""

import httpx
import pytest

from cheeper_e2e.actions.actions import EXAMPLES, Scene
from cheeper_e2e.authors import expect_error, expect_rejected, new_id, projected, settled
from cheeper_e2e.http.client import Client
from cheeper_local.running import RunningStack

SYNC_BY_DEFAULT = {"sign-up": "SignUp", "profile": "UpdateProfile", "email": "ChangeEmail"}
ASYNC_BY_DEFAULT = {
    "follow": "Follow",
    "unfollow": "Unfollow",
    "mute": "Mute",
    "unmute": "Unmute",
    "block": "Block",
    "unblock": "Unblock",
    "post": "PostCheep",
    "update": "UpdateCheep",
    "delete": "DeleteCheep",
    "answer": "AnswerCheep",
}
MAKES = {"sign-up", "follow", "post", "answer"}
SWAPPED = ",".join(
    [f"{command}=async" for command in SYNC_BY_DEFAULT.values()]
    + [f"{command}=sync" for command in ASYNC_BY_DEFAULT.values()]
)

pytestmark = pytest.mark.local


async def send(client, action, key=None):
    """An action with a key."""
    return await client.command(action.method, action.path, action.body, params=action.params, key=key)


async def scene_with_examples(client):
    """A scene in which each example does something."""
    scene = Scene(new_id())
    for number in (0, 1, 4):
        await projected(client, await send(client, scene.sign_up(number, username_of=number, email_of=number)))
    for action in (scene.follow(0, 1, 9), scene.mute(0, 1), scene.block(0, 4)):
        await projected(client, await send(client, action))
    await projected(client, await send(client, scene.post_cheep(0, 0, 0)))
    return scene


async def goes(client, name, *, at_once):
    """Send an example: that it is done or accepted, done again, repeated, and refused or rejected."""
    scene, key = await scene_with_examples(client), new_id()
    action = EXAMPLES[name](scene)
    first = await send(client, action, key)
    made = httpx.codes.CREATED if name in MAKES else httpx.codes.OK
    assert first.status == (made if at_once else httpx.codes.ACCEPTED), first.curl
    if at_once:  # it is done already, though not shown yet
        assert (await client.command_status(key, after=key, timeout=10)).data["changed"] is True
    await projected(client, first)
    assert (await send(client, action, key)).status == first.status
    if name != "sign-up":  # which is repeated by its key alone
        again = await projected(client, await send(client, action))
        assert again.status == (httpx.codes.OK if at_once else httpx.codes.ACCEPTED)
        assert (await settled(client, again.message_id)).data["changed"] is False
    stranger = EXAMPLES[name](Scene(new_id())) if name != "sign-up" else scene.sign_up(3, username_of=0, email_of=3)
    code = {"sign-up": "username_taken", "update": "cheep_not_found", "delete": "cheep_not_found"}.get(
        name, "author_not_found"
    )
    reply = await send(client, stranger)
    if at_once:
        expect_error(reply, 409 if name == "sign-up" else 404, code)
    else:
        await expect_rejected(client, reply, code)


@pytest.mark.parametrize("name", EXAMPLES)
async def test_the_default_is_the_books(client, name):
    """Sign-up and profile commands are done before their response, the others are accepted."""
    await goes(client, name, at_once=name in SYNC_BY_DEFAULT)


@pytest.fixture(scope="module")
def swapped():
    """The gateway of a stack with every command's transport swapped."""
    with RunningStack.temporary(
        environment={"COMMAND_TRANSPORTS": SWAPPED, "EMAIL_ADDRESSES_IN_KAFKA": "accepted"}
    ) as stack:
        yield stack.gateway


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.extended
@pytest.mark.takes(seconds=3)
async def test_each_command_goes_the_other_way_by_configuration(swapped, name):
    """With COMMAND_TRANSPORTS each command goes the other way, and has that way's response."""
    async with Client(swapped) as client:
        await goes(client, name, at_once=name in ASYNC_BY_DEFAULT)
