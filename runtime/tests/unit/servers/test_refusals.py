"""The texts are those of psycopg 3.2, redis-py, PyMongo and librdkafka, as a server with TLS and users caused them."""

import ssl

import pytest

from cheeper_runtime.servers.refusals import no_answer, refusal

AUTHORITY = "its certificate is of no authority that is trusted here"
NAME = "its certificate has another name than the one by which it is reached"
LOGIN = "it refuses the user or the password"
FOUND = {
    'connection to server at "10.0.0.1", port 5432 failed: SSL error: certificate verify failed': AUTHORITY,
    'connection to server at "10.0.0.1", port 5432 failed: SSL error: provider signature failure': AUTHORITY,
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate signature "
    "failure (_ssl.c:1006).": AUTHORITY,
    "x:27017: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate": (
        AUTHORITY
    ),
    "sasl_ssl://x:9092/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker "
    "certificate could not be verified, verify that ssl.ca.location is correctly configured": (
        "its certificate has another name, or is of no authority that is trusted here"
    ),
    'failed: server certificate for "x" (and 1 other name) does not match host name "y"': NAME,
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate is not": NAME,
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: IP address mismatch, certificate is not valid": NAME,
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)": (
        "its certificate has expired or is not valid yet"
    ),
    'FATAL:  password authentication failed for user "cheeper_app"': LOGIN,
    "invalid username-password pair or user is disabled.": LOGIN,
    "WRONGPASS invalid username-password pair or user is disabled.": LOGIN,
    "Authentication failed., full error: {'ok': 0.0, 'code': 18, 'codeName': 'AuthenticationFailed'}": LOGIN,
    "sasl_ssl://x:9092/bootstrap: SASL authentication error: Authentication failed during authentication due to "
    "invalid credentials with SASL mechanism SCRAM-SHA-512": LOGIN,
}


@pytest.mark.parametrize("text", FOUND)
def test_a_refusal_is_found_in_what_each_driver_writes(text):
    """The reason names what an operator has to correct, and no host or user."""
    assert refusal(OSError(text)) == FOUND[text]


@pytest.mark.parametrize("text", ["connection refused", "timed out", "FATAL: the database system is starting up", ""])
def test_other_errors_are_no_refusals(text):
    """A server that is down has refused nobody's certificate or login."""
    assert refusal(OSError(text)) is None


def test_the_cause_of_an_error_is_read_too():
    """Drivers and stores raise errors of their own from the socket's."""
    error = RuntimeError("redis: does not answer")
    error.__cause__ = ssl.SSLCertVerificationError("certificate verify failed")
    assert refusal(error) == AUTHORITY


def test_no_answer_names_the_refusal_or_the_type():
    """The text of an error may name hosts, and readiness shows the reason to anyone."""
    assert no_answer(OSError('password authentication failed for user "x"')) == f"no answer: {LOGIN}"
    assert no_answer(ConnectionResetError("10.0.0.1")) == "no answer: ConnectionResetError"
