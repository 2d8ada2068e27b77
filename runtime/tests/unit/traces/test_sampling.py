import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import AlwaysRecordSampler, TraceIdRatioBased

from cheeper_runtime.traces.sampling import share_of


@pytest.mark.parametrize(
    ("name", "ratio", "share"),
    [
        ("always_on", "", 1.0),
        ("always_off", "", 0.0),
        ("traceidratio", "0.25", 0.25),
        ("traceidratio", "0.00001", 0.00001),
        ("traceidratio", "rubbish", 1.0),
        ("parentbased_always_on", "", 1.0),
        ("parentbased_always_off", "", 0.0),
        ("parentbased_traceidratio", "0.01", 0.01),
        ("no-sampler", "", 1.0),
    ],
)
def test_the_share_is_that_of_the_sampler_that_the_environment_names(monkeypatch, name, ratio, share):
    """Each sampler of the standard's variables has its share, which the SDK reads, with the SDK's defaults."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", name)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", ratio)
    assert share_of(TracerProvider(shutdown_on_exit=False).sampler) == share


def test_a_sampler_without_a_share_is_refused():
    """A sampler that decides by something else is no share."""
    with pytest.raises(ValueError, match="AlwaysRecordSampler"):
        share_of(AlwaysRecordSampler(TraceIdRatioBased(0.5)))
