"""docs/api.md: its examples run as printed, and its table has every error."""

import json
import re
import subprocess
from pathlib import Path

from cheeper_contracts.http.responses import STATUS_OF

PAGE = Path(__file__).parents[4] / "docs" / "api.md"
FENCE = re.compile(r"^```(sh|json)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BETWEEN = "--- between examples ---"
FREE = re.compile(r"…|\d{4}-\d\d-\d\dT|^ann$")


def examples():
    """Every shell block of the page, with the lines of JSON printed below it."""
    blocks = FENCE.findall(PAGE.read_text())
    following = [*blocks[1:], ("sh", "")]
    return [
        (text, [json.loads(line) for line in after.splitlines()] if kind_after == "json" else [])
        for (kind, text), (kind_after, after) in zip(blocks, following, strict=True)
        if kind == "sh"
    ]


def same(printed, received):
    """Equal keys and equal values, but for values that the page prints with … or that are a time."""
    if isinstance(printed, dict):
        return (
            isinstance(received, dict)
            and printed.keys() == received.keys()
            and all(same(printed[key], received[key]) for key in printed)
        )
    if isinstance(printed, list):
        return len(printed) == len(received) and all(map(same, printed, received))
    return printed == received or (isinstance(printed, str) and FREE.search(printed) is not None)


def documents(text):
    """The JSON documents that stand behind one another in a text."""
    decoder, found = json.JSONDecoder(), []
    while text := text.strip():
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:]
    return found


def test_the_examples_run_as_printed(client):
    """Each example of the page gets the response that the page prints."""
    script = f"\necho '{BETWEEN}'\n".join(text for text, _ in examples())
    run = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        env={"URL": client.url, "PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    outputs = run.stdout.split(BETWEEN)
    for (text, printed), output in zip(examples(), outputs, strict=True):
        received = documents(output)
        assert len(received) == len(printed), text
        for one, other in zip(printed, received, strict=True):
            assert same(one, other), f"{text}\n{one}\n{other}"


def test_the_table_has_every_error():
    """Each code of the contracts is in the page with its status, and no other is."""
    rows = re.findall(r"^\| (\d{3}) \| ([^|]+) \|", PAGE.read_text(), re.MULTILINE)
    documented = {code: int(status) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    assert documented == STATUS_OF
