"""A private certificate authority, and the certificates of servers that it signs."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAYS: Final = timedelta(days=2)


class Certificate(NamedTuple):
    """The files of a server: its certificate, its key, and both in one, all in PEM."""

    certificate: Path
    key: Path
    both: Path


class Authority:
    """An authority with its certificate in `file`. What it signs is put into the same folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "ca.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a private authority")])
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        builder = _builder(self._name, self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        signed = builder.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())
        self.file.write_bytes(signed.public_bytes(Encoding.PEM))

    def certificate(self, host: str, owner: int | None = None) -> Certificate:
        """Sign a certificate for a server at this address; `owner` is the id of the user who may read its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a server")])
        builder = _builder(name, self._name, key.public_key())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
        signed = builder.add_extension(names, critical=False).sign(self._key, hashes.SHA256())
        pem = signed.public_bytes(Encoding.PEM)
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        stem = self.file.with_name(str(signed.serial_number))
        made = Certificate(stem.with_suffix(".pem"), stem.with_suffix(".key"), stem.with_suffix(".both"))
        for file, content in zip(made, (pem, secret, secret + pem), strict=True):
            file.write_bytes(content)
            file.chmod(0o600)
            if owner is not None:
                os.chown(file, owner, -1)
        return made


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
        .not_valid_before(now - _DAYS)
        .not_valid_after(now + _DAYS)
    )
