"""docs/operations.md: every procedure is run as printed, in order, on a stack of its own."""

import os
import re
import subprocess
import uuid
from contextlib import nullcontext
from pathlib import Path

import httpx
import psycopg
import pytest
from confluent_kafka import Producer

from cheeper_local.running import RunningStack
from cheeper_local.system.ports import free_port

CLONE = Path(__file__).parents[4]
PAGE = CLONE / "docs" / "operations.md"
PART = re.compile(r"^## (.+?)$|^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def procedures():
    """Every shell block of the page with the heading that it stands below; the first one is the shell's set-up."""
    heading, found = "", []
    for part in PART.finditer(PAGE.read_text()):
        heading = part[1] or heading
        if part[2]:
            found.append((heading, part[2]))
    return found


class Operator:
    """Runs blocks of the page with bash, from the root of the clone, on the stack of one data folder."""

    def __init__(self, data, port, set_up):
        self.data, self.set_up = data, set_up
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {**os.environ, "DATA": str(data), "PORT": str(port)}

    def run(self, block):
        """Run a block, which must succeed. Return what it prints."""
        done = subprocess.run(
            ["/bin/bash", "-euc", self.set_up + block],
            cwd=CLONE,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def sign_up(self):
        """Sign an author up, so that each procedure has something to lose."""
        name = f"op{uuid.uuid4().hex[:12]}"
        body = {"username": name, "email": f"{name}@example.com"}
        assert httpx.post(f"{self.url}/author", json=body, timeout=60).status_code == httpx.codes.CREATED

    def environment_of_stack(self):
        return RunningStack.of(self.data).environment


def hold_the_relay(operator, _block):
    """Open a transaction that has an id, with a message behind it, and leave it open."""
    connection = psycopg.connect(operator.environment_of_stack()["DATABASE_URL"])
    connection.execute("SELECT pg_current_xact_id()")
    operator.sign_up()
    return connection


def send_poison(operator, block):
    """Send a command that cannot be decoded, and wait until the worker has parked it."""
    if "dead-letters list" not in block:
        return
    producer = Producer({"bootstrap.servers": operator.environment_of_stack()["KAFKA_BOOTSTRAP_SERVERS"]})
    producer.produce("cheeper.commands", key=str(uuid.uuid4()), value=b"no command")
    assert producer.flush(60) == 0
    return


BEFORE = {"A stuck relay": hold_the_relay, "Poison messages": send_poison}
AFTER_STOP = {"Stop, and remove", "Start, upgrade, scale"}


@pytest.mark.local
@pytest.mark.timeout(1500)
@pytest.mark.extended
@pytest.mark.takes(seconds=150)
def test_each_procedure_works_as_printed(tmp_path):
    """Every block of the page succeeds, and the views equal the write model after them."""
    tmp_path.chmod(0o755)  # PostgreSQL runs as another user if the tests run as root
    (_, set_up), *blocks = procedures()
    assert {heading for heading, _ in blocks} >= {*BEFORE, *AFTER_STOP, "Back up and restore", "A wiped Kafka"}
    operator = Operator(tmp_path / "data", free_port(), set_up)
    try:
        for heading, block in blocks:
            held = BEFORE[heading](operator, block) if heading in BEFORE else None
            with held or nullcontext():
                operator.run(block)
                if held is not None:
                    with pytest.raises(psycopg.OperationalError):
                        held.execute("SELECT 1")
            if heading not in AFTER_STOP:
                operator.sign_up()
    finally:
        operator.run("make stop\n")
