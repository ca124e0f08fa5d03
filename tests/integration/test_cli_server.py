"""The command line against the real API: what it sends is taken, what it is told it shows."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from encoder import errors
from encoder.model.state import TaskState
from encoder.storage import arrival, folder
from encoder.store.postgres import PostgresStore
from tests.lab import work
from tests.lab.api import Api, running
from tests.lab.command import encoder

SOURCE = "https://media.example.com/in.mov"


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


async def test_submit_posts_what_its_options_say(api: Api) -> None:
    options = (
        "--preset",
        "h264",
        "--preset",
        "vp9",
        "-o",
        "https://h.example/out.mp4",
        "--tag",
        "a",
        "--priority",
        "7",
        "--queue",
        "gpu",
    )
    await api.parts.store.hello(work.new_worker(queues=("gpu",)))
    done = await encoder("submit", SOURCE, *options, "--notify", "https://h.example/hook", url=api.url)
    assert done.code == 0
    shown = await api.get(f"/jobs/{done.out.strip()}")
    assert (shown["source"]["url"], shown["tags"], shown["priority"], shown["queue"]) == (SOURCE, ["a"], 7, "gpu")
    assert [output["spec"]["preset"] for output in shown["outputs"]] == ["h264", "vp9"]
    assert shown["outputs"][0]["spec"]["destination"]["url"] == "https://h.example/out.mp4"
    assert "destination" not in shown["outputs"][1]["spec"]
    assert f"encoder watch {shown['id']} --url {api.url}\n" in done.err


async def test_submit_with_json_prints_the_answer_of_the_api_and_nothing_else(api: Api) -> None:
    done = await encoder("submit", SOURCE, "--json", url=api.url)
    assert json.loads(done.out).keys() == {"id", "uuid", "status"}
    assert done.err == ""


async def test_the_same_key_makes_one_job(api: Api) -> None:
    first, second = [await encoder("submit", SOURCE, "--idempotency-key", "k", url=api.url) for _ in range(2)]
    assert first.out == second.out


async def test_a_whole_job_is_sent_as_it_stands(api: Api) -> None:
    job = {"source": {"url": SOURCE}, "outputs": [{"preset": "h264", "widht": 1}]}
    done = await encoder("submit", "--job", "-", url=api.url, stdin=json.dumps(job))
    assert done.code == 2
    assert "unknown_field: /outputs/0/widht" in done.err
    assert "encoder help unknown_field" in done.err
    assert done.out == ""


async def test_a_preset_of_ones_own_is_put_shown_used_and_removed(api: Api) -> None:
    said = {"about": "For \x1b phones", "members": {"preset": "h264", "height": 480}}
    refused = await encoder("presets", "put", "web", "-", url=api.url, stdin=json.dumps(said))
    assert (refused.code, "invalid_text: /about" in refused.err) == (2, True)
    said["about"] = "For phones"
    for member, told in ((480, "web version 1"), (360, "web version 2")):
        said["members"] = {"preset": "h264", "height": member}
        done = await encoder("presets", "put", "web", "-", url=api.url, stdin=json.dumps(said))
        assert (done.code, done.out) == (0, f"{told}\n")
    listed = (await encoder("presets", "list", url=api.url)).out.splitlines()
    assert listed[0].startswith("h264               built in  H.264 and AAC")
    assert listed[-1] == "web                yours, version 2  For phones"
    assert json.loads((await encoder("presets", "show", "web", url=api.url)).out) == said["members"]
    job = await encoder("submit", SOURCE, "--preset", "web", url=api.url)
    assert (await api.get(f"/jobs/{job.out.strip()}"))["outputs"][0]["spec"]["height"] == 360
    removed = await encoder("presets", "remove", "web", url=api.url)
    assert (removed.code, removed.err) == (0, "removed web\n")
    assert (await encoder("presets", "show", "web", url=api.url)).code == 2


async def test_an_ingest_rule_is_put_listed_and_removed(api: Api) -> None:
    rule = {"source": {"bucket": "media", "prefix": "in/"}, "outputs": [{"preset": "h264"}], "enabled": False}
    refused = await encoder("ingest", "put", "a", "-", url=api.url, stdin=json.dumps({**rule, "outputs": []}))
    assert (refused.code, "out_of_range: /outputs" in refused.err) == (2, True)
    assert "encoder ingest put NAME FILE" in (await encoder("ingest", "rules", url=api.url)).err
    put = await encoder("ingest", "put", "videos", "-", url=api.url, stdin=json.dumps(rule))
    assert (put.code, put.out) == (0, "videos             version 1, off  s3://media/in/  1 outputs\n")
    assert (await encoder("ingest", "rules", url=api.url)).out == put.out
    assert json.loads((await encoder("ingest", "rules", "--json", url=api.url)).out)["source"] == rule["source"]
    assert (await encoder("ingest", "remove", "videos", url=api.url)).err == "removed videos\n"
    assert (await encoder("ingest", "remove", "videos", url=api.url)).code == 2


async def test_with_json_an_error_is_the_problem_of_the_api(api: Api) -> None:
    done = await encoder("job", "999", "--json", url=api.url)
    problem = json.loads(done.err)
    assert (done.code, done.out) == (2, "")
    assert (problem["status"], problem["code"]) == (404, "not_found")


async def test_a_local_file_is_named_where_the_server_may_read_and_sent_where_it_may_not(
    api: Api, tmp_path: Path
) -> None:
    inside, outside = tmp_path / "root" / "in.mov", tmp_path / "out.mov"
    for path, kind in ((inside, "file"), (outside, "inline")):
        path.write_bytes(b"moov")
        done = await encoder("submit", str(path), url=api.url)
        assert done.code == 0, done.err
        assert (await api.get(f"/jobs/{done.out.strip()}"))["source"]["kind"] == kind


async def test_a_file_that_could_be_sent_is_no_fault_beside_a_real_one(api: Api, tmp_path: Path) -> None:
    path = tmp_path / "out.mov"
    path.write_bytes(b"moov")
    done = await encoder("submit", str(path), "--preset", "h266", url=api.url)
    assert done.code == 2
    assert "unknown_preset: /outputs/0/preset" in done.err
    assert "/source" not in done.err


def _large(path: Path) -> Path:
    with path.open("wb") as file:
        file.write(b"moov")
        file.truncate(12_000_001)
    return path


@pytest.fixture
def linked(api: Api) -> Api:
    """The same, whose links lead to it."""
    api.storage._public_url = api.parts.passes._public_url = api.url
    return api


async def test_a_large_file_outside_the_folders_is_brought_first(linked: Api, tmp_path: Path) -> None:
    path = _large(tmp_path / "large.mov")
    done = await encoder("submit", str(path), url=linked.url)
    assert done.code == 0, done.err
    assert "Uploading large.mov, 12 MB" in done.err
    job = await linked.get(f"/jobs/{done.out.strip()}")
    assert (job["source"]["kind"], job["source"]["fileName"]) == ("upload", "large.mov")
    key = f"uploads/{job['source']['fileId']}/source"
    assert (linked.root / key).read_bytes() == path.read_bytes()


async def test_a_large_file_goes_on_where_it_broke_off(
    linked: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """J19, U3: twice the disk is away in the middle of a piece."""
    monkeypatch.setattr(folder, "SETTLE_BYTES", 100_000)
    path, came, breaks = _large(tmp_path / "large.mov"), 0, [4_000_000, 8_000_000]
    write = arrival.Arrival.write

    async def breaking(self: arrival.Arrival, chunk: bytes) -> None:
        nonlocal came
        if breaks and came > breaks[0]:
            breaks.pop(0)
            raise errors.Transient("storage_unavailable", "The disk is away.")
        came += len(chunk)
        await write(self, chunk)

    monkeypatch.setattr(arrival.Arrival, "write", breaking)
    done = await encoder("submit", str(path), url=linked.url)
    assert done.code == 0, done.err
    assert breaks == []
    assert came < path.stat().st_size + 2_000_000  # not from its start
    job = await linked.get(f"/jobs/{done.out.strip()}")
    assert (linked.root / f"uploads/{job['source']['fileId']}/source").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("verb", ["plan", "probe"])
async def test_to_look_at_a_large_file_it_is_brought_too(linked: Api, tmp_path: Path, verb: str) -> None:
    done = await encoder(verb, str(_large(tmp_path / "large.mov")), url=linked.url)
    assert "Uploading large.mov, 12 MB" in done.err
    assert "source_not_found" in done.err  # of the lab's API, which has nobody who looks
    assert len(list((linked.root / "uploads").iterdir())) == 1
    assert (await linked.get("/jobs"))["jobs"] == []


async def test_what_is_wrong_with_a_job_is_told_before_its_file_is_brought(linked: Api, tmp_path: Path) -> None:
    done = await encoder("submit", str(_large(tmp_path / "large.mov")), "--preset", "h266", url=linked.url)
    assert done.code == 2
    assert "unknown_preset: /outputs/0/preset" in done.err
    assert "Uploading" not in done.err
    assert not (linked.root / "uploads").exists()


@pytest.mark.parametrize(
    ("name", "full", "why"),
    [("large.mkv", False, "must end in one of .mp4, .mov"), ("large.mov", True, "has no room for the file")],
)
async def test_a_large_file_that_is_not_taken_either_is_refused_with_the_remedy(
    linked: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, name: str, full: bool, why: str
) -> None:
    monkeypatch.setattr(arrival, "LEAST_FREE_BYTES", (1 << 62) if full else 0)
    done = await encoder("submit", str(_large(tmp_path / name)), "--wait", "-q", url=linked.url)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert f"ENCODER_FILE_ROOTS={tmp_path} " in done.err
    assert why in done.err
    assert (await linked.get("/jobs"))["jobs"] == []


async def test_jobs_are_listed_for_people_and_for_scripts(api: Api) -> None:
    ids = [(await encoder("submit", SOURCE, url=api.url)).out.strip() for _ in range(3)]
    for_people = await encoder("jobs", "--status", "queued", "--limit", "2", url=api.url)
    assert [line.split()[0] for line in for_people.out.splitlines()] == ["JOB", *ids[:0:-1]]
    assert f"encoder job {ids[-1]} --url {api.url}\n" in for_people.err
    for nothing, told in ((("--status", "failed", "--status", "cancelled"), "No job is like that"), ((), "")):
        assert told in (await encoder("jobs", *nothing, url=api.url)).err
    for_scripts = await encoder("jobs", "--json", url=api.url)
    assert [json.loads(line) for line in for_scripts.out.splitlines()] == (await api.get("/jobs"))["jobs"]


async def test_a_job_is_shown_with_its_outputs(api: Api) -> None:
    job_id = (await encoder("submit", SOURCE, "--preset", "h264", url=api.url)).out.strip()
    done = await encoder("job", job_id, url=api.url)
    assert f"job {job_id}  queued" in done.out
    assert f"In a browser: {api.url}/ui/jobs/{job_id}\n" in done.err
    assert "in.mov" in done.out
    assert "h264" in done.out


async def test_a_hostile_name_is_harmless_on_a_terminal(api: Api) -> None:
    await api.submit(
        {"source": {"url": "https://h.example/%1b%5d8;;x%07%e2%80%ae.mov"}, "outputs": [{"preset": "h264"}]}
    )
    done = await encoder("jobs", url=api.url)
    assert done.code == 0
    shown = await encoder("job", "1", url=api.url)
    assert all(char.isprintable() or char == "\n" for char in done.out + shown.out)


async def test_jobs_are_deleted_for_good_once_that_was_meant(api: Api) -> None:
    job_id = (await encoder("submit", SOURCE, url=api.url)).out.strip()
    assert "say --yes" in (await encoder("delete", job_id, url=api.url)).err
    done = await encoder("delete", "999", job_id, "--yes", url=api.url)
    assert (done.code, done.out) == (2, f"job {job_id} is gone\n")
    assert "not_found" in done.err
    assert (await api.get("/jobs"))["jobs"] == []
    assert "There is no job yet. Submit one: " in (await encoder("jobs", url=api.url)).err


async def test_a_log_that_is_not_there_is_told(api: Api) -> None:
    job_id = (await encoder("submit", SOURCE, url=api.url)).out.strip()
    for words, told in (((), "has no log"), (("7",), "no such output")):
        done = await encoder("log", job_id, *words, url=api.url)
        assert (done.code, told in done.err) == (2, True)


async def test_the_shell_is_offered_what_there_is(api: Api) -> None:
    """Half a word of a job, a preset or a queue; nothing at all where no server answers."""
    ids = [(await encoder("submit", SOURCE, url=api.url)).out.strip() for _ in range(2)]
    await encoder("cancel", ids[0], "--yes", url=api.url)

    async def offered(*words: str, url: str = api.url) -> list[str]:
        typed = {"COMP_WORDS": " ".join(("encoder", *words)), "COMP_CWORD": str(len(words))}
        done = await encoder(url=url, _ENCODER_COMPLETE="bash_complete", **typed)
        assert done.err == ""
        return [line.removeprefix("plain,") for line in done.out.split()]

    assert await offered("job", "") == ids[::-1]
    assert await offered("cancel", "") == [ids[1]]
    assert await offered("submit", SOURCE, "--preset", "hev") == ["hevc"]
    assert await offered("help", "source_tr") == ["source_truncated"]
    assert await offered("job", "", url="http://127.0.0.1:9") == []


async def test_cancel_and_retry_go_on_after_a_refusal_and_tell_the_worst(api: Api) -> None:
    job_id = (await encoder("submit", SOURCE, url=api.url)).out.strip()
    cancelled = await encoder("cancel", "999", job_id, "--yes", url=api.url)
    assert cancelled.code == 2
    assert "not_found" in cancelled.err
    assert (await api.get(f"/jobs/{job_id}"))["status"] == "cancelled"
    assert (await encoder("cancel", job_id, "--yes", url=api.url)).code == 1
    assert (await encoder("retry", job_id, url=api.url)).code == 0
    assert (await api.get(f"/jobs/{job_id}"))["run"] == 2


async def test_watching_a_cancelled_job_exits_6(api: Api) -> None:
    job_id = (await encoder("submit", SOURCE, url=api.url)).out.strip()
    await encoder("cancel", job_id, "--yes", url=api.url)
    done = await encoder("watch", job_id, url=api.url)
    assert done.code == 6
    assert "Cancelled" in done.err


async def test_waiting_ends_with_its_timeout_and_says_that_the_job_goes_on(api: Api) -> None:
    done = await encoder("submit", SOURCE, "--wait", "--timeout", "0.5", url=api.url)
    assert done.code == 5
    assert "the job goes on" in done.err


async def test_stats_and_workers_are_told(api: Api) -> None:
    await encoder("submit", SOURCE, url=api.url)
    counted = await encoder("stats", url=api.url)
    assert "queued              1" in counted.out
    assert "wrong: " in counted.err  # somebody waits, and nobody works
    workers = await encoder("workers", url=api.url)
    assert (workers.code, workers.out) == (0, "")
    assert "No worker is alive" in workers.err
    await api.parts.store.hello(work.new_worker("studio-7", queues=("gpu", "io")))
    alive = (await encoder("workers", url=api.url)).out
    assert re.search(r"studio-7 pid 7  1\.0  gpu,io  idle  last sign \d+ s ago\n", alive)


async def test_a_lost_worker_is_told_with_what_it_had(api: Api) -> None:
    store, worker = api.parts.store, work.new_worker("studio-8")
    await store.hello(worker)
    job = await work.enqueue(store)
    (claim,) = await work.claim(store, worker=worker.id, lease=work.PAST)
    assert f"job {job.id}  last sign" in (await encoder("workers", url=api.url)).out
    await store.note_lost(worker.id, claim, TaskState.WAITING)
    told = await encoder("workers", url=api.url)
    lost = rf"studio-8 pid 7  1\.0  encode,io  LOST, last sign \d+ s ago, with job {job.id} \(taken over\)\n"
    assert re.fullmatch(lost, told.out)
    assert "No worker is alive" in told.err
