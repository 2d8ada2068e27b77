import pytest
from confluent_kafka import KafkaError, KafkaException

from write_api.bus.errors import UnavailableError
from write_api.kafka.errors import transient_faults


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KafkaException(KafkaError(KafkaError.REQUEST_TIMED_OUT)), "REQUEST_TIMED_OUT"),
        (TimeoutError(), "no response in time"),
    ],
)
def test_a_broker_that_does_not_respond_is_unavailable(error, reason):
    """`migrate` waits for a slow broker as for one that is not there, instead of ending with a traceback."""
    with pytest.raises(UnavailableError, match=reason), transient_faults():
        raise error


def test_a_defect_stays_one():
    """Only what the broker does is worth another attempt."""
    with pytest.raises(ZeroDivisionError), transient_faults():
        raise ZeroDivisionError
