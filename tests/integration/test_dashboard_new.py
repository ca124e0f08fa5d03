"""The form for a new job, as a browser without scripts sends it: a file, a dry run, a job; and one that is cloned."""

from __future__ import annotations

import io
import json
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import aiohttp
import pytest

from encoder import errors
from encoder.api.auth import KeyGate
from encoder.dashboard import bring as bringing
from encoder.dashboard import new
from encoder.dashboard.bring import MOST_HEAD_BYTES
from encoder.dashboard.job_form import MOST_OUTPUTS
from encoder.model.ids import TenantId
from encoder.model.job import JobSpec
from encoder.model.key import Scope
from encoder.model.media import AudioStream, Media, VideoStream
from encoder.model.plan import Estimate, Note, OutputPlan, Pass, Plan, Refusal
from encoder.model.preview import Preview
from encoder.store.postgres import PostgresStore
from tests.integration.test_dashboard_door import cookie_of, login
from tests.lab.api import Api, running
from tests.lab.keyed import key_in

OURS = {"Sec-Fetch-Site": "same-origin"}
PATH = "/ui/jobs/new"
HOSTILE = "\"'><img src=x onerror=alert(1)>{{7*7}}"
FILLED = {
    "/source": "s3", "/source:s3/bucket": "my-bucket", "/source:s3/path": "in.mov",
    "/source:s3/access_key_id": "S3NTINEL-1", "/source:s3/access_key_secret": "S3NTINEL-2",
    "/outputs/0/preset": "h264", "/outputs/0/height": "480", "/tags": HOSTILE, "/metadata": f"a: {HOSTILE}",
    "/notificationUrl": "https://h.example/hook?S3NTINEL-3",
}  # fmt: skip


class Knowing:
    """An inspector to whom every source is the same: the real one needs ffmpeg, and is tried in a browser."""

    failure: errors.Failure | None = None

    async def preview(self, spec: JobSpec, _tenant_id: TenantId) -> Preview:
        if self.failure:
            raise self.failure
        media = Media(
            format="mov,mp4", size_bytes=412_000_000, duration_seconds=62.0,
            video=(VideoStream(
                index=0, codec="hevc", pixel_format="yuv420p10le", bit_depth=10, coded_width=1920, coded_height=1080,
                rotation_deg=90, median_rate="30000/1001", variable_rate=True, color_transfer="arib-std-b67",
            ),),
            audio=(AudioStream(index=1, codec="aac", channels=2, sample_rate_hz=48_000),),
        )  # fmt: skip
        plan = OutputPlan(
            output=0, container="mp4", muxer="mp4", extension="mp4", content_type="video/mp4",
            reasons=(Note(code="r", message=f"Because {HOSTILE}"),), warnings=(Note(code="w", message="Constant."),),
        )  # fmt: skip
        refused = (Refusal(output=1, code="no_audio", message="There is no sound."),) if len(spec.outputs) > 1 else ()
        return Preview(
            media=media, plan=Plan(outputs=(plan,), passes=(Pass(outputs=(0,)),), refused=refused),
            commands=((("ffmpeg", "-i", "a b"),),),
            estimates=(Estimate(size_bytes=18_200_000, cpu_seconds=41.0, scratch_bytes=500_000_000),),
        )  # fmt: skip

    async def inspect(self, _source: object) -> Media:
        raise AssertionError


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path, inspector=Knowing(), public_url="http://127.0.0.1:8080") as up:
        yield up


async def send(api: Api, do: str, form: dict[str, str], **headers: str) -> tuple[int, str, str | None]:
    """Status, page, and where it leads."""
    data = {**form, "do": do, "once": form.get("once", uuid4().hex)}
    async with api.ask("POST", PATH, data=data, headers=OURS | headers, allow_redirects=False) as response:
        return response.status, await response.text(), response.headers.get("Location")


def said_of(page: str, name: str) -> str:
    """What is wrong with a field, by the page."""
    found = re.search(rf'id="fault:{re.escape(name)}">.*?</svg> (.*?)</span>', page)
    assert found, name
    assert re.search(rf'id="{re.escape(name)}"[^>]*aria-invalid="true"', page)
    return unescape(found[1])


async def bring(api: Api, name: str, data: bytes, *, path: str = "/ui/uploads/form") -> tuple[int, str]:
    """A file as a browser sends it."""
    said = f'Content-Disposition: form-data; name="file"; filename="{name.replace(chr(34), "%22")}"'
    head = f"--X-1\r\n{said}\r\nContent-Type: video/quicktime\r\n\r\n"
    body = io.BytesIO(head.encode() + data + b"\r\n--X-1--\r\n")
    headers = OURS | {"Content-Type": "multipart/form-data; boundary=X-1"}
    async with api.ask("POST", path, data=body, headers=headers, allow_redirects=False) as response:
        return response.status, response.headers.get("Location") or await response.text()


async def test_a_file_is_brought_looked_at_and_submitted_without_a_script(api: Api) -> None:
    """What arrives is the file, to the byte; the page names it, and the job is one of it."""
    data = bytes(range(256)) * 5000 + b"\r\n--not the end--\r\n"
    status, there = await bring(api, 'my "holiday".mov', data)
    assert (status, there.startswith(f"{PATH}?upload=")) == (303, True)
    file_id = there.partition("upload=")[2]
    assert (api.root / "uploads" / file_id / "source").read_bytes() == data
    async with api.ask("GET", there) as response:
        page = await response.text()
    assert "my &#34;holiday&#34;.mov" in page
    form = {"/source": "upload", "/source:upload/fileId": file_id, "/outputs/0/preset": "h264"}
    assert f'name="/source:upload/fileId" value="{file_id}"' in page
    status, page, _ = await send(api, "plan", form)
    assert status == 200
    assert "1080×1920, turned 90°, HEVC, 10 bit, HDR (HLG), 29.97 fps, variable · AAC stereo" in page
    assert "18.2\u202fMB · 41\u202fs of CPU · 500\u202fMB of scratch" in page
    assert "Constant." in page
    assert "ffmpeg -i &#39;a b&#39;" in page
    assert (await api.get("/jobs"))["jobs"] == [], "nothing is stored"
    status, _, job_page = await send(api, "submit", form)
    (job,) = (await api.get("/jobs"))["jobs"]
    assert (status, job_page) == (303, f"/ui/jobs/{job['id']}")
    assert (job["name"], job["source"]["fileId"]) == ('my "holiday".mov', file_id)


async def test_a_form_without_a_good_file_is_refused(api: Api) -> None:
    wrong: list[tuple[dict[str, bytes], str]] = [
        ({"file": b"x"}, "must end in one of"), ({"other": b"x"}, "must hold a file"), ({}, "must hold a file"),
        ({"file": b""}, "No file was chosen"),
    ]  # fmt: skip
    for data, why in wrong:
        form = aiohttp.FormData(default_to_multipart=True)
        for name, text in data.items():
            form.add_field(name, text, filename="a.txt")
        async with api.ask("POST", "/ui/uploads/form", data=form, headers=OURS) as refused:
            assert (refused.status in {400, 422}, why in await refused.text()) == (True, True), data
    assert not list(api.root.glob("uploads/*"))


@pytest.mark.parametrize(
    "end",
    [
        b'\r\n--X-1\r\nContent-Disposition: form-data; name="note"\r\n\r\nshort\r\n--X-1--\r\n',
        b"\r\n--X-1--",
        b"\r\n--X-2--\r\n",
    ],
    ids=["another field", "no last line", "another boundary"],
)
async def test_a_form_that_ends_otherwise_is_no_file(api: Api, end: bytes) -> None:
    """Its size is reckoned from its wrapping: what else stands there must not be taken for bytes of the film."""
    head = b'--X-1\r\nContent-Disposition: form-data; name="file"; filename="a.mov"\r\n\r\n'
    headers = OURS | {"Content-Type": "multipart/form-data; boundary=X-1"}
    async with api.ask("POST", "/ui/uploads/form", data=head + bytes(300_000) + end, headers=headers) as refused:
        assert (refused.status, "must hold a file" in await refused.text()) == (400, True)
    assert not [path for path in api.root.glob("uploads/*") if path.suffix == ".mov"]


async def test_a_form_whose_head_never_ends_is_refused(api: Api) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="' + b"a" * MOST_HEAD_BYTES * 8
    headers = OURS | {"Content-Type": "multipart/form-data; boundary=b"}
    async with api.ask("POST", "/ui/uploads/form", data=head, headers=headers) as refused:
        assert refused.status == 400


async def test_faults_are_shown_at_their_fields_with_all_that_was_given_but_secrets(api: Api) -> None:
    """H7, 3.3.1, 3.3.7."""
    wrong = FILLED | {
        "/source:s3/bucket": "My Bucket", "/outputs/0/height": "tall", "/outputs/4/preset": "nothing",
        "/outputs/4": "{nonsense", "/priority": "1000",
    }  # fmt: skip
    status, page, _ = await send(api, "submit", wrong)
    assert (status, (await api.get("/jobs"))["jobs"]) == (422, [])
    assert "S3NTINEL" not in page
    assert said_of(page, "/outputs/0/height") == "Must be a whole number."
    assert said_of(page, "/outputs/4/preset").startswith("Must be one of h264,")
    assert said_of(page, "/outputs/4").startswith("It is not JSON from line 1")
    assert said_of(page, "/priority") == "Must be at most 100."
    assert 'data-field="/outputs/4/preset">Output 2: Preset</a>' in page
    assert "<h2" in page
    assert "5 things are to be mended" in page
    for name in ("/source:s3/bucket", "/outputs/0/height", "/priority"):
        assert f'name="{name}" value="{wrong[name]}"' in page
    for name in ("/source:s3/access_key_id", "/source:s3/access_key_secret", "/notificationUrl"):
        assert f'name="{name}" value=""' in page
        assert f'id="again:{name}"' in page


async def test_the_command_of_a_form_holds_no_secret_and_its_markup_is_text(api: Api) -> None:
    """H1, H7: what is secret is a variable; what looks like markup is seen as it was written."""
    status, page, _ = await send(api, "curl", FILLED)
    assert (status, "S3NTINEL" in page, "<img" in page, "{{7*7}}" in page) == (200, False, False, True)
    found = re.search(r'<pre tabindex="0" id="curl">(.*?)</pre>', page, re.DOTALL)
    assert found
    command = unescape(found[1])
    assert "curl http://127.0.0.1:8080/jobs " in command
    assert '"access_key_secret": "$(_json "$SOURCE_ACCESS_KEY_SECRET")"' in command
    assert '"$(_json "$NOTIFICATION_URL")"' in command
    assert json.dumps(HOSTILE).replace("\\", "\\\\")[1:-1] in command


async def test_a_dry_run_tells_of_each_output_and_why_none_could_be_made(api: Api) -> None:
    """H1: reasons are text."""
    status, page, _ = await send(api, "plan", FILLED | {"/outputs/1/preset": "audio-aac"})
    assert (status, "There is no sound." in page, "Because &#34;&#39;&gt;&lt;img" in page) == (200, True, True)
    api.parts.inspector.failure = errors.Permanent("source_not_found", "It is not there.")  # type: ignore[attr-defined]  # ours
    status, page, _ = await send(api, "plan", FILLED)
    assert (status, "It is not there." in page, "/docs/errors#source_not_found" in page) == (422, True, True)
    assert 'name="/source:s3/path" value="in.mov"' in page


async def test_a_form_that_is_sent_twice_is_one_job(api: Api) -> None:
    form = FILLED | {"once": "a"}
    first, again = [(await send(api, "submit", form))[2] for _ in range(2)]
    assert first == again
    assert (await send(api, "submit", form | {"/tags": "b"}))[2] != first
    assert (await send(api, "submit", FILLED))[2] != first
    assert len((await api.get("/jobs"))["jobs"]) == 3


async def test_outputs_are_added_and_removed_with_all_that_was_written(api: Api) -> None:
    _, page, _ = await send(api, "add", FILLED)
    assert re.findall(r'<h3 id="output-(\d+)-name">(.*?)</h3>', page) == [("0", "Output 1"), ("1", "Output 2")]
    assert 'name="/outputs/0/height" value="480"' in page
    _, page, _ = await send(api, "remove-0", FILLED | {"/outputs/1/preset": "vp9", "/outputs/1/crf": "31"})
    assert re.findall(r'<h3 id="output-(\d+)-name">(.*?)</h3>', page) == [("1", "Output 1")]
    assert 'name="/outputs/1/crf" value="31"' in page


async def test_a_job_is_cloned_but_for_its_secrets(api: Api) -> None:
    """H7: the page says which must be given again."""
    job = await api.submit({
        "source": {"kind": "s3", "bucket": "my-bucket", "path": "in.mov", "access_key_id": "S3NTINEL",
                   "access_key_secret": "S3NTINEL"},
        "outputs": [{"preset": "hls", "segmentSeconds": 4}, {"preset": "h264", "height": 480}],
        "tags": [HOSTILE], "metadata": {"n": 1},
    })  # fmt: skip
    async with api.ask("GET", f"{PATH}?from={job['id']}") as response:
        page = await response.text()
    assert (response.status, "S3NTINEL" in page, "<img" in page) == (200, False, False)
    assert f"2 secrets of job {job['id']} must be given again" in page
    assert 'name="/source:s3/bucket" value="my-bucket"' in page
    assert 'name="/outputs/1/height" value="480"' in page
    assert "segmentSeconds&#34;: 4" in page
    assert re.search(r'<option value="hls"[^>]* selected>', page)
    kept = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    given = {"/source": "s3", "/source:s3/access_key_id": "S3NTINEL", "/outputs/0/preset": "h264"}
    _, page, _ = await send(api, "curl", {**kept, **given})
    assert 'id="again:/source:s3/access_key_secret"' in page, "as long as it was not given"
    assert ("S3NTINEL" in page, f'like <a href="/ui/jobs/{job["id"]}">' in page) == (False, True)
    async with api.ask("GET", f"{PATH}?from=99999") as absent:
        assert absent.status == 404


async def test_a_clone_leaves_no_output_out(api: Api) -> None:
    """The form of a job with more outputs than it has room for would be one of another job."""
    for count, status in ((MOST_OUTPUTS, 200), (MOST_OUTPUTS + 1, 303)):
        outputs = [{"preset": "h264", "height": 100 + 2 * each} for each in range(count)]
        job = await api.submit({"source": {"url": "https://example.com/a.mov"}, "outputs": outputs})
        async with api.ask("GET", f"{PATH}?from={job['id']}", allow_redirects=False) as response:
            page, to, said = await response.text(), response.headers.get("Location"), response.cookies
        assert response.status == status
        assert page.count('class="output ') == (count if status == 200 else 0)
    assert to == f"/ui/jobs/{job['id']}"
    assert f"{MOST_OUTPUTS + 1} outputs" in unquote(said["encoder-said"].value)


async def test_a_clone_uses_the_file_while_it_lies_there(api: Api, tmp_path: Path) -> None:
    """And says so when it is gone, or when it went with the job and was not kept."""
    _, there = await bring(api, "a.mov", b"file")
    file_id = there.partition("upload=")[2]
    job = await api.submit({"source": {"kind": "upload", "fileId": file_id}, "outputs": [{"preset": "h264"}]})
    address = f"{PATH}?from={job['id']}"
    async with api.ask("GET", address) as response:
        page = await response.text()
    assert (f'value="{file_id}"' in page, "is here" in page) == (True, True)
    _, there = await bring(api, "b.mov", b"other", path=f"/ui/uploads/form?from={job['id']}")
    async with api.ask("GET", there) as response:
        page = await response.text()
    assert ("b.mov" in page, file_id in page, "like <a" in page) == (True, False, True)
    async with api.ask("GET", f"{PATH}?upload={uuid4()}") as response:
        page = await response.text()
    assert said_of(page, "/source:upload/fileId").startswith("The file is not here any more")
    inline = await api.submit(
        {"source": {"kind": "inline", "data": "QUJD", "fileName": "c.mov"}, "outputs": [{"preset": "h264"}]}
    )
    async with api.ask("GET", f"{PATH}?from={inline['id']}") as response:
        page = await response.text()
    assert re.search(r'value="upload" checked', page)
    status, page, _ = await send(api, "submit", {"/source": "upload", "/outputs/0/preset": "h264"})
    assert (status, said_of(page, "/source:upload/fileId")) == (422, "Choose a file, and wait until it is here.")


async def test_a_page_brings_a_file_in_pieces_as_any_client_of_tus(api: Api) -> None:
    """Through our own address; what a page announces is made no job of."""
    told = {"file_name": "a.mov", "size_bytes": 6, "outputs": [{"preset": "h264"}]}
    async with api.ask("POST", "/ui/uploads", json=told, headers=OURS) as response:
        begun: Any = await response.json()
        assert response.status == 201
    resumable = OURS | {"Tus-Resumable": "1.0.0"}
    for offset, data in enumerate((b"abc", b"def")):
        headers = resumable | {"Upload-Offset": str(3 * offset), "Content-Type": "application/offset+octet-stream"}
        async with api.ask("PATCH", begun["address"], data=data, headers=headers) as response:
            assert (response.status, response.headers["Upload-Offset"]) == (204, str(3 * offset + 3))
        async with api.ask("HEAD", begun["address"], headers=resumable) as response:
            assert response.headers["Upload-Offset"] == str(3 * offset + 3)
    assert (api.root / "uploads" / begun["fileId"] / "source").read_bytes() == b"abcdef"
    assert (await api.get("/jobs"))["jobs"] == []
    async with api.ask("POST", "/ui/uploads", json={"file_name": "a.exe", "size_bytes": 6}, headers=OURS) as response:
        assert (response.status, (await response.json())["errors"][0]["path"]) == (422, "/file_name")


async def test_a_form_of_another_site_makes_no_job(api: Api) -> None:
    """H3."""
    pages = [page for page in (*new.PAGES, *bringing.PAGES) if page.method not in {"GET", "HEAD"}]
    assert len(pages) > 3
    for page in pages:
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
            address = page.path.replace("{token}", "1")
            async with api.ask(page.method, address, data=FILLED | {"do": "submit"}, headers=headers) as refused:
                assert refused.status == 403, (page.path, headers)
    assert (await api.get("/jobs"))["jobs"] == []


async def test_a_key_that_may_only_read_has_no_such_page(store: PostgresStore, tmp_path: Path) -> None:
    async with running(store, tmp_path, gate=KeyGate(store), loopback_only=False) as api:
        cookies = cookie_of(await login(api, await key_in(store, Scope.READ)))
        async with api.ask("GET", PATH, cookies=cookies) as refused:
            page = await refused.text()
        assert (refused.status, "lacks the scope" in page, "New job" in page) == (403, True, False)
        async with api.ask("POST", PATH, cookies=cookies, data=FILLED | {"do": "submit"}, headers=OURS) as refused:
            assert refused.status == 403
