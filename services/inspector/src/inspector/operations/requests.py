"""The actions that an operator may request, each with the command line that does it and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec

Store = Literal["redis", "mongo"]
Server = Literal["postgres", "redis", "mongo"]
Tool = Literal["write-api", "projector", "audit"]

Reason = Annotated[str, msgspec.Meta(min_length=3, max_length=500, pattern=r"^[^\x00]*$")]
_Number = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
_Key = Annotated[str, msgspec.Meta(max_length=1_000, pattern=r"^[^\x00]*$")]
_Id = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^([0-9]{1,18}|(redis|mongo):[0-9]{1,4}:[^\x00]+)$")]

SUCCEEDED: Final = "succeeded"
DIFFERENT: Final = "different"
"""The outcome of an audit that found differences, all of which may have been repaired since."""
FAILED: Final = "failed"
STOPPED: Final = "stopped"
UNKNOWN: Final = "unknown"
"""The outcome of an action whose process ended before it."""

_SHORT: Final = 300
_LONG: Final = 6 * 3600


class CommandLine(msgspec.Struct, frozen=True):
    """The command line of a tool, without the tool's name."""

    tool: Tool
    arguments: tuple[str, ...]


class Request(msgspec.Struct, frozen=True, kw_only=True, tag_field="action", forbid_unknown_fields=True):
    """A request: its action is the tag, and its `reason` is for the trail. It is stopped after SECONDS."""

    reason: Reason

    SECONDS: ClassVar[int] = _SHORT
    OUTCOMES: ClassVar[Mapping[int, str]] = {0: SUCCEEDED}

    @property
    def command_line(self) -> CommandLine:
        """The command line that does it."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """The action's name."""
        return str(self.__struct_config__.tag)

    @property
    def parameters(self) -> dict[str, Any]:
        """Everything else that was requested."""
        fields = msgspec.structs.asdict(self)
        return {name: value for name, value in fields.items() if name != "reason"}

    def outcome(self, exit_code: int) -> str:
        """Return the outcome of a command line that ended with that code."""
        return self.OUTCOMES.get(exit_code, FAILED)

    def shown(self, line: str) -> str:
        """Return a line of the output as it is shown and kept, without what authors wrote."""
        return line


class Replay(Request, frozen=True, kw_only=True, tag="replay"):
    """Handle or apply the failed messages of a key in order, or of all keys if it is None."""

    server: Server
    key: _Key | None = None

    @property
    def command_line(self) -> CommandLine:
        """The command line that does it. A key may look like an option."""
        which = ("--all",) if self.key is None else ("--", self.key)
        if self.server == "postgres":
            return CommandLine("write-api", ("dead-letters", "replay", *which))
        return CommandLine("projector", ("dead-letters", "replay", "--store", self.server, *which))


class Drop(Request, frozen=True, kw_only=True, tag="drop"):
    """Remove one failed message for good. The id is that of the list of failed messages."""

    id: _Id

    @property
    def command_line(self) -> CommandLine:
        """The command line that does it."""
        tool: Tool = "write-api" if self.id.isdecimal() else "projector"
        return CommandLine(tool, ("dead-letters", "drop", self.id, "--yes"))


class Rebuild(Request, frozen=True, kw_only=True, tag="rebuild"):
    """Fill a new generation of a store's views, or continue to fill one that was not completed."""

    SECONDS: ClassVar[int] = _LONG

    store: Store

    @property
    def command_line(self) -> CommandLine:
        """The command line that does it."""
        return CommandLine("projector", ("rebuild", "--store", self.store))


class Switch(Request, frozen=True, kw_only=True, tag="switch"):
    """Show readers another generation."""

    store: Store
    generation: _Number

    @property
    def command_line(self) -> CommandLine:
        """The command line that does it."""
        return CommandLine("projector", ("switch", "--store", self.store, "--generation", str(self.generation)))


class RollBack(Request, frozen=True, kw_only=True, tag="roll-back"):
    """Show readers the generation that was live before."""

    store: Store

    @property
    def command_line(self) -> CommandLine:
        """The command line that does it."""
        return CommandLine("projector", ("rollback", "--store", self.store))


class Forget(Request, frozen=True, kw_only=True, tag="forget"):
    """Delete a generation that is not live."""

    store: Store
    generation: _Number

    @property
    def command_line(self) -> CommandLine:
        """The command line that does it."""
        return CommandLine("projector", ("forget", "--store", self.store, "--generation", str(self.generation)))


class _Audit(Request, frozen=True, kw_only=True):
    """An action of the audit, whose lines name each difference without the texts in it."""

    SECONDS: ClassVar[int] = _LONG
    OUTCOMES: ClassVar[Mapping[int, str]] = {0: SUCCEEDED, 1: DIFFERENT}

    def shown(self, line: str) -> str:
        """Return the place and the faults of a difference, which comes as JSON; a sentence as it is."""
        try:
            found = msgspec.json.decode(line, type=_Difference)
        except msgspec.MsgspecError:
            return line
        faults = "; ".join(f"is {_masked(each.found)}, should be {_masked(each.expected)}" for each in found.faults[:3])
        repaired = "; repaired" if found.repaired else ""
        return f"{found.store} {found.view} {found.id}: {faults}{repaired}"


class Audit(_Audit, frozen=True, kw_only=True, tag="audit"):
    """Compare all views with the write model while the system is in use."""

    @property
    def command_line(self) -> CommandLine:
        """The command line that does it."""
        return CommandLine("audit", ("--in-service", "--json"))


class Repair(_Audit, frozen=True, kw_only=True, tag="repair"):
    """Compare all views with the write model and repair what differs, while nothing is on its way."""

    @property
    def command_line(self) -> CommandLine:
        """The command line that does it."""
        return CommandLine("audit", ("--repair", "--json"))


class Compare(_Audit, frozen=True, kw_only=True, tag="compare"):
    """Compare a generation with the write model. If they are equal, readers can be shown it."""

    store: Store
    generation: _Number

    @property
    def command_line(self) -> CommandLine:
        """The command line that does it."""
        which = ("--store", self.store, "--generation", str(self.generation))
        return CommandLine("audit", ("--in-service", "--json", *which))


AnyRequest = Replay | Drop | Rebuild | Compare | Switch | RollBack | Forget | Audit | Repair


class _Fault(msgspec.Struct, frozen=True):
    found: str
    expected: str


class _Difference(msgspec.Struct, frozen=True):
    store: str
    view: str
    id: str
    faults: tuple[_Fault, ...]
    repaired: bool = False


def _masked(text: str) -> str:
    """Return the text up to its first quote, which begins what may be an author's text."""
    for position, character in enumerate(text):
        if character in "'\"":
            return f"{text[:position]}•••"
    return text
