"""The commands of the pages, run as they stand there at a real platform: those of one page in one shell."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import media, pages
from tests.lab.pages import Block
from tests.lab.platform import Platform, free_port, running
from tests.lab.servers import require_programs

LIMIT_S = 90.0
AT_ONCE = 3
RUN = {"shell", "python", "file", "printed"}


@pytest.mark.timeout(300)
async def test_the_commands_of_the_pages_do_what_the_pages_say(dsn: str, tmp_path: Path) -> None:
    require_programs("bash", "curl")
    told = {path: [block for block in pages.blocks(path) if block.how in RUN] for path in pages.of_tasks()}
    turns = asyncio.Semaphore(AT_ONCE)

    async def followed(platform: Platform, path: Path, blocks: list[Block]) -> str | None:
        async with turns:
            return await _followed(platform, tmp_path / path.stem, blocks)

    async with running(dsn, tmp_path, ENCODER_WORKER_SLOTS="2") as platform:
        # where it matters what happens meanwhile, nothing else does; it leaves job 1, of which others speak
        alone = [path for path, blocks in told.items() if any(block.how == "printed" for block in blocks)]
        ends = [await followed(platform, path, told.pop(path)) for path in alone]
        ends += await asyncio.gather(*(followed(platform, path, blocks) for path, blocks in told.items() if blocks))
    assert len(ends) > 5
    assert [end for end in ends if end is not None] == []


async def _followed(platform: Platform, folder: Path, blocks: list[Block]) -> str | None:
    """What went wrong when somebody did as the page says; None: nothing."""
    folder.mkdir()
    shutil.copy(media.clip(), folder / "holiday.mov")
    script = "\n".join(
        ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT", *_script(folder, blocks)]
    )
    script = re.sub(r"\b8000\b", str(free_port()), script.replace("http://127.0.0.1:8080", platform.url))
    bin_folder = Path(sys.executable).parent
    environment = {**os.environ, "ENCODER_URL": platform.url, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", script, cwd=folder, env=environment, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), LIMIT_S)
    if process.returncode != 0:
        return f"{blocks[0].page}: exit code {process.returncode}\n{out.decode()[-2000:]}"
    return None


def _script(folder: Path, blocks: list[Block]) -> Iterator[str]:
    for number, block in enumerate(blocks):
        match block.how:
            case "shell":
                yield re.sub(
                    r"\bcurl -", "curl --fail-with-body -" if "widht" not in block.text else "curl -", block.text
                )
                if block.text.rstrip().endswith("&"):
                    yield _HEARD
            case "file":
                yield f"cat > {shlex.quote(block.argument)} <<'EOF_OF_THE_PAGE'\n{block.text}EOF_OF_THE_PAGE"
            case "python":
                yield f"cat > {number}.py <<'EOF_OF_THE_PAGE'\n{block.text}EOF_OF_THE_PAGE\nJOB=$id python3 {number}.py"
            case _:
                (folder / "wanted").write_text(re.sub(r"\d+", "N", block.text))
                yield _PRINTED.replace("FILE", shlex.quote(block.argument))


# what listens must have begun before anything happens
_HEARD = """for _ in $(seq 200); do
    curl -s http://127.0.0.1:8080/metrics | grep -q '^encoder_event_streams{of="tenant"} [1-9]' && break; sleep 0.1
done"""

# what is printed may come a moment later
_PRINTED = """same() { diff <(sed -E 's/[0-9]+/N/g' FILE) wanted; }
for _ in $(seq 100); do same > /dev/null && break; sleep 0.1; done
same"""
