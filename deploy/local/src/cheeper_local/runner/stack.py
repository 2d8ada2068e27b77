"""The stack: servers, then migrate, then the roles and the gateway; stopped in order."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable
from typing import Any, Final

from cheeper_local.errors import LocalError
from cheeper_local.runner import contents, probe, prometheus, roles
from cheeper_local.runner.child import Child, Spec, describe_exit
from cheeper_local.runner.draining import has_drained
from cheeper_local.runner.output import RUNNER, Output
from cheeper_local.runner.server_set import BROKER, LIMITS, NAMES, ServerSet
from cheeper_local.servers import choose_broker
from cheeper_local.settings import Settings
from cheeper_local.stack_folder import StackFolder
from cheeper_local.system.ports import is_free

WORKER_GROUP: Final = "cheeper.worker"
COMMANDS_TOPIC: Final = "cheeper.commands"
_READY_SECONDS = 120.0
_REPORT_SECONDS = 10.0
_PAUSE = 0.1
_TOO_MANY_DEATHS = 3
_MIGRATED = ("postgres", BROKER)
_OK = 200


class Stack:
    """A stack in its folder. `start` raises LocalError; `stop` leaves no process, also after a part of the start."""

    def __init__(
        self,
        settings: Settings,
        folder: StackFolder,
        output: Output,
        *,
        keep_open: tuple[int, ...] = (),
        commands: roles.Commands | None = None,
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.output = output
        self.control: dict[str, Any] = {}
        self.state = "starting"
        self._keep_open = keep_open
        self.choice = choose_broker(settings.broker)
        self.roles = roles.Roles(settings, folder.path, commands or roles.real_commands())
        names = [name for group in self.roles.names().values() for name in group]
        names += [prometheus.NAME] if self.roles.observer else []
        servers = (*NAMES, LIMITS) if settings.shares_limits else NAMES
        self._ports = folder.ports([*servers, *names])
        self.servers = ServerSet(
            folder.path,
            folder.logs,
            servers,
            self._ports,
            self.choice,
            output,
            keep_open=keep_open,
            on_change=self.write_state,
        )
        self.children: dict[str, Child] = {}

    async def start(self) -> None:
        """Start everything and wait until it is ready."""
        if not is_free(self.settings.port):
            raise LocalError(
                f"Port {self.settings.port} is in use: end the process that listens there, or choose another port for "
                "the gateway, such as PORT=8100 make up."
            )
        await self.servers.start_all()
        await self.migrate()
        for spec in self.roles.specs(self.servers.urls, self._ports):
            self.children[spec.name] = self._child(spec)
        await self._start_in_order(self.children.values())

    def announce(self) -> None:
        """Write to the state file that the stack is ready."""
        self.state = "ready"
        self.write_state()

    async def migrate(self) -> None:
        """Make schema and topics, and the schemas of accounts and of operations if there are any. Raises LocalError."""
        await self._run_once(self.roles.migrate(self.servers.urls), "write-api migrate")
        self.output.report("migrate", "schema and topics up to date")
        further = {
            "identity migrate": self.roles.migrate_identity(self.servers.urls),
            "inspector migrate": self.roles.migrate_operations(self.servers.urls),
        }
        for title, spec in further.items():
            if spec is not None:
                await self._run_once(spec, title)
                self.output.report(spec.name, "schema up to date")

    async def _run_once(self, spec: Spec, title: str) -> None:
        child = self._child(spec)
        self.output.brief = True
        try:
            code = await child.run_once()
        finally:
            self.output.brief = False
        if code != 0:
            raise LocalError(f"{title} failed ({describe_exit(code)}): {child.last_line}")

    async def wait_ready(self, children: Iterable[Child]) -> None:
        """Wait until each is ready. Raises LocalError if one cannot start or takes too long."""
        await asyncio.gather(*(self._wait_ready(child) for child in children))

    async def stop(self, *, at_once: bool = False) -> None:
        """End everything in order."""
        self.state = "stopping"
        self.write_state()
        for step in roles.STOP_ORDER:
            if "worker" in step and not self.servers.broker_is_durable and not at_once:
                await self._drain_worker()
            ending = [child for child in self.children.values() if child.spec.role in step]
            await asyncio.gather(*(child.stop(at_once=at_once) for child in ending))
        await self.servers.stop_all()
        self.folder.remove_state()

    async def empty(self) -> None:
        """Empty every store and topic while only the gateway runs, then start the other processes again."""
        inner = [child for child in self.children.values() if child.spec.role != roles.GATEWAY and child.wanted]
        for step in roles.STOP_ORDER:
            await asyncio.gather(*(child.stop() for child in inner if child.spec.role in step))
        await asyncio.to_thread(contents.empty_all, roles.environment(self.servers.urls))
        await self.migrate()
        await self._start_in_order(inner)

    async def server(self, name: str, action: str) -> None:
        """Start, stop, kill or wipe a server, or save or restore its data. Raises LocalError."""
        if name not in self.servers.by_name:
            raise LocalError(f"There is no server {name!r}; the servers are {', '.join(self.servers.by_name)}.")
        actions = {
            "start": self.servers.start,
            "stop": self.servers.stop,
            "kill": self.servers.kill,
            "wipe": self.servers.wipe,
            "save": self.servers.save,
            "restore": self.servers.restore,
        }
        if action not in actions:
            raise LocalError(f"There is no action {action!r} for a server; the actions are {', '.join(actions)}.")
        await actions[action](name)
        if action == "start" and name in _MIGRATED and all(self.servers.by_name[each].running for each in _MIGRATED):
            await self.migrate()

    def chosen(self, name: str) -> list[Child]:
        """Return the process of that name, or all of that role. Raises LocalError if there is none."""
        found = [child for child in self.children.values() if name in (child.spec.name, child.spec.role)]
        if not found:
            raise LocalError(f"There is no process {name!r}; the processes are {', '.join(self.children)}.")
        return found

    def write_state(self) -> None:
        """Write the state file."""
        self.folder.write_state(self.description())

    def description(self) -> dict[str, Any]:
        """Return the content of the state file: what runs, where, and the runner's control port."""
        servers = self.servers.by_name
        return {
            "pid": os.getpid(),
            "state": self.state,
            "gateway": self.settings.gateway,
            "data": str(self.folder.path),
            "logs": str(self.folder.logs),
            "step": self.settings.step,
            "broker": servers[BROKER].name,
            "control": self.control,
            "environment": roles.environment(self.servers.urls),
            "servers": {name: {"address": each.address, "pid": each.pid} for name, each in servers.items()},
            "processes": {
                name: {
                    "role": child.spec.role,
                    "port": child.spec.port,
                    "health": child.spec.health,
                    "pid": child.pid,
                    "restarts": child.restarts,
                }
                for name, child in self.children.items()
            },
        }

    def _child(self, spec: Spec) -> Child:
        return Child(spec, self.output, keep_open=self._keep_open, on_change=self.write_state)

    async def _start_in_order(self, children: Iterable[Child]) -> None:
        """Start identity before the processes that fetch its keys when they start."""
        given = list(children)
        issuers = [child for child in given if child.spec.role == roles.IDENTITY]
        await self._start_children(issuers)
        await self._start_children(child for child in given if child not in issuers)

    async def _start_children(self, children: Iterable[Child]) -> None:
        """Start the processes, and report each one once it is ready: their own lines say no more while all is well."""

        async def start(child: Child) -> None:
            child.start()
            await self._wait_ready(child)
            self.output.report(child.spec.name, "ready")

        self.output.brief = True
        try:
            await asyncio.gather(*(start(child) for child in children))
        finally:
            self.output.brief = False

    async def _wait_ready(self, child: Child) -> None:
        began, deaths = time.monotonic(), child.restarts
        deadline, next_report = began + _READY_SECONDS, began + _REPORT_SECONDS
        while True:
            status, body = await probe.get(child.spec.port, child.spec.health)
            if status == _OK:
                return
            if child.restarts - deaths >= _TOO_MANY_DEATHS:
                reason = describe_exit(child.last_code or 0)
                raise LocalError(f"{child.spec.name} cannot start ({reason}): {child.last_line}")
            if time.monotonic() > deadline:
                needs = probe.unmet_needs(body)
                raise LocalError(f"{child.spec.name} was not ready within {_READY_SECONDS:g} s: {needs}")
            if time.monotonic() > next_report:
                self.output.report(child.spec.name, f"waiting: {probe.unmet_needs(body)}" if status else "starting")
                next_report += _REPORT_SECONDS
            await asyncio.sleep(_PAUSE)

    async def _drain_worker(self) -> None:
        """Let the worker handle what was accepted, since the broker keeps its data in memory only."""
        bootstrap, prefix = self.servers.urls[BROKER], roles.environment(self.servers.urls)["TOPIC_PREFIX"]
        if not self.servers.by_name[BROKER].running:
            return
        group, topic = prefix + WORKER_GROUP, prefix + COMMANDS_TOPIC
        working = any(child.pid for child in self.children.values() if child.spec.role == "worker")
        if not (working and await has_drained(bootstrap, group, topic)):
            self.output.report(RUNNER, "accepted commands that are not handled yet are lost: Tansu keeps no data")
