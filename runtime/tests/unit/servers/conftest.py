from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding


@pytest.fixture(scope="session")
def authorities(tmp_path_factory):
    """Return the path of a file with the certificate of an authority."""
    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("authorities") / "ca.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return file


@pytest.fixture
def password_file(tmp_path):
    """Return the path of a file with a password."""
    file = tmp_path / "password"
    file.write_text("secret\n")
    return file
