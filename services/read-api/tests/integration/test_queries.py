"""Runs the queries' unit tests against real stores, so that the fakes cannot differ from them.

Each test that uses the seeds (`hot`, `documents`) is imported from `tests/unit/queries`, and gets the fixtures of this
folder in place of the fakes.
"""

import inspect
import sys
from importlib import import_module
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "unit" / "queries"
SEEDS = {"hot", "documents", "ask", "cheeps"}

sys.path.insert(0, str(FOLDER))
for path in sorted(FOLDER.glob("test_*.py")):
    pytest.register_assert_rewrite(path.stem)
    module = import_module(path.stem)
    proves = getattr(module, "pytestmark", lambda test: test)
    for name, value in vars(module).items():
        fixture = type(value).__name__ == "FixtureFunctionDefinition"
        if fixture:
            globals()[name] = value
        elif name.startswith("test_") and SEEDS & inspect.signature(value).parameters.keys():
            globals()[f"{name}__{path.stem.removeprefix('test_')}"] = proves(value)
sys.path.remove(str(FOLDER))
