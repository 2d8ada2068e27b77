"""The backend of a store: one factory for all that works on it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from cheeper_contracts.views.generations import FIRST
from projector.stores.base import AcceptedCommands, LagReports, ParkedMessages, Store
from projector.stores.registry import Generations


class Backend(Protocol):
    """Makes the adapters of one kind of store. Each has connections of its own, and connects at its first use."""

    @property
    def name(self) -> str:
        """The store's name on the command line, in logs and in metrics."""

    @property
    def has_tasks(self) -> bool:
        """True if its stores leave tasks."""

    def store(self, generation: int = FIRST) -> Store:
        """Make the store of a generation."""

    def generations(self) -> Generations:
        """Make the registry of generations."""

    def parked_messages(self, generation: int = FIRST) -> ParkedMessages:
        """Make the parked messages of a generation."""

    def lag_reports(self) -> LagReports:
        """Make the lag reports of all generations."""

    def accepted_commands(self) -> AcceptedCommands | None:
        """Make the records of accepted commands, or return None if the store keeps none."""

    def users(self, passwords: Path) -> str:
        """Make the users of the store, with the passwords in the folder. Return what is left to do for it: the text of
        a file for the server, or nothing.
        """
