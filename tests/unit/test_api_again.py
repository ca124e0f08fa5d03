"""A job said once more: the body that makes it again, and the command that sends that."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from encoder.api import curl, examples, sentence
from encoder.api.again import body_of
from encoder.api.wire import read_job
from encoder.errors import Rejected
from encoder.ffmpeg.presets import BUILT_IN, Preset, Presets
from encoder.model.base import Json, replace
from encoder.model.job import JobSpec
from encoder.model.secrets import HIDDEN, hide
from tests.unit.test_api_wire import FTP, HTTP, LOGIN, OUT, PEM, S3, SFTP, SSH_LOGIN, WHOLE, Anywhere, job

_JOBS: dict[str, Any] = {name: each["value"] for name, each in examples.of("Job").items()}
_MORE: dict[str, dict[str, Any]] = {
    "nothing but a preset": {"preset": "hls"},
    "the preset taken back": {"preset": "mine", "rotate": "auto", "deinterlace": "auto", "toneMap": True},
    "all that is not usual": {"preset": "h264", "upscale": True, "fit": "cover", "width": 64, "height": 64},
    "another encoder": {"preset": "h264", "videoCodec": "libx265", "maxBitrate": "3M", "videoBitrate": "2M"},
    "a quality in place of rates": {"preset": "hls", "crf": 21, "renditions": [{"resolution": "360p"}]},
    "a clip from its beginning": {"preset": "vp9", "clip": {"end": 3}},
    "pictures": {"preset": "storyboard", "thumbnails": {"count": 9, "sprite": {"columns": 3, "rows": 3}}},
    "tracks": {"preset": "h264", "audioTracks": ["eng", 2], "subtitles": {"mode": "copy", "tracks": ["eng"]}},
    "own words": {"container": "mkv", "videoCodec": "copy", "audioCodec": "none"},
}
_SOURCES = {f"from {part.__name__}": place for part, place in WHOLE.items() if "Destination" not in part.__name__}
_MINE = Preset(
    name="mine", about="", version=3, members={"container": "mp4", "rotate": 90, "deinterlace": True, "toneMap": False}
)
KNOWN: Presets = {**BUILT_IN, "mine": _MINE}


def again(spec: JobSpec) -> dict[str, Json]:
    """The body, with the file of an inline source back in its place."""
    body = body_of(spec, KNOWN)
    source: Any = body["source"]
    return {**body, "source": {**source, "data": spec.source["data"]} if source.get("data") == HIDDEN else source}


@pytest.mark.parametrize(
    "name", [*_JOBS, *_MORE, *(f"from {part.__name__}" for part in WHOLE if "Source" in part.__name__)]
)
def test_the_body_makes_the_same_job_again(name: str) -> None:
    places = {f"from {part.__name__}": place for part, place in WHOLE.items()}
    body = _JOBS.get(name) or job(outputs=[_MORE.get(name, {"preset": "h264"})], source=places.get(name, HTTP))
    spec = read_job(body, Anywhere(), KNOWN)
    assert read_job(again(spec), Anywhere(), KNOWN) == spec


def test_the_body_says_no_more_than_the_caller_did() -> None:
    asked = job(outputs=[{"preset": "hls", "segmentSeconds": 4}, {"preset": "h264", "videoBitrate": "2M"}], tags=["a"])
    assert body_of(read_job(asked, Anywhere()), BUILT_IN) == {
        "source": HTTP,
        "outputs": [{"preset": "hls", "segmentSeconds": 4}, {"preset": "h264", "videoBitrate": 2_000_000}],
        "tags": ["a"],
    }


def test_a_preset_that_is_gone_or_changed_is_said_by_its_members() -> None:
    """The job is made again as it was made, whatever its preset says today."""
    spec = read_job(job(outputs=[{"preset": "mine", "height": 240}]), Anywhere(), KNOWN)
    gone = read_job(body_of(spec, BUILT_IN), Anywhere(), BUILT_IN).outputs[0]
    assert gone == replace(spec.outputs[0], preset=None, preset_version=None)
    said_since = {**KNOWN, "mine": Preset(name="mine", about="", version=4, members={"container": "webm", "crf": 20})}
    changed = read_job(body_of(spec, said_since), Anywhere(), said_since).outputs[0]
    assert changed == replace(spec.outputs[0], preset=changed.preset, preset_version=changed.preset_version)


_SECRET: dict[str, Any] = {
    "source": SFTP | SSH_LOGIN | {"password": 'it\'s "so" \\ $HOME `id` !x'},
    "outputs": [
        {
            "preset": "h264",
            "destination": {"url": "https://u:p@media.example.com/o.mp4?sig=1", "headers": {"X-A": "y"}},
        },
        {"container": "mp4", "destination": OUT},
    ],
    "notificationUrl": "https://media.example.com/hook?token=1",
    "metadata": {"password": "$HOME is `no` secret \\ here", "ä": "\u202e"},
}


def test_what_is_not_shown_must_be_said_again() -> None:
    spec, secrets = hide(read_job(_SECRET | {"metadata": {}}, Anywhere()))
    shown, named = curl.veiled(body_of(spec, BUILT_IN), {})
    with pytest.raises(Rejected) as refused:
        read_job(shown, Anywhere())
    assert {fault.path for fault in refused.value.faults} == named.keys() == secrets.keys()
    assert {fault.code for fault in refused.value.faults} == {"invalid_value"}
    assert named["/source/privateKey"] == "SOURCE_PRIVATE_KEY"
    assert named["/outputs/0/destination/url"] == "OUTPUTS_0_DESTINATION_URL"


def test_the_command_sends_the_body_with_what_is_secret_from_variables(tmp_path: Path) -> None:
    """H7: run by a shell, with a stand-in for curl that keeps what it is given. That is the body, whatever is in it."""
    body = {**_SECRET, "source": FTP | LOGIN | {"password": _SECRET["source"]["password"]}, "outputs": [
        {"preset": "h264", "destination": SFTP | {"privateKey": PEM.strip(), "username": "a-b", "path": "/o.mp4"}},
        {"preset": "h264", "destination": S3 | {"access_key_id": "A", "access_key_secret": "B"}},
    ]}  # fmt: skip
    shown, named = curl.veiled(body, {})
    text = curl.command(shown, named, url="http://127.0.0.1:8080", keyed=True)
    assert text.isascii()
    values = {name: _at(body, path) for path, name in named.items()}
    assert not [value for value in values.values() if len(value) > 3 and value in text]
    assert _run(text, tmp_path, values) == body


def test_a_command_without_secrets_stands_as_it_is(tmp_path: Path) -> None:
    body = job(metadata={"a": "it's $HOME `id` \\n !"})
    text = curl.command(body, {}, url="http://127.0.0.1:8080/", keyed=False)
    assert text.startswith(
        "curl http://127.0.0.1:8080/jobs -H 'Content-Type: application/json' --data-binary @- <<'END'\n"
    )
    assert _run(text, tmp_path, {}) == body


def test_a_preset_says_in_a_sentence_what_it_makes() -> None:
    assert sentence.of_preset({"preset": "h264", "height": 480, "audioBitrate": 96_000}) == (
        "MP4: H.264 by libx264, CRF 23, preset medium, 480 high; AAC at 96 kbit/s"
    )
    assert sentence.of_preset({"container": "webm", "videoCodec": "none"}) == "WebM: no picture"
    made = {name: sentence.of_preset(preset.members) for name, preset in BUILT_IN.items()}
    assert made["storyboard"] == "JPEG: one every 10 s, 160 wide, on sheets, with a WebVTT file for players"
    assert made["hls"].startswith("HLS: H.264 by libx264, preset medium, in 1080p 5 Mbit/s · 720p 3 Mbit/s")
    assert len(set(made.values())) == len(BUILT_IN)


def test_two_secrets_have_two_names() -> None:
    headers = {"X-A": "1", "X.A": "2", "X_A": "3"}
    _, named = curl.veiled(job(source=HTTP | {"headers": headers}), {})
    assert sorted(named.values()) == ["SOURCE_HEADERS_X_A", "SOURCE_HEADERS_X_A_2", "SOURCE_HEADERS_X_A_3"]


def _at(body: Any, path: str) -> str:  # noqa: ANN401  # JSON
    for token in path.removeprefix("/").split("/"):
        body = body[int(token) if isinstance(body, list) else token.replace("~1", "/").replace("~0", "~")]
    return str(body)


def _run(text: str, folder: Path, values: dict[str, str]) -> Any:  # noqa: ANN401  # JSON
    (folder / "curl").write_text('#!/bin/sh\ncat > "$TOLD"\n')
    (folder / "curl").chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "TOLD": str(folder / "told"), "HOME": "/nowhere", **values}
    subprocess.run(["/bin/sh", "-c", text], env=environment, check=True, timeout=10)
    return json.loads((folder / "told").read_text())
