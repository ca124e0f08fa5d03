"""A receiver of webhooks on this machine."""

from __future__ import annotations

from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import aiohttp
import click

from encoder import errors
from encoder.cli.heard import Heard
from encoder.cli.session import Out
from encoder.webhooks import sign

ANSWER_S = 15.0


class Receiver:
    """Is told as others are. `secret`: what it verifies with; None: a new one, which is shown.

    Raises:
        click.UsageError: the secret is none.
    """

    def __init__(self, address: str, secret: str | None, out: Out) -> None:
        self._address = address
        if secret is None:
            secret = sign.new_secret()
            out.note(f"Your receiver verifies with {secret}")
        try:
            self._secret = sign.checked(secret)
        except errors.Unfit as error:
            raise click.UsageError(f"--secret: {error}.") from error

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def tell(self, heard: Heard) -> str:
        """What it said."""
        headers = sign.headers([self._secret], webhook_id=heard.webhook_id, at=datetime.now(UTC), body=heard.body)
        headers["Content-Type"] = "application/json"
        body = heard.body.encode()
        try:
            async with self._session.post(self._address, data=body, headers=headers, allow_redirects=False) as response:
                return f"  → {response.status}"
        except (aiohttp.ClientError, TimeoutError) as error:
            return f"  → {type(error).__name__}"
