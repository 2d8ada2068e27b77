import subprocess
import sys
from pathlib import Path

GENERATE = Path(__file__).parents[2] / "tools" / "generate.py"


def test_what_is_generated_is_checked_in():
    """Schemas, asyncapi.yaml and golden bytes in the repository are those of the code."""
    check = subprocess.run([sys.executable, GENERATE, "--check"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr
