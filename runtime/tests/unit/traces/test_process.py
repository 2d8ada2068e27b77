import subprocess
import sys

from cheeper_runtime.traces import ENDPOINT, tracer, tracing


def test_traces_are_off_without_a_collector():
    """A process whose environment names no collector has no tracer."""
    for environ in ({}, {ENDPOINT: ""}):
        with tracing("tests", environ) as given:
            assert given is None
            assert tracer() is None


def test_a_process_has_a_tracer_while_it_runs(monkeypatch):
    """The tracer is there for the block, and with it the processor of the log."""
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    with tracing("tests", {ENDPOINT: "http://127.0.0.1:9"}) as given:
        assert given is not None
        assert tracer() is given
    assert tracer() is None


def test_without_traces_nothing_of_them_is_imported():
    """A process without a collector never imports OpenTelemetry."""
    code = (
        "import sys; from cheeper_runtime.traces import tracing, asgi, conventions, traceparent\n"
        "with tracing('tests', {}): pass\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
