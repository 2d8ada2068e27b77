"""Back-pressure by the worker's lag."""

import pytest

from cheeper_runtime.concurrency.limit import OverloadedError
from write_api.bus.back_pressure import BackPressure


class Count:
    """Counts its calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1


@pytest.fixture
def count():
    return Count()


@pytest.fixture
def pressure(count):
    return BackPressure(10, count)


@pytest.mark.parametrize("lag", [None, 0, 10])
def test_a_lag_within_the_bound_or_unknown_refuses_nothing(pressure, count, lag):
    """A command is admitted, and nothing is counted."""
    pressure.measured(11)
    pressure.measured(lag)
    pressure.admit()
    assert count.calls == 0


def test_before_the_first_measurement_nothing_is_refused(pressure, count):
    """A process that starts does not know the lag yet."""
    pressure.admit()
    assert count.calls == 0


def test_a_lag_over_the_bound_refuses_each_command(pressure, count):
    """Each refusal is counted, until a measurement is within the bound."""
    pressure.measured(11)
    for _ in range(3):
        with pytest.raises(OverloadedError, match="worker"):
            pressure.admit()
    assert count.calls == 3
    pressure.measured(10)
    pressure.admit()
