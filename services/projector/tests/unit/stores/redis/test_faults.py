"""The errors of redis-py that pass."""

import pytest
from redis import exceptions

from projector.stores.base import StoreUnavailableError
from projector.stores.redis.faults import passing_faults

pytestmark = pytest.mark.proves(guarantee="transient-faults")


@pytest.mark.parametrize(
    "error",
    [
        exceptions.BusyLoadingError("Redis is loading the dataset in memory"),
        exceptions.WatchError("A BusyLoadingError occurred while watching one or more keys"),
        exceptions.ResponseError("MISCONF Redis is configured to save RDB snapshots"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_server_that_is_not_ready_yet_is_waited_for(error):
    """Also where redis-py wraps the server's error, as it does while a key is watched."""
    with pytest.raises(StoreUnavailableError), passing_faults():
        raise error
