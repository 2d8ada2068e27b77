"""The list of generations over fake tools."""

import pytest

from cheeper_audit.stores import StoreUnavailableError
from inspector.operations.generations import read_generations


async def test_each_line_is_a_generation(tools):
    """The list is what the command line prints."""
    tools.lines = ['{"store":"redis","generation":1,"live":true}', '{"store":"mongo","generation":1,"live":true}']
    assert [each["store"] for each in await read_generations(tools)] == ["redis", "mongo"]
    assert tools.ran[0].arguments == ("generations",)


@pytest.mark.parametrize(
    ("lines", "exit_code", "reason"),
    [
        (["projector: Redis is unavailable"], 1, "Redis is unavailable"),
        ([], 1, "could not"),
        (["no JSON"], 0, "could not"),
    ],
)
async def test_a_failure_has_the_tools_sentence(tools, lines, exit_code, reason):
    """A store that is unavailable is named as the tool names it."""
    tools.lines, tools.exit_code = lines, exit_code
    with pytest.raises(StoreUnavailableError, match=reason):
        await read_generations(tools)
