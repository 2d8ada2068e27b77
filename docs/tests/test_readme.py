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
    fields = set(names_of(importlib.import_module(f"{path.parent.name}.settings").Settings))
    return {name for name in fields if name.isupper()} - FIXED | set(VARIABLE.findall(path.read_text()))


def names_of(declared):
    """The names of a struct's fields, with those of a struct in the place of its field."""
    for field in msgspec.structs.fields(declared):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from names_of(field.type)
        else:
            yield field.encode_name


def test_every_setting_is_named():
    """Each variable of the environment that a service reads is in docs/configuration.md."""
    read = set().union(*map(variables_of, ROOT.glob("services/*/src/*/settings.py")))
    documented = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs" / "configuration.md").read_text()))
    assert {"DATABASE_URL", "COMMAND_TRANSPORTS", "FANOUT_SLICE", "REDIS_URL", "KAFKA_CA_FILE"} <= read
    assert read - documented == set()
