"""What the pages tell people to run does what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from encoder.settings import Settings
from encoder.vault import Vault
from encoder.webhooks import sign

DOCS = Path(__file__).parents[2] / "docs"


def test_the_command_that_settings_tells_makes_a_key_that_seals() -> None:
    (program,) = re.findall(r"`python3 -c '([^']+)'`", (DOCS / "reference" / "settings.md").read_text())
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    Vault([made.stdout.strip()])  # raises Unfit for what is no key


def test_the_secrets_that_are_made_for_all_roles_are_taken() -> None:
    """docs/operate/roles.md, as a shell reads it."""
    text = (DOCS / "operate" / "roles.md").read_text()
    made = subprocess.run(
        ["bash", "-euc", text.partition("```\n")[2].partition("```")[0] + "env -0"], capture_output=True, check=True
    )
    told = dict(line.split("=", 1) for line in made.stdout.decode().split("\0") if line.startswith("ENCODER_"))
    Vault([told["ENCODER_SECRET_KEYS"]])
    sign.checked(told["ENCODER_WEBHOOK_SECRET"])  # raises Unfit for what is none
    assert told.keys() == {f"ENCODER_{name.upper()}" for name in Settings.model_fields} & told.keys()
