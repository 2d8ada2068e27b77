"""The text that a started stack prints."""

from __future__ import annotations

from cheeper_local.runner import prometheus, roles
from cheeper_local.runner.stack import Stack
from cheeper_local.settings import Settings
from cheeper_local.system.ports import HOST

FIRST_WORDS = "Cheeper is ready"


def greeting(stack: Stack) -> str:
    """Return where the gateway, data and logs are, where each server runs, and a request to try."""
    gateway = stack.settings.gateway
    lines = [
        f"{FIRST_WORDS}: {gateway}",
        f"  web page  {gateway}/",
        f"  API       {gateway}/docs",
        f"  data      {stack.folder.path}",
        f"  logs      {stack.folder.logs}",
    ]
    if stack.settings.inspector:
        lines.insert(2, f"  inspector {gateway}/#/inspect")
    for server in stack.servers.by_name.values():
        elsewhere = "" if server.data.is_relative_to(stack.folder.path) else f" (data in {server.data.parent})"
        lines.append(f"  {server.name:<9} {HOST}:{server.port}  {server.origin}{elsewhere}")
    lines.append(f"  {roles.GATEWAY:<9} {HOST}:{stack.settings.port:<5}  {roles.caddy().origin}")
    if not stack.servers.broker_is_durable:
        lines.append(f"The broker is Tansu: {stack.choice.reason}. It keeps its data in memory: after a restart,")
        lines.append("events come back from the outbox; the worker is drained before the broker stops.")
    lines += _mode(stack.settings) + _observed(stack)
    path, body = "author", '{"username": "alice", "email": "alice@example.org"}'
    if stack.settings.own_issuer:
        lines.append(f"Mails with the codes of new accounts are files in {stack.folder.path / roles.MAIL}.")
        path, body = "account", '{"email": "alice@example.org"}'
    lines += ["Try:", f"  curl -s {gateway}/{path} -H 'Content-Type: application/json' -d '{body}'"]
    return "\n".join(lines)


def _observed(stack: Stack) -> list[str]:
    if not stack.settings.observe:
        return []
    child = stack.children.get(prometheus.NAME)
    if child is None:
        return [f"OBSERVE: {prometheus.HOW_TO_GET_IT}, then start the stack anew."]
    return [f"OBSERVE: Prometheus with the alerts of docs/operations.md: http://{HOST}:{child.spec.port}/alerts"]


def _mode(settings: Settings) -> list[str]:
    if settings.auth == "open":
        return ["AUTH=open: every program on this machine may act as every author, as in the book."]
    return ["AUTH=tokens: a command needs a token of the author who acts; see docs/api.md, Callers."]
