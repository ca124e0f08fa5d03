"""Debian's Chromium without a window, told what to do by the DevTools protocol. It reaches nothing but loopback."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from tests.lab.servers import require_programs

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio",
    "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required", "--remote-debugging-port=0",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
_LISTENING = re.compile(rb"DevTools listening on (ws://\S+)")
_START_S = 60


class Page:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: str) -> None:
        self._socket = socket
        self._session = session
        self._numbers = count(100)

    async def run(self, script: str) -> Any:  # noqa: ANN401  # what the script gives, as JSON
        """The value of an expression; of a promise, what it brings. An exception of the page is ours."""
        answer = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"]["exception"].get("description", answer))
        return answer["result"].get("value")

    async def open(self, url: str) -> None:
        await self.call("Page.enable")
        await self.call("Page.navigate", url=url)
        while (await self._heard())["method"] != "Page.loadEventFired":
            pass

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "sessionId": self._session, "method": method, "params": params})
        while (message := await self._heard(None)).get("id") != number:
            pass
        assert "result" in message, message
        return dict(message["result"])

    async def _heard(self, kind: str | None = "method") -> dict[str, Any]:
        while True:
            message: dict[str, Any] = json.loads(await self._socket.receive_str())
            if kind is None or kind in message:
                return message


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Page]:
    """An empty tab of a browser that has nothing but `folder`, and ends with the block."""
    require_programs("chromium")
    process = await asyncio.create_subprocess_exec(
        *("setpriv", "--pdeathsig", "KILL", "chromium", *FLAGS, f"--user-data-dir={folder}", "about:blank"),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        async with asyncio.timeout(_START_S):
            address = await _listening(process.stderr)
        draining = asyncio.create_task(process.stderr.read())
        async with aiohttp.ClientSession() as http, http.ws_connect(address, max_msg_size=0) as socket:
            yield await _tab(socket)
            await socket.send_json({"id": 3, "method": "Browser.close"})
            await process.wait()
        await draining
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _listening(errors: asyncio.StreamReader) -> str:
    async for line in errors:
        if found := _LISTENING.search(line):
            return found[1].decode()
    raise AssertionError("Chromium ended before it listened")


async def _tab(socket: aiohttp.ClientWebSocketResponse) -> Page:
    async def ask(number: int, method: str, **params: object) -> dict[str, Any]:
        await socket.send_json({"id": number, "method": method, "params": params})
        while (message := json.loads(await socket.receive_str())).get("id") != number:
            pass
        return dict(message["result"])

    target = (await ask(1, "Target.createTarget", url="about:blank"))["targetId"]
    return Page(socket, (await ask(2, "Target.attachToTarget", targetId=target, flatten=True))["sessionId"])
