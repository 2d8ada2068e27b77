"""The image of the gateway that clusters run, compared with compose, which mounts the same files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
GATEWAY = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]["gateway"]
DOCKERFILE = (ROOT / "deploy" / "gateway.Dockerfile").read_text()


def test_the_image_has_what_compose_mounts():
    """Each file and folder that compose mounts into the gateway is copied to the same place, and is in the context."""
    copied = {}
    for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            copied[f"./{source}"] = f"{target}{Path(source).name}" if target.endswith("/") else target
    assert copied == dict(volume.removesuffix(":ro").split(":") for volume in GATEWAY["volumes"])
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert all(source[2:] in kept or source[2:].partition("/")[0] in kept for source in copied)


def test_the_image_is_of_the_same_caddy():
    """The image begins with compose's Caddy and runs its command as its user."""
    assert f"ARG CADDY_IMAGE={re.search(r':-(.+)}', GATEWAY['image'])[1]}\n" in DOCKERFILE
    assert f"USER {GATEWAY['user']}\n" in DOCKERFILE
    assert f"CMD {json.dumps(GATEWAY['command'])}" in DOCKERFILE
