import pytest

from cheeper_runtime.servers import files


def test_a_password_has_no_line_end(password_file):
    """An editor ends the line, and the password is the same."""
    assert files.password_of(password_file) == "secret"
    assert files.password_file(str(password_file)) == password_file


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
def test_a_file_without_a_password_is_refused(tmp_path, content):
    """A file that is missing, empty or not text has no password."""
    if content is not None:
        (tmp_path / "password").write_bytes(content)
    with pytest.raises(ValueError, match="must be a file with a password that this process can read"):
        files.password_file(str(tmp_path / "password"))


def test_a_file_of_authorities_is_accepted(authorities):
    """It has a certificate in PEM."""
    assert files.ca_file(str(authorities)) == authorities


@pytest.mark.parametrize(
    "content", [None, b"", b"secret", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_a_file_without_a_certificate_is_refused(tmp_path, content):
    """No connection would be possible, and the error would name no setting."""
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    with pytest.raises(ValueError, match="must be a file with certificates in PEM that this process can read"):
        files.ca_file(str(tmp_path / "ca.pem"))


def test_a_path_with_a_nul_is_no_file():
    """The system cannot open it, which Python reports in another way than a missing file."""
    for read in (files.ca_file, files.password_file):
        with pytest.raises(ValueError, match="must be a file"):
            read("\0")


def test_a_folder_of_passwords_has_one_for_each_name(tmp_path):
    """The names of those that are missing or empty are reported, and no password is."""
    (tmp_path / "ann").write_text("secret")
    (tmp_path / "bob").write_text("\n")
    assert files.folder_of_passwords(str(tmp_path), ["ann"]) == tmp_path
    with pytest.raises(ValueError, match=r"missing: bob, cid$"):
        files.folder_of_passwords(str(tmp_path), ["ann", "bob", "cid"])
