"""What the pages tell people to run does what they say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from encoder.vault import Vault
from encoder.webhooks import sign

DOCS = Path(__file__).parents[2] / "docs"
SECRET = "whsec_" + "QUJD" * 8
BODY = '{"type": "job.completed",  "data": {}}'


def test_the_command_that_settings_tells_makes_a_key_that_seals() -> None:
    (program,) = re.findall(r"`python3 -c '([^']+)'`", (DOCS / "settings.md").read_text())
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    Vault([made.stdout.strip()])  # raises Unfit for what is no key


def verified(raw_body: bytes) -> Any:  # noqa: ANN401  # JSON
    (program,) = re.findall(r"```python\n(.+?)```", (DOCS / "api.md").read_text(), re.DOTALL)
    headers = sign.headers([SECRET], webhook_id="evt_1", at=datetime.now(UTC), body=BODY)
    names: dict[str, Any] = {"secret": SECRET, "raw_body": raw_body, "headers": headers}
    exec(program, names)  # noqa: S102  # our own page
    return names["event"]


def test_the_lines_that_verify_a_webhook_take_the_raw_body_and_no_other() -> None:
    assert verified(BODY.encode()) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        verified(json.dumps(json.loads(BODY)).encode())
