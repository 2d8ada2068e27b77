import pytest

from cheeper_runtime import settings
from cheeper_runtime.servers.kafka import KafkaConnection, known

BROKER = {"KAFKA_BOOTSTRAP_SERVERS": "h:1,i:2"}


@pytest.fixture
def secure(authorities, password_file):
    """Return the variables of a connection that is encrypted and logs in."""
    return {
        **BROKER,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_USERNAME": "relay",
        "KAFKA_SASL_PASSWORD_FILE": str(password_file),
        "KAFKA_CA_FILE": str(authorities),
    }


def read(environ):
    return settings.read(KafkaConnection, environ)


def test_the_address_is_enough():
    """A broker on the same machine has neither certificates nor users."""
    assert read(BROKER) == KafkaConnection("h:1,i:2")
    assert read(BROKER).client_settings() == {
        "bootstrap.servers": "h:1,i:2",
        "security.protocol": "plaintext",
        "socket.timeout.ms": 10_000,
    }


def test_every_part_reaches_the_client(secure, authorities):
    """The words are librdkafka's, and the variables are those of Kafka's users."""
    assert read(secure).client_settings() == {
        "bootstrap.servers": "h:1,i:2",
        "security.protocol": "sasl_ssl",
        "socket.timeout.ms": 10_000,
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "relay",
        "sasl.password": "secret",
        "ssl.ca.location": str(authorities),
    }
    plain = {**secure, "KAFKA_SASL_MECHANISM": "PLAIN"}
    assert read(plain).client_settings()["sasl.mechanism"] == "PLAIN"


def test_the_password_is_no_part_of_the_connection(secure):
    """Settings may be logged, and a changed password is used by the next client."""
    connection = read(secure)
    assert "secret" not in repr(connection)
    connection.sasl_password_file.write_text("changed")
    assert connection.client_settings()["sasl.password"] == "changed"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"KAFKA_BOOTSTRAP_SERVERS": ""}, "KAFKA_BOOTSTRAP_SERVERS is not set"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "tls"},
            "KAFKA_SECURITY_PROTOCOL must be one of plaintext, ssl, sasl_plaintext, sasl_ssl",
        ),
        (
            {"KAFKA_SASL_MECHANISM": "gssapi"},
            "KAFKA_SASL_MECHANISM must be one of scram-sha-512, scram-sha-256, plain",
        ),
        (
            {"KAFKA_SASL_USERNAME": ""},
            "KAFKA_SASL_USERNAME is not set, but KAFKA_SECURITY_PROTOCOL=sasl_ssl needs it",
        ),
        (
            {"KAFKA_SASL_PASSWORD_FILE": ""},
            "KAFKA_SASL_PASSWORD_FILE is not set, but KAFKA_SECURITY_PROTOCOL=sasl_ssl needs it",
        ),
        (
            {"KAFKA_SASL_PASSWORD_FILE": "/secret"},
            "KAFKA_SASL_PASSWORD_FILE must be a file with a password that this process can read",
        ),
        (
            {"KAFKA_CA_FILE": "/nowhere"},
            "KAFKA_CA_FILE must be a file with certificates in PEM that this process can read",
        ),
        (
            {"KAFKA_SECURITY_PROTOCOL": ""},
            "KAFKA_SASL_USERNAME has no effect unless KAFKA_SECURITY_PROTOCOL is sasl_ssl or sasl_plaintext",
        ),
        (
            {"KAFKA_SECURITY_PROTOCOL": "ssl", "KAFKA_SASL_USERNAME": ""},
            "KAFKA_SASL_PASSWORD_FILE has no effect unless KAFKA_SECURITY_PROTOCOL is sasl_ssl or sasl_plaintext",
        ),
        (
            {"KAFKA_SECURITY_PROTOCOL": "sasl_plaintext"},
            "KAFKA_CA_FILE has no effect unless KAFKA_SECURITY_PROTOCOL is ssl or sasl_ssl",
        ),
        (
            {"KAFKA_SECURITY_PROTOCOL": "sasl_plaintext", "KAFKA_CA_FILE": "", "KAFKA_SASL_MECHANISM": "plain"},
            "KAFKA_SASL_MECHANISM=plain sends the password: KAFKA_SECURITY_PROTOCOL must be sasl_ssl",
        ),
    ],
)
def test_what_is_wrong_or_has_no_effect_is_refused(secure, change, reason):
    """The error is one sentence that names the variables, without a password."""
    with pytest.raises(settings.SettingError) as caught:
        read({**secure, **change})
    assert str(caught.value) == reason


@pytest.mark.parametrize("offset", [-1, -1001])
def test_an_offset_below_zero_is_not_the_end_of_a_log(offset):
    """An offset that the brokers do not know is requested again, and never taken for a log that became shorter."""
    assert known({0: 0, 1: 7}) == {0: 0, 1: 7}
    with pytest.raises(TimeoutError, match="partition 1"):
        known({0: 0, 1: offset})
