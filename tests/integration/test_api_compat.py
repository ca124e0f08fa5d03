"""The doors for callers of other services: keys as they show them, refusals as they read them."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from encoder.api.auth import KeyGate
from encoder.model.formats.elastictranscoder import written
from encoder.model.ids import DEFAULT_TENANT, TenantId
from encoder.model.key import Scope, digest, new_key, shown
from encoder.store.kept import NewKey
from encoder.store.protocol import Store
from tests.lab.api import Api, running

TRANSCODER = "/compat/elastictranscoder"
ROOTS = (TRANSCODER, f"{TRANSCODER}/2012-09-25", "/2012-09-25")
KEYS = {"access_key_id": "AKIALAB", "access_key_secret": "SECRET/lab"}
PIPELINE: dict[str, Any] = {
    "input": {"bucket": "lab-in", **KEYS},
    "output": {"bucket": "lab-out", "acl": "public-read", **KEYS},
    "notificationUrl": "http://127.77.0.1/told?token=hush",
}
JOB: dict[str, Any] = {
    "PipelineId": "one",
    "Input": {"Key": "in/a.mov"},
    "Outputs": [{"Key": "out/a.mp4", "PresetId": "1351620000001-000010"}],
}
THEIR_PRESET: dict[str, Any] = {
    "Name": "DefaultPreset",
    "Description": "Use for published videos",
    "Container": "mp4",
    "Audio": {"Codec": "AAC", "SampleRate": "48000", "BitRate": "96", "Channels": "2"},
    "Video": {
        "Codec": "H.264",
        "CodecOptions": {"Profile": "main", "Level": "3.1", "MaxReferenceFrames": "2"},
        "KeyframesMaxDist": "240",
        "FixedGOP": "false",
        "BitRate": "1600",
        "FrameRate": "30",
        "MaxWidth": "640",
        "MaxHeight": "360",
        "SizingPolicy": "ShrinkToFit",
        "PaddingPolicy": "Pad",
        "DisplayAspectRatio": "auto",
        "Watermarks": [
            {
                "Id": "TopLeft", "MaxWidth": "10%", "MaxHeight": "10%", "SizingPolicy": "ShrinkToFit", "Opacity": "100",
                "HorizontalAlign": "Left", "VerticalAlign": "Top", "Target": "Content",
            },
        ],
    },
    "Thumbnails": {
        "Format": "png", "Interval": "120", "MaxWidth": "128", "MaxHeight": "128", "SizingPolicy": "ShrinkToFit",
        "PaddingPolicy": "NoPad",
    },
}  # fmt: skip
OTHER = TenantId(7)


async def key_for(store: Store, *scopes: Scope, tenant: TenantId = DEFAULT_TENANT) -> str:
    key = new_key()
    named = NewKey(tenant_id=tenant, name="k", prefix=shown(key), digest=digest(key), scopes=frozenset(scopes or Scope))
    await store.add_key(named)
    return key


def signed(key: str) -> dict[str, str]:
    """As SDKs of AWS sign."""
    scope = f"Credential={key}/20261129/us-east-1/elastictranscoder/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
async def api(store: Store, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path, gate=KeyGate(store)) as server:
        yield server


@pytest.fixture
async def key(api: Api, store: Store) -> str:
    """One that opens everything, of a tenant that has the pipeline `one`."""
    key = await key_for(store)
    status, told, _ = await asked(api, "PUT", f"{TRANSCODER}/pipelines/one", headers=bearer(key), json=PIPELINE)
    assert status == 200, told
    return key


async def asked(api: Api, method: str, path: str, **more: Any) -> tuple[int, Any, dict[str, str]]:  # noqa: ANN401
    async with api.ask(method, path, **more) as response:
        told = await response.json(content_type=None) if response.status != 204 else None
        return response.status, told, dict(response.headers)


@pytest.mark.parametrize("root", ROOTS)
async def test_a_job_is_made_read_and_cancelled_in_their_words(api: Api, key: str, root: str) -> None:
    status, made, _ = await asked(api, "POST", f"{root}/jobs", headers=signed(key), json=JOB)
    assert status == 201, made
    job = made["Job"]
    assert (job["Status"], job["Output"], job["Outputs"][0]["Id"]) == ("Submitted", job["Outputs"][0], "1")
    status, read, _ = await asked(api, "GET", f"{root}/jobs/{job['Id']}", headers=bearer(key))
    assert (status, read) == (200, made)
    status, told, _ = await asked(api, "DELETE", f"{root}/jobs/{job['Id']}", headers=signed(key))
    assert (status, told) == (202, {"Success": "true"})
    _, read, _ = await asked(api, "GET", f"{root}/jobs/{job['Id']}", headers=signed(key))
    assert (read["Job"]["Status"], read["Job"]["Outputs"][0]["Status"]) == ("Canceled", "Canceled")
    status, told, headers = await asked(api, "DELETE", f"{root}/jobs/{job['Id']}", headers=signed(key))
    assert (status, headers["x-amzn-ErrorType"]) == (409, "ResourceInUseException")


async def test_what_sdks_send_without_a_type_is_read(api: Api, key: str) -> None:
    """botocore sent none for years."""
    headers = {**signed(key), "Content-Type": "application/octet-stream"}
    body = b'{"PipelineId":"one","Input":{"Key":"a"},"Output":{"Key":"b","PresetId":"1351620000001-000010"}}'
    status, told, _ = await asked(api, "POST", f"{TRANSCODER}/jobs", headers=headers, data=body)
    assert status == 201, told
    headers["Content-Type"] = "text/html"
    status, told, _ = await asked(api, "POST", f"{TRANSCODER}/jobs", headers=headers, data=body)
    assert (status, told.keys()) == (400, {"message"})


async def test_a_key_is_shown_as_they_show_it_and_nothing_else_is_one(api: Api, store: Store, key: str) -> None:
    reader = await key_for(store, Scope.READ)
    wrong: list[tuple[dict[str, str], str]] = [
        ({}, "AccessDeniedException"),
        (signed(new_key()), "AccessDeniedException"),
        (signed("x"), "AccessDeniedException"),
        ({"Authorization": "AWS4-HMAC-SHA256 Signature=0"}, "AccessDeniedException"),
        ({"Authorization": f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"}, "AccessDeniedException"),
        (signed(reader), "AccessDeniedException"),
    ]
    for headers, kind in wrong:
        status, told, answered = await asked(api, "POST", f"{TRANSCODER}/jobs", headers=headers, json=JOB)
        assert (status, answered["x-amzn-ErrorType"], [*told]) == (403, kind, ["message"]), headers
        assert answered["Content-Type"] == "application/json"
    status, _, _ = await asked(api, "GET", "/jobs", headers=signed(key))
    assert status == 401  # at our own doors theirs is none


async def test_every_fault_is_told_in_one_sentence_by_their_paths(api: Api, key: str) -> None:
    body = {
        **JOB,
        "Foo": 1,
        "Input": {"Key": "../a"},
        "Outputs": [{"Key": "b", "PresetId": "nope", "Encryption": {"Mode": "s3"}}],
    }
    status, told, headers = await asked(api, "POST", f"{TRANSCODER}/jobs", headers=signed(key), json=body)
    assert (status, headers["x-amzn-ErrorType"]) == (400, "ValidationException")
    assert "Outputs/0/Encryption: not supported by Encoder: " in told["message"]
    assert "Foo: is not known here" in told["message"]
    assert "Outputs/0/PresetId: The specified preset was not found" in told["message"]
    bad = {**JOB, "Input": {"Key": "../a"}}
    status, told, _ = await asked(api, "POST", f"{TRANSCODER}/jobs", headers=signed(key), json=bad)
    assert status == 400
    assert told["message"].startswith("Input/Key: ")


@pytest.mark.parametrize(
    "change", [{"PipelineId": "none"}, {"Outputs": [{"Key": "b", "PresetId": "1351620000001-100160"}]}]
)
async def test_what_a_job_names_and_is_not_there_is_not_found(api: Api, key: str, change: dict[str, Any]) -> None:
    status, told, headers = await asked(api, "POST", f"{TRANSCODER}/jobs", headers=signed(key), json=JOB | change)
    assert (status, headers["x-amzn-ErrorType"]) == (404, "ResourceNotFoundException"), told


async def test_what_is_another_tenants_is_not_there(api: Api, store: Store, key: str) -> None:
    theirs = await key_for(store, tenant=OTHER)
    status, _, _ = await asked(api, "POST", f"{TRANSCODER}/jobs", headers=signed(theirs), json=JOB)
    assert status == 404
    for method in ("GET", "DELETE"):
        status, _, _ = await asked(api, method, f"{TRANSCODER}/pipelines/one", headers=bearer(theirs))
        assert status == 404
    _, made, _ = await asked(api, "POST", f"{TRANSCODER}/jobs", headers=signed(key), json=JOB)
    for method in ("GET", "DELETE"):
        path = f"{TRANSCODER}/jobs/{made['Job']['Id']}"
        status, told, _ = await asked(api, method, path, headers=signed(theirs))
        assert (status, told) == (404, {"message": "The specified job was not found."})


async def test_a_job_in_other_words_is_none_of_theirs(api: Api, store: Store, key: str) -> None:
    ours = {"source": {"url": "http://127.77.0.1/a"}, "outputs": [{"preset": "h264"}]}
    async with api.ask("POST", "/jobs", headers=bearer(key), json=ours) as response:
        job_id = (await response.json())["id"]
    _, made, _ = await asked(api, "POST", f"{TRANSCODER}/jobs", headers=signed(key), json=JOB)
    when, _ = made["Job"]["Id"].split("-")
    _, coconuts, _ = await asked(api, "POST", f"{COCONUT}/jobs", headers=basic(key), json=COCONUT_JOB)
    row = await store.job(DEFAULT_TENANT, coconuts["id"])
    assert row is not None
    assert row.spec.origin is not None
    for text in (
        f"{when}-{job_id:06d}",
        written(row.id, row.spec.origin.stamp),
        f"{int(when) + 1}-{made['Job']['Id'][-6:]}",
        "42",
        "%00",
    ):
        status, _, _ = await asked(api, "GET", f"{TRANSCODER}/jobs/{text}", headers=signed(key))
        assert status == 404, text


async def test_a_pipelines_secrets_are_kept_sealed_and_go_with_its_jobs(api: Api, store: Store, key: str) -> None:
    """S1"""
    row = await store.pipeline(DEFAULT_TENANT, "one")
    assert row is not None
    assert row.sealed is not None
    status, told, _ = await asked(api, "GET", f"{TRANSCODER}/pipelines/one", headers=bearer(key))
    assert status == 200
    assert told["input"]["access_key_secret"] == "***"
    assert told["notificationUrl"] == "http://127.77.0.1/told?***"
    again = {name: told[name] for name in PIPELINE}  # what is shown is no secret: putting it back would lose them
    status, refused, _ = await asked(api, "PUT", f"{TRANSCODER}/pipelines/one", headers=bearer(key), json=again)
    faults = {fault["path"]: fault["code"] for fault in refused["errors"]}
    assert status == 422
    assert (faults["/notificationUrl"], faults["/input/access_key_secret"]) == ("invalid_value", "invalid_value")
    _, made, _ = await asked(api, "POST", f"{TRANSCODER}/jobs", headers=signed(key), json=JOB)
    jobs = await api.session.get(f"{api.url}/jobs", headers=bearer(key))
    for text in (str(row), str(told), str(made), await jobs.text()):
        assert "SECRET/lab" not in text
        assert "hush" not in text
    job = await store.job(DEFAULT_TENANT, str((await jobs.json())["jobs"][0]["id"]))
    assert job is not None
    assert job.sealed is not None
    opened = api.parts.vault.open(job.sealed, tenant_id=DEFAULT_TENANT, job_uuid=job.uuid)
    assert opened["/source/access_key_secret"] == "SECRET/lab"
    assert opened["/notificationUrl"] == PIPELINE["notificationUrl"]


async def test_a_pipeline_is_replaced_whole_and_removed(api: Api, key: str) -> None:
    path = f"{TRANSCODER}/pipelines/one"
    smaller = {name: PIPELINE[name] for name in ("input", "output")}
    _, told, _ = await asked(api, "PUT", path, headers=bearer(key), json=smaller)
    assert told["notificationUrl"] is None
    status, _, _ = await asked(api, "DELETE", path, headers=bearer(key))
    assert status == 204
    for method in ("GET", "DELETE"):
        status, told, _ = await asked(api, method, path, headers=bearer(key))
        assert (status, told["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, {"/input": "missing_field", "/output": "missing_field"}),
        ({**PIPELINE, "role": "x"}, {"/role": "unknown_field"}),
        ({**PIPELINE, "input": {"bucket": "LAB"}}, {"/input/bucket": "invalid_value"}),
        (
            {**PIPELINE, "output": {**PIPELINE["output"], "endpointUrl": "http://10.0.0.1"}},
            {"/output/endpointUrl": "address_not_allowed"},
        ),
        ({**PIPELINE, "notificationUrl": "http://10.0.0.1/"}, {"/notificationUrl": "address_not_allowed"}),
    ],
)
async def test_a_pipeline_is_checked_when_it_is_put(
    api: Api, key: str, body: dict[str, Any], faults: dict[str, str]
) -> None:
    status, told, _ = await asked(api, "PUT", f"{TRANSCODER}/pipelines/two", headers=bearer(key), json=body)
    assert (status, {fault["path"]: fault["code"] for fault in told["errors"]}) == (422, faults)


async def test_a_preset_of_ones_own_stands_for_theirs(api: Api, key: str) -> None:
    members = {"preset": "h264", "height": 360}
    status, told, _ = await asked(api, "PUT", "/presets/mine", headers=bearer(key), json={"members": members})
    assert status == 200, told
    body = {**JOB, "Outputs": [{"Key": "out/a.mp4", "PresetId": "mine"}]}
    status, made, _ = await asked(api, "POST", f"{TRANSCODER}/jobs", headers=signed(key), json=body)
    assert status == 201, made
    async with api.ask("GET", "/jobs", headers=bearer(key)) as response:
        spec = (await response.json())["jobs"][0]["outputs"][0]["spec"]
    assert (spec["preset"], spec["presetVersion"], spec["height"]) == ("mine", 1, 360)


async def test_a_preset_in_their_words_is_kept_as_one_of_ours(api: Api, key: str) -> None:
    """As their documents have one, and as their `ReadPreset` shows it; with what its jobs' pictures are made by."""
    told = {**THEIR_PRESET, "Id": "1351620000001-abcde1", "Arn": "arn", "Type": "Custom"}
    status, put, _ = await asked(api, "PUT", "/presets/web", headers=bearer(key), json=told)
    assert status == 200, put
    assert put["about"] == "Use for published videos"
    assert put["members"] == {
        "container": "mp4", "videoCodec": "libx264", "videoBitrate": 1_600_000, "profile": "main", "level": "3.1",
        "keyframeInterval": 8.0, "fps": 30, "width": 640, "height": 360, "fit": "pad", "audioCodec": "aac",
        "audioBitrate": 96_000, "audioSampleRate": 48_000, "audioChannels": 2,
    }  # fmt: skip
    assert [note["code"] for note in put["warnings"]] == ["hint_ignored"]
    assert (await asked(api, "GET", "/presets/web", headers=bearer(key)))[1]["warnings"] == []
    output = {"Key": "a.mp4", "PresetId": "web", "ThumbnailPattern": "a/{count}"}
    body = {**JOB, "Outputs": [{**output, "Watermarks": [{"InputKey": "in/w.png", "PresetWatermarkId": "TopLeft"}]}]}
    _, made, _ = await asked(api, "POST", f"{TRANSCODER}/jobs", headers=signed(key), json=body)
    (job,) = (await asked(api, "GET", "/jobs", headers=bearer(key)))[1]["jobs"]
    video, pictures = (await asked(api, "GET", f"/jobs/{job['id']}", headers=bearer(key)))[1]["outputs"]
    assert (made["Job"]["Output"]["PresetId"], video["spec"]["preset"]) == ("web", "web")
    assert (pictures["spec"]["thumbnails"]["every"], pictures["spec"]["width"]) == (120, 128)
    # without pictures of its own, none of an earlier one stay
    del told["Thumbnails"]
    assert (await asked(api, "PUT", "/presets/web", headers=bearer(key), json=told))[0] == 200
    assert (await asked(api, "GET", "/presets/web.thumbnails", headers=bearer(key)))[0] == 404


async def test_what_is_wrong_with_a_preset_of_theirs_is_told_at_its_own_members(api: Api, key: str) -> None:
    video = {**THEIR_PRESET["Video"], "Codec": "vp8", "SizingPolicy": "Keep", "Foo": "1"}
    body = {**THEIR_PRESET, "Video": video}
    status, told, _ = await asked(api, "PUT", "/presets/web", headers=bearer(key), json=body)
    assert status == 422
    assert {(fault["path"], fault["code"]) for fault in told["errors"]} == {
        ("/Video/Codec", "unsupported_member"),
        ("/Video/SizingPolicy", "unsupported_member"),
        ("/Video/Foo", "unknown_field"),
    }
    by_our_own_rules = {
        "/Video/BitRate": {"Video": {**THEIR_PRESET["Video"], "BitRate": "999999"}},
        "/Audio/Codec": {"Audio": {"Codec": "vorbis", "BitRate": "64"}},
        "/Thumbnails": {"Thumbnails": {"Interval": "0"}},
    }
    for path, change in by_our_own_rules.items():
        body = {**THEIR_PRESET, **change}
        status, told, _ = await asked(api, "PUT", "/presets/web", headers=bearer(key), json=body)
        assert (status, [fault["path"] for fault in told["errors"]]) == (422, [path])
    body = {**THEIR_PRESET, "Video": {**THEIR_PRESET["Video"], "Watermarks": [{"Id": "Middle"}]}}
    status, told, _ = await asked(api, "PUT", "/presets/web", headers=bearer(key), json=body)
    assert (status, told["errors"][0]["path"]) == (422, "/Video/Watermarks")
    assert (await asked(api, "GET", "/presets/web", headers=bearer(key)))[0] == 404


async def test_the_same_key_and_body_make_one_job(api: Api, key: str) -> None:
    headers = {**signed(key), "Idempotency-Key": "k"}
    _, first, _ = await asked(api, "POST", f"{TRANSCODER}/jobs", headers=headers, json=JOB)
    status, second, told = await asked(api, "POST", f"{TRANSCODER}/jobs", headers=headers, json=JOB)
    assert (status, second, told["Idempotency-Replayed"]) == (201, first, "true")
    other = {**JOB, "UserMetadata": {"a": "b"}}
    status, _, _ = await asked(api, "POST", f"{TRANSCODER}/jobs", headers=headers, json=other)
    assert status == 400


COCONUT = "/compat/coconut"
COCONUT_ROOTS = (COCONUT, f"{COCONUT}/v2", "/v2")
COCONUT_JOB: dict[str, Any] = {
    "input": {"url": "http://127.77.0.1/a.mov"},
    "storage": {
        "service": "s3",
        "bucket": "lab",
        "credentials": {"access_key_id": "A", "secret_access_key": "SECRET/x"},
    },
    "notification": {"type": "http", "url": "http://127.77.0.1/told?token=hush"},
    "outputs": {"mp4:720p": {"key": "mine", "path": "/a.mp4"}},
}


def basic(key: str, password: str = "") -> dict[str, str]:
    """As Coconut's clients show a key."""
    return {"Authorization": f"Basic {base64.b64encode(f'{key}:{password}'.encode()).decode()}"}


@pytest.mark.parametrize("root", COCONUT_ROOTS)
async def test_a_job_is_made_and_read_in_coconuts_words(api: Api, key: str, root: str) -> None:
    status, made, _ = await asked(api, "POST", f"{root}/jobs", headers=basic(key), json=COCONUT_JOB)
    assert status == 201, made
    assert (made["status"], made["progress"], made["input"]) == ("job.starting", "0%", {"status": "input.starting"})
    (output,) = made["outputs"]
    assert (output["key"], output["format"], output["status"]) == ("mine", "mp4:720p", "video.waiting")
    status, read, _ = await asked(api, "GET", f"{root}/jobs/{made['id']}", headers=bearer(key))
    assert (status, read) == (200, made)
    assert "SECRET" not in str(made)


async def test_what_curl_sends_by_itself_is_read(api: Api, key: str) -> None:
    """Coconut's own example: `curl -u key: -d '{…}'`."""
    headers = {**basic(key), "Content-Type": "application/x-www-form-urlencoded"}
    status, told, _ = await asked(api, "POST", "/v2/jobs", headers=headers, data=json.dumps(COCONUT_JOB))
    assert status == 201, told
    async with api.ask(
        "POST", "/jobs", headers=bearer(key) | {"Content-Type": headers["Content-Type"]}, data="{}"
    ) as ours:
        assert ours.status == 415


async def test_coconuts_callers_are_refused_in_its_words(api: Api, store: Store, key: str) -> None:
    wrong: list[tuple[dict[str, str], int, str]] = [
        ({}, 401, "authentication_failed"),
        (basic(new_key()), 401, "authentication_failed"),
        (basic("", key), 401, "authentication_failed"),
        ({"Authorization": "Basic %"}, 401, "authentication_failed"),
        (signed(key), 401, "authentication_failed"),
        (basic(await key_for(store, Scope.READ)), 403, "insufficient_scope"),
    ]
    for headers, status, code in wrong:
        told = await asked(api, "POST", f"{COCONUT}/jobs", headers=headers, json=COCONUT_JOB)
        assert (told[0], told[1]["error_code"], told[1]["status"]) == (status, code, "error"), headers
        assert told[1].keys() == {"message", "error_code", "status"}
    bad = {**COCONUT_JOB, "foo": 1, "outputs": {"mp4": {"path": "/a", "if": "x"}, "avi": {"path": "/b"}}}
    status, told_bad, _ = await asked(api, "POST", f"{COCONUT}/jobs", headers=basic(key), json=bad)
    assert (status, told_bad["error_code"]) == (400, "unsupported_member")
    for part in ("outputs/mp4/if: not supported by Encoder: ", "outputs/avi: not supported", "foo: is not known here"):
        assert part in told_bad["message"]
    assert "SECRET" not in str(told_bad)


async def test_a_job_of_others_is_none_of_coconuts(api: Api, store: Store, key: str) -> None:
    _, made, _ = await asked(api, "POST", f"{COCONUT}/jobs", headers=basic(key), json=COCONUT_JOB)
    _, theirs, _ = await asked(api, "POST", f"{TRANSCODER}/jobs", headers=signed(key), json=JOB)
    async with api.ask("GET", "/jobs", headers=bearer(key)) as response:
        uuids = {job["uuid"] for job in (await response.json())["jobs"]} - {made["id"]}
    stranger = basic(await key_for(store, tenant=OTHER))
    for name, headers in (*((uuid, basic(key)) for uuid in uuids), ("7", basic(key)), (made["id"], stranger)):
        status, told, _ = await asked(api, "GET", f"{COCONUT}/jobs/{name}", headers=headers)
        assert (status, told["error_code"]) == (404, "not_found"), (name, theirs)


async def test_coconuts_secrets_are_sealed_with_the_job(api: Api, store: Store, key: str) -> None:
    """S1"""
    _, made, _ = await asked(api, "POST", f"{COCONUT}/jobs", headers=basic(key), json=COCONUT_JOB)
    row = await store.job(DEFAULT_TENANT, made["id"])
    assert row is not None
    assert row.sealed is not None
    assert "SECRET" not in str(row)
    assert "hush" not in str(row)
    opened = api.parts.vault.open(row.sealed, tenant_id=DEFAULT_TENANT, job_uuid=row.uuid)
    assert opened["/outputs/0/destination/access_key_secret"] == "SECRET/x"


async def test_what_a_translation_changed_is_told_with_the_job(api: Api, key: str) -> None:
    body = {**COCONUT_JOB, "outputs": {"webm": {"path": "/a.webm"}}}
    _, made, _ = await asked(api, "POST", f"{COCONUT}/jobs", headers=basic(key), json=body)
    async with api.ask("GET", f"/jobs/{made['id']}", headers=bearer(key)) as response:
        warnings = (await response.json())["warnings"]
    assert [warning["code"] for warning in warnings] == ["codec_substituted"]
