import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
VARIABLE = re.compile(r'"([A-Z]+(?:_[A-Z]+)+|HOST|PORT)"')


def test_every_setting_is_named():
    """Each variable of the environment that a service reads is in the README's table."""
    read = {
        name for module in ROOT.glob("services/*/src/*/settings.py") for name in VARIABLE.findall(module.read_text())
    }
    told = set(re.findall(r"`([A-Z_]+)`", (ROOT / "README.md").read_text()))
    assert {"DATABASE_URL", "COMMAND_TRANSPORTS", "FANOUT_SLICE"} <= read
    assert read - told == set()
