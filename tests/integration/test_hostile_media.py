"""D1 to D3: texts that name other files and hosts. None is opened, nothing is dialled, no neighbour is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from encoder import errors
from encoder.ffmpeg.formats import input_options
from encoder.ffmpeg.launcher import Launcher, Leash, Limits, Sandbox, classify
from encoder.ffmpeg.probe import inspect
from tests.lab.canary import Canary
from tests.lab.media import clip, ffmpeg_binary, public_clip

TEXTS: dict[str, Callable[[str, Path], str]] = {
    "hls": lambda url, _: f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{url}\n#EXT-X-ENDLIST\n",
    "hls of a file": lambda _, file: f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://{file}\n#EXT-X-ENDLIST\n",
    "concat": lambda _, file: f"ffconcat version 1.0\nfile '{file}'\n",
    "concat of a url": lambda url, _: f"ffconcat version 1.0\nfile '{url}'\n",
    "dash": lambda url, _: (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
        f'<Representation id="1" bandwidth="1"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>'
    ),
    "sdp": lambda url, _: "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.66.0.1\nt=0 0\nm=video 9009 RTP/AVP 96\n",
    "imf": lambda url, _: (
        '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016">'
        f"<Id>{url}</Id></CompositionPlaylist>"
    ),
    "text": lambda *_: "Hello, this is plain text.\n" * 50,
    "subtitles": lambda *_: (
        "[Script Info]\nScriptType: v4.00+\n\n[Events]\nDialogue: 0,0:00:00.00,0:00:01.00,x,,0,0,0,,x\n"
    ),
    "svg": lambda url, _: f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}"/></svg>',
    "html": lambda url, _: f'<!DOCTYPE html><html><body><video src="{url}"></video></body></html>',
    "pdf": lambda *_: "%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    "zip": lambda *_: "PK\x03\x04" + "\0" * 100,
    "image pattern": lambda *_: "img%03d.png\n",
}
LIMITS = Limits(wall_seconds=60)


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("sandbox", [Sandbox.AUTO, Sandbox.OFF])
@pytest.mark.parametrize("by_name", [False, True])  # Q4: as builds without the `fd` protocol must
async def test_neither_the_prober_nor_ffmpeg_opens_it(
    kind: str, sandbox: Sandbox, by_name: bool, tmp_path: Path
) -> None:
    launcher, neighbour = Launcher(binary=Path(ffmpeg_binary()), sandbox=sandbox), tmp_path / "neighbour.mp4"
    neighbour.write_bytes(clip().read_bytes())
    async with Canary() as canary:
        source = tmp_path / "source.mp4"
        source.write_text(TEXTS[kind](canary.url("/x.ts", host="127.0.0.1"), neighbour))
        with pytest.raises(errors.Permanent) as caught:
            await inspect(launcher, source, folder=tmp_path, leash=Leash())
        opened = input_options(source if by_name else None)
        ended = await launcher.run(
            (*opened, "-f", "null", "-"), folder=tmp_path, leash=Leash(), limits=LIMITS, source=source
        )
    assert caught.value.code == "unsupported_format"
    assert classify(ended).code == "unsupported_format"
    assert ended.progress is None or not ended.progress.frame


async def test_a_concat_script_is_dangerous_without_our_list(tmp_path: Path) -> None:
    """The control: what the list stands against still works in this build."""
    launcher, neighbour = Launcher(binary=Path(ffmpeg_binary()), sandbox=Sandbox.OFF), tmp_path / "neighbour.mp4"
    neighbour.write_bytes(clip().read_bytes())
    source = tmp_path / "x.mp4"
    source.write_text("ffconcat version 1.0\nfile 'neighbour.mp4'\n")
    ended = await launcher.run(
        ("-i", f"file:{source}", "-f", "null", "-"), folder=tmp_path, leash=Leash(), limits=LIMITS
    )
    assert ended.progress is not None
    assert ended.progress.frame == 60


async def test_the_public_playlist_is_refused(tmp_path: Path) -> None:
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    with pytest.raises(errors.Permanent) as caught:
        await inspect(launcher, public_clip("ssrf_playlist.m3u8"), folder=tmp_path, leash=Leash())
    assert caught.value.code == "unsupported_format"
