"""The page on timelines lists every command of Redis whose cost grows with a key, with its bound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "timelines.md"
GROWS = frozenset(
    {
        *("DEL", "HGETALL", "HKEYS", "HVALS", "KEYS", "LINDEX", "LINSERT", "LPOS", "LRANGE", "LREM", "LSET", "LTRIM"),
        *("MGET", "SCAN", "SDIFF", "SINTER", "SMEMBERS", "SORT", "SSCAN", "SUNION", "UNLINK", "ZDIFF", "ZINTER"),
        *("ZRANGE", "ZRANGEBYLEX", "ZRANGEBYSCORE", "ZREMRANGEBYLEX", "ZREMRANGEBYRANK", "ZREVRANGE"),
        *("ZREVRANGEBYLEX", "ZSCAN", "ZUNION"),
    }
)
"""The commands whose time depends on the number of elements or of keys, and not on its logarithm."""
METHODS = {"delete": "DEL", "scan_iter": "SCAN", "sscan_iter": "SSCAN", "zscan_iter": "ZSCAN"} | {
    command.lower(): command for command in GROWS
}
ROW = re.compile(r"^\| `(?P<file>[\w./-]+\.(?:lua|py))` \| `(?P<command>[A-Z]+)` \| (?P<bound>.+) \|$", re.MULTILINE)


def commands_in(path: Path) -> set[str]:
    """Return the commands that a file names: in a call from Lua or, in Python, as a method or a text."""
    text = path.read_text(encoding="utf-8")
    found = set(re.findall(r"""call\(\s*['"]([A-Z]+)['"]""", text)) | set(re.findall(r"""\("([A-Z]+)",""", text))
    if path.suffix == ".py":
        found |= {METHODS[name] for name in re.findall(r"(?:client|pipe|redis)\.(\w+)\(", text) if name in METHODS}
    return found & GROWS


def used() -> set[tuple[str, str]]:
    """Return each file of a service that talks to Redis, with each such command in it."""
    files = [path for path in ROOT.glob("services/*/src/**/*") if path.suffix == ".lua" or "redis" in path.as_posix()]
    return {
        (f"{path.relative_to(ROOT).parts[1]}/{path.name}", command)
        for path in files
        if path.suffix in {".lua", ".py"} and "mongo" not in path.as_posix()
        for command in commands_in(path)
    }


def test_every_command_whose_cost_grows_is_listed_with_its_bound() -> None:
    """A command that is new, or was deleted, fails here until its row says what bounds it."""
    listed = {(row["file"], row["command"]) for row in ROW.finditer(PAGE.read_text(encoding="utf-8"))}
    assert listed == used()


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("redis.call('LREM', key, 1, entry)", "LREM"),
        ('redis.pcall("KEYS", pattern)', "KEYS"),
        ("call('SMEMBERS', key)", "SMEMBERS"),
    ],
)
def test_a_command_in_lua_is_found(tmp_path: Path, line: str, command: str) -> None:
    """However it is called."""
    path = tmp_path / "some.lua"
    path.write_text(line)
    assert commands_in(path) == {command}


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("self._client.smembers(key)", "SMEMBERS"),
        ("pipe.delete(key)", "DEL"),
        ('yield ("LRANGE", key, 0, -1)', "LRANGE"),
    ],
)
def test_a_command_in_python_is_found(tmp_path: Path, line: str, command: str) -> None:
    """As a method of a client or a pipeline, or by its name."""
    path = tmp_path / "some.py"
    path.write_text(line)
    assert commands_in(path) == {command}
