"""Where a body is checked: a small one at once, for the way to a thread and back costs more than the check itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from encoder.api.wire_types import scheme_of
from encoder.model.base import Json

P = ParamSpec("P")
T = TypeVar("T")

FEW_VALUES = 64  # members and items; were each of them wrong, all would be told within 20 ms
FEW_CHARS = 4096
# the checks of these look at no disk; `file` does, and who knows what those of others do
_THINK_ONLY = frozenset({"http", "https", "s3", "upload", "ftp", "ftps", "sftp"})


async def off_loop(read: Callable[Concatenate[Json, P], T], body: Json, /, *more: P.args, **settings: P.kwargs) -> T:
    """`read` of `body`, in a thread where it may take so long that others would notice. Raises as `read`."""
    if is_quick(body):
        return read(body, *more, **settings)
    return await asyncio.to_thread(read, body, *more, **settings)


def is_quick(body: Json) -> bool:
    """Whether `body` is small, and names no place whose check may wait for anything."""
    todo, values, chars = [body], FEW_VALUES, FEW_CHARS
    while todo:
        value = todo.pop()
        values -= 1
        if isinstance(value, str):
            chars -= len(value)
        elif isinstance(value, dict):
            if not _thinks_only(value):
                return False
            chars -= sum(map(len, value))
            todo.extend(value.values())
        elif isinstance(value, list):
            todo.extend(value)
        if min(values - len(todo), chars) < 0:
            return False
    return True


def _thinks_only(value: dict[str, Json]) -> bool:
    """Whether `value` is no place, or a place of such a kind."""
    if "kind" not in value and "url" not in value:
        return True
    kind = value.get("kind", scheme_of(value.get("url")))
    return isinstance(kind, str) and kind in _THINK_ONLY
