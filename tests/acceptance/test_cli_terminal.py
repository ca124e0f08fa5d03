"""A job on a terminal, from the file to its proof."""

from __future__ import annotations

import re
from pathlib import Path

from tests.lab import media
from tests.lab.command import encoder
from tests.lab.platform import running
from tests.lab.terminal import on_terminal

_BAR = r"[━╸╺]+"


async def test_a_bar_per_output_moves_to_the_end_and_the_next_command_works(dsn: str, tmp_path: Path) -> None:
    """Also of a package, whose rungs are named; what ffmpeg said of it can be read afterwards."""
    job = ("submit", str(media.clip()), "--wait", "--preset", "h264", "--preset", "hls")
    async with running(dsn, tmp_path) as platform:
        async with on_terminal(*job, url=platform.url, columns=100) as screen:
            assert await screen.ended() == 0, screen.text
        shares = {int(share) for share in re.findall(rf"h264 +\w+ +{_BAR} +(\d+)%", screen.text)}
        assert max(shares) == 100
        assert min(shares) < 100
        assert re.search(rf"hls +uploaded +{_BAR} +100% +\d+p", screen.text)
        assert re.search(r"Done in [\d.:]+( s)?, \d+ checks passed\.\s+h264: http\S+\s", screen.text)
        assert screen.raw.count("\x1b[?25l") == screen.raw.count("\x1b[?25h") == 1
        assert max(map(len, screen.text.partition("Done")[0].splitlines())) <= 100

        said = re.search(r"See its files and its proof: encoder (job \d+)", screen.text.replace(".venv/bin/", ""))
        assert said
        shown = await encoder(*said[1].split(), url=platform.url)
        assert "rungs " in shown.out
        assert "queue encode, priority 0" in shown.out
        for follow in ((), ("--follow",)):
            log = await encoder("log", "1", "1", *follow, url=platform.url)
            assert (log.code, "frame" in log.out) == (0, True), log.err
