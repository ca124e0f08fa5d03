"""What the pages tell people to run does what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from encoder.vault import Vault

DOCS = Path(__file__).parents[2] / "docs"


def test_the_command_that_settings_tells_makes_a_key_that_seals() -> None:
    (program,) = re.findall(r"`python3 -c '([^']+)'`", (DOCS / "reference" / "settings.md").read_text())
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    Vault([made.stdout.strip()])  # raises Unfit for what is no key
