"""The outcomes of commands, as GET /command shows them."""

from __future__ import annotations

from typing import Final

from cheeper_e2e.http.client import Client, Reply
from cheeper_e2e.oracle.write_model import Row, WriteModel

_OUTCOME: Final = "SELECT outcome FROM handled_commands WHERE message_id = %s"


async def differences(client: Client, model: WriteModel, message_ids: list[str]) -> list[str]:
    """Return where a status differs at rest: rejected with its code and sentence, or projected."""
    sentences = []
    for message_id in message_ids:
        [row] = model.rows(_OUTCOME, message_id)
        reply = await client.command_status(message_id)
        if row["outcome"] is None:
            sentences.append(f"the command of {reply.curl} was never handled")
        else:
            sentences += _differing(reply, row["outcome"])
    return sentences


def _differing(reply: Reply, outcome: Row) -> list[str]:
    if outcome["code"] is not None:
        wanted = {"status": "rejected", "code": outcome["code"], "message": outcome["message"]}
    else:
        wanted = {"status": "projected", "changed": outcome["changed"]}
    found = {name: reply.data.get(name) for name in wanted}
    return [] if found == wanted else [f"{reply.curl} returns {reply.data}, not {wanted}"]
