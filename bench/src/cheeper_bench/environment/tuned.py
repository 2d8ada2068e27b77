"""A PostgreSQL with settings that differ from those of the local stack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from typing_extensions import override

from cheeper_local.servers import Postgres
from cheeper_local.servers.base import Command


class TunedPostgres(Postgres):
    """The stack's PostgreSQL with some settings of its own, which win over the stack's."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        super().__init__(folder)
        self._settings = settings

    @override
    def command(self) -> Command:
        ours = super().command()
        more = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        return ours._replace(line=[*ours.line, *more])
