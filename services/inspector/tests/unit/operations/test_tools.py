"""Tools as processes: modules of Python's own stand for them."""

import asyncio

import pytest

from inspector.operations.requests import CommandLine
from inspector.operations.tools import Tools, environment_of

MODULES = {"audit": "platform", "projector": "timeit", "write-api": "json.tool"}


def test_a_tool_has_its_own_variables_before_the_others():
    """A variable with the tool's name replaces the common one, in both of its forms, for that tool alone."""
    environ = {
        "DATABASE_URL": "common",
        "REDIS_URL": "common",
        "AUDIT_DATABASE_URL_FILE": "file",
        "WRITE_API_REDIS_URL": "own",
        "PROJECTOR_REDIS_URL": "",
    }
    audit = environment_of("audit", environ)
    assert ("DATABASE_URL" in audit, audit["DATABASE_URL_FILE"], audit["REDIS_URL"]) == (False, "file", "common")
    assert environment_of("write-api", environ)["REDIS_URL"] == "own"
    assert environment_of("projector", environ)["REDIS_URL"] == "common"
    again = environment_of("audit", {"URL_FILE": "common", "AUDIT_URL": "own"})
    assert ("URL_FILE" in again, again["URL"]) == (False, "own")


async def test_lines_and_exit_code():
    """The lines of both streams arrive, and the exit code is the tool's."""
    lines = []
    tools = Tools({"PATH": ""}, MODULES)
    assert await tools(CommandLine("audit", ()), lines.append) == 0
    assert len(lines) == 1
    assert await tools(CommandLine("write-api", ("--nothing",)), lines.append) != 0
    assert "--nothing" in lines[-1]


async def test_a_cancelled_tool_is_stopped():
    """The process has ended when the cancelled call returns."""
    tools = Tools({"PATH": ""}, MODULES)
    printed = asyncio.Event()
    line = CommandLine("projector", ("-n1", "-r1", "import time; print('begun', flush=True); time.sleep(600)"))
    running = asyncio.create_task(tools(line, lambda _: printed.set()))
    await printed.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
