"""CheeperDiskFull on a real file system that is filled, by a real node_exporter and a real Prometheus."""

import shutil
import signal
import subprocess
from contextlib import contextmanager, suppress

import httpx
import pytest

from cheeper_local.runner import prometheus
from cheeper_local.system import processes
from cheeper_local.system.binaries import on_path
from cheeper_local.system.ports import HOST, free_port
from cheeper_local.testing.faults.small_disk import may_mount
from cheeper_local.waiting import until

SPEED = 60
"""The rule waits for a sixtieth of its time."""
MEGABYTES = 16
EXPORTER = on_path("node_exporter", "prometheus-node-exporter")

pytestmark = [
    pytest.mark.extended,
    pytest.mark.skipif(prometheus.program() is None, reason=prometheus.HOW_TO_GET_IT),
    pytest.mark.skipif(
        EXPORTER is None, reason="no node_exporter on the PATH: apt-get install prometheus-node-exporter"
    ),
    pytest.mark.skipif(
        shutil.which("mkfs.ext4") is None or not may_mount(), reason="a file system needs root's rights"
    ),
]


@pytest.fixture
def disk(tmp_path):
    """The folder of a file system of 16 MB, which is not in memory."""
    image, folder = tmp_path / "disk", tmp_path / "mounted"
    image.write_bytes(b"\0" * MEGABYTES * 1024**2)
    folder.mkdir()
    system("mkfs.ext4", "-q", image)
    try:
        system("mount", "-o", "loop", image, folder)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no loop device can be mounted: {error.stderr.strip()}")
    yield folder
    system("umount", folder)


def system(*command):
    """Run one of root's programs."""
    subprocess.run([shutil.which(command[0]), *command[1:]], check=True, capture_output=True, text=True)


@contextmanager
def running(command, log):
    """Run a program for the duration of a block."""
    with log.open("ab") as output:
        process = processes.spawn(command, output=output)
    try:
        yield
    finally:
        processes.stop(process, signal.SIGTERM, 20)


@pytest.fixture
def firing(tmp_path):
    """Return whether the alert fires for a mount point: `firing(folder)`."""
    exporter, port = free_port(), free_port()
    collect = ["--collector.disable-defaults", "--collector.filesystem", f"--web.listen-address={HOST}:{exporter}"]
    spec = prometheus.spec(prometheus.program(), tmp_path / "prometheus", port, {"node-exporter": exporter}, SPEED)

    def query(expression):
        with suppress(httpx.TransportError):
            found = httpx.get(f"http://{HOST}:{port}/api/v1/query", params={"query": expression}, timeout=30)
            return found.json()["data"]["result"] if found.status_code == httpx.codes.OK else []
        return []

    with (
        running([EXPORTER, *collect], tmp_path / "exporter.log"),
        running(spec.command, tmp_path / "prometheus.log"),
    ):
        until(lambda: query('node_filesystem_avail_bytes{fstype="ext4"}'), what="the exporter is scraped")
        yield lambda folder: query(f'ALERTS{{alertname="CheeperDiskFull", alertstate="firing", mountpoint="{folder}"}}')


def test_a_full_disk_fires_its_alert_until_there_is_room(disk, firing):
    """The alert fires for the mount point of a full file system, and is clear once the space is free."""
    assert not firing(disk)
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"\0" * 65536):
            pass
    until(lambda: firing(disk), what="the alert fires")
    filler.unlink()
    until(lambda: not firing(disk), what="the alert is clear")
