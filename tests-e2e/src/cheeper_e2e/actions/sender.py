"""The sender of actions. It keeps the replies, and can write its requests as a shell script."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import groupby
from typing import Final

import httpx
import msgspec

from cheeper_e2e.actions.actions import Action
from cheeper_e2e.authors import settled
from cheeper_e2e.console import Tick, no_tick
from cheeper_e2e.http.client import Client, Reply
from cheeper_e2e.http.parallel import in_parallel

_OK: Final = {httpx.codes.OK, httpx.codes.CREATED, httpx.codes.ACCEPTED}
_ASKING_AT_ONCE: Final = 16


class SentAction(msgspec.Struct, frozen=True):
    """An action that a stream received, and the reply."""

    action: Action
    reply: Reply


class Line(msgspec.Struct, frozen=True):
    """A line of the story and the step that it was sent in. One without an action is a remark about all."""

    step: int
    text: str
    action: Action | None = None


class Sender:
    """Sends actions through a client and checks each response as far as it is certain.

    `sent` holds what the streams received, in the order of the replies.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.sent: list[SentAction] = []
        self.requests = 0
        self._story: list[Line] = []
        self._step = 0
        self._settled = 0

    async def send(self, action: Action) -> None:
        """Send one. Raise AssertionError where it is neither accepted nor refused with one of the action's codes."""
        reply = await self._command(action, None)
        code = reply.data.get("code")
        if action.certain is not None:
            _expect(reply, certain=code == action.certain)
            return
        _expect(reply, certain=reply.status in _OK or code in action.refusals)
        self.sent.append(SentAction(action, reply))

    async def repeat(self, sent: SentAction) -> None:
        """Send it again with its key. Raise AssertionError where the response is another one."""
        reply = await self._command(sent.action, sent.reply.message_id)
        if (reply.status, reply.data) != (sent.reply.status, sent.reply.data):
            first, then = (f"{each.status} {each.data}" for each in (sent.reply, reply))
            raise AssertionError(f"first {first}, then {then}: {reply.curl}")

    async def reuse_key(self, sent: SentAction, action: Action) -> None:
        """Send another action with its key. Raise AssertionError where the response is not 409 `message_id_reused`."""
        reply = await self._command(action, sent.reply.message_id)
        _expect(reply, certain=(reply.status, reply.data.get("code")) == (409, "message_id_reused"))

    def begin_step(self) -> None:
        """Begin a step: its commands come after all before it, in any order among themselves."""
        self._step += 1

    async def settle(self, patience: float, tick: Tick = no_tick) -> None:
        """Wait until each command's effects show in all views, or it was rejected. Raise AssertionError as
        `wait_until_settled` does.
        """
        sent = [each.reply.message_id for each in self.sent[self._settled :]]
        self._settled += len(sent)
        await wait_until_settled(self._client, sent, time.monotonic() + patience, tick)
        self.begin_step()
        self._story.append(Line(self._step, "# until all of it shows in the views"))
        self.begin_step()

    def story(self, about: str = "") -> str:
        """The requests as a shell script, or those that name an id. What went side by side goes so again."""
        lines = [line for line in self._story if line.action is None or line.action.is_about(about)]
        # Between two waits others' requests may have been left out.
        shown = (
            line
            for line, before in zip(lines, [None, *lines], strict=False)
            if line.action or (before and before.action)
        )
        return "\n".join(_script(shown))

    async def _command(self, action: Action, key: str | None) -> Reply:
        step = self._step
        reply = await self._client.command(action.method, action.path, action.body, params=action.params, key=key)
        self.requests += 1
        self._story.append(Line(step, f"{reply.curl}  # {reply.status}", action))
        return reply


async def wait_until_settled(client: Client, message_ids: Iterable[str], deadline: float, tick: Tick = no_tick) -> None:
    """Wait until each command is projected or rejected. Raise AssertionError where one is not by that moment."""

    async def wait(message_id: str) -> None:
        await settled(client, message_id, patience=deadline - time.monotonic())
        tick()

    await in_parallel((partial(wait, message_id) for message_id in message_ids), _ASKING_AT_ONCE)


def _script(lines: Iterable[Line]) -> Iterator[str]:
    for _, step in groupby(lines, key=lambda line: line.step):
        texts = [line.text for line in step]
        if len(texts) == 1:
            yield texts[0]
        else:
            yield from (text.replace("  # ", " &  # ") for text in texts)
            yield "wait"


def _expect(reply: Reply, *, certain: bool) -> None:
    if not certain:
        raise AssertionError(f"the response was {reply.status} {reply.data}: {reply.curl}")
