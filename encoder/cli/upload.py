"""Bringing a local file to a server that cannot read it where it stands, and that is too large to go with the job."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from yarl import URL

from encoder.cli.client import Client
from encoder.cli.exchange import refusal
from encoder.cli.pieces import CHUNK_BYTES, in_pieces, size_of
from encoder.cli.place import TooLarge
from encoder.cli.refused import Object, Refused, Unreachable
from encoder.cli.session import Out
from encoder.cli.text import clean, size

_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=300)


async def and_then(
    client: Client, out: Out, large: TooLarge, send: Callable[[Object], Awaitable[Object]]
) -> tuple[Object, Object]:
    """Uploads the file that was too large, then sends what names it as a source. The answer, and that source.

    It is sent before the upload too: what else is wrong with it is told before the bytes go.

    Raises:
        TooLarge: the server does not take the file.
    """
    try:
        invitation = await client.announce(large.path.name, size_of(large.path))
        source: Object = {"kind": "upload", "fileId": invitation["file_id"]}
    except Refused as refused:
        raise large.because(refused) from refused
    try:
        return await send(source), source
    except Refused as refused:
        if refused.code != "upload_not_ready":
            raise
    try:
        with _shown(out, large.path) as sent:
            await bring(large.path, invitation, sent)
    except Refused as refused:
        raise large.because(refused) from refused
    return await send(source), source


async def bring(path: Path, invitation: Object, sent: Callable[[int], None]) -> None:
    """Sends the file as it was invited. That may lead to another server, which learns nothing of us.

    Raises:
        Refused: by whoever stores it.
        Unreachable: it does not answer, or broke off.
    """
    to = URL(str(invitation["upload_url"]), encoded=True)  # it is signed as it stands
    if invitation["method"] == "PATCH":
        await in_pieces(to, path, sent)
        return
    told = invitation["headers"]
    headers = {name: str(value) for name, value in told.items()} if isinstance(told, dict) else {}
    headers["Content-Length"] = str(size_of(path))
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.request(str(invitation["method"]), to, data=_chunks(path, sent), headers=headers) as response,
        ):
            if not response.ok:
                raise await refusal(response)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unreachable(str(to.origin())) from error


async def _chunks(path: Path, sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb", buffering=0) as file:
        while chunk := await asyncio.to_thread(os.read, file.fileno(), CHUNK_BYTES):
            yield chunk
            sent(len(chunk))


@contextmanager
def _shown(out: Out, path: Path) -> Iterator[Callable[[int], None]]:
    """Says on standard error how far the file is; yields whom to tell."""
    name, size_bytes = clean(path.name), size_of(path)
    if not out.bars:
        out.note(f"Uploading {name}, {size(size_bytes)}")
        yield lambda _count: None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=28))
    with Progress(*columns, DownloadColumn(), TransferSpeedColumn(), console=Console(stderr=True)) as progress:
        row = progress.add_task(f"Uploading {name}", total=size_bytes)
        yield lambda count: progress.advance(row, count)
