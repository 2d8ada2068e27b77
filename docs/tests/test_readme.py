import importlib
import re
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
VARIABLE = re.compile(r'"([A-Z]+(?:_[A-Z]+)+|HOST|PORT)"')
FIXED = {"ROLE"}
"""The fields of settings that the command line sets, and not the environment."""


def variables_of(path):
    """The variables that a module of settings reads: those of its struct, and those that it names itself."""
    declared = importlib.import_module(f"{path.parent.name}.settings").Settings
    fields = {field.encode_name for field in msgspec.structs.fields(declared)}
    return {name for name in fields if name.isupper()} - FIXED | set(VARIABLE.findall(path.read_text()))


def test_every_setting_is_named():
    """Each variable of the environment that a service reads is in the README's table."""
    read = set().union(*map(variables_of, ROOT.glob("services/*/src/*/settings.py")))
    told = set(re.findall(r"`([A-Z_]+)`", (ROOT / "README.md").read_text()))
    assert {"DATABASE_URL", "COMMAND_TRANSPORTS", "FANOUT_SLICE", "REDIS_URL"} <= read
    assert read - told == set()
