"""Running a role beside its pages."""

import gc

import pytest

from cheeper_local.system.ports import HOST, free_port
from cheeper_runtime.metrics.page import new_registry
from cheeper_runtime.readiness.needs import Readiness
from write_api.http.health import create_health_app
from write_api.ops.run_role import run_role


@pytest.fixture(autouse=True)
def _thaw():
    yield
    gc.unfreeze()


async def test_the_collector_leaves_out_what_was_imported():
    """It would scan imported modules every few thousand messages. Broken by a `run_role` that does not freeze them."""

    async def work(_stop):
        return gc.get_freeze_count()

    gc.unfreeze()
    assert await run_role(HOST, free_port(), create_health_app(Readiness(), {}, new_registry()), work) > 10_000
