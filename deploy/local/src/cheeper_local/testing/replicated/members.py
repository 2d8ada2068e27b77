"""Members that replicate to each other: started together, and one of them killed or frozen for a while."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Generic, Literal, TypeVar

from cheeper_local.servers import Server
from cheeper_local.testing.faults.base import frozen
from cheeper_local.waiting import until

M = TypeVar("M", bound=Server)
How = Literal["killed", "frozen"]
HOW: Final[tuple[How, ...]] = ("killed", "frozen")


class Members(ABC, Generic[M]):
    """The members of one set. `how` a member fails is "killed", as by a power cut, or "frozen": it accepts connections
    and responds to nothing.
    """

    def __init__(self, members: Sequence[M]) -> None:
        self.members = members

    @property
    @abstractmethod
    def url(self) -> str:
        """The URL for clients, which names all members."""

    @abstractmethod
    def is_whole(self) -> bool:
        """Check that every member takes part."""

    def start(self) -> None:
        """Start all members side by side, and wait until the set is whole. Raise LocalError, with none left running."""
        try:
            for member in self.members:
                member.prepare()
            for member in self.members:
                member.spawn()
            for member in self.members:
                member.wait_ready()
            self.join()
            self.wait_whole()
        except BaseException:
            self.wipe()
            raise

    def join(self) -> None:
        """Make a set of members that do not know each other yet."""

    def wait_whole(self) -> None:
        """Wait until every member takes part. Raise TimeoutError."""
        until(self.is_whole, what="every member takes part")

    def wipe(self) -> None:
        """End all members and remove their data."""
        for member in self.members:
            member.wipe()

    @contextmanager
    def failed(self, member: M, how: How) -> Iterator[None]:
        """Let a member fail while a block lasts. Return at once when it ends: `wait_whole` waits for the member."""
        if how == "frozen":
            with frozen(member):
                yield
            return
        member.kill()
        try:
            yield
        finally:
            member.prepare()
            member.spawn()
