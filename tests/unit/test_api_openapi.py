"""The document of the API: valid, whole, and true to the code that it describes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from encoder.api import examples, openapi, preset_words, routes, wire
from encoder.api.body import read_json
from encoder.api.operations import Operation
from encoder.api.problems import _OF_STATUS
from encoder.api.scrape import Scrape
from encoder.api.wire import Job
from encoder.api.wire_bulk import read_bulk
from encoder.api.wire_endpoint import read_endpoint
from encoder.api.wire_faults import _WORDS
from encoder.api.wire_ingest import read_rule
from encoder.api.wire_key import read_key
from encoder.api.wire_pipeline import read_pipeline
from encoder.api.wire_quota import read_quota
from encoder.api.wire_upload import read_upload
from encoder.compat.coconut import job as coconut
from encoder.compat.elastictranscoder import job as transcoder
from encoder.compat.elastictranscoder.pipeline import Pipeline
from encoder.compat.translated import Translated
from encoder.destinations.registry import Destinations
from encoder.errors import CATALOGUE
from encoder.ffmpeg.presets import BUILT_IN
from encoder.ingest.events import read_events
from encoder.ingest.job import sample
from encoder.model.base import Json
from encoder.model.job import Place
from encoder.sources.registry import Sources
from tests.unit.test_api_wire import (
    DEST,
    FILE,
    FILE_URL,
    FTP,
    FTP_URL,
    HTTP,
    INLINE,
    KEYS,
    OUT,
    OUT_URL,
    PEM,
    PUT,
    S3,
    S3_OUT,
    S3_OUT_URL,
    S3_URL,
    SFTP,
    SFTP_URL,
    UPLOAD,
    WRONG,
    Anywhere,
    changed,
    job,
    members,
)

API = Path(wire.__file__).parent


@pytest.fixture(scope="module")
def operations() -> tuple[Operation, ...]:
    nobody: Any = None  # nothing is asked of it
    return routes.operations(Scrape(nobody))


@pytest.fixture(scope="module")
def document(operations: tuple[Operation, ...]) -> dict[str, Any]:
    return openapi.document(operations)


@pytest.fixture(scope="module")
def takes(document: dict[str, Any]) -> OAS31Validator:
    """The schema of a job, with all that it refers to."""
    return OAS31Validator({"$ref": "#/components/schemas/Job", "components": document["components"]})


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(document)


def test_each_operation_says_what_a_key_must_be_good_for(
    document: dict[str, Any], operations: tuple[Operation, ...]
) -> None:
    for operation in operations:
        told = document["paths"][operation.path][operation.method.lower()]
        theirs: list[dict[str, list[str]]] = [{operation.dialect.name: []}] if operation.dialect else []
        assert told["security"] == ([{"key": [operation.scope]}, *theirs] if operation.scope else [])
        refused = str(operation.dialect.status(401) if operation.dialect else 401)
        assert (refused in told["responses"]) == (operation.scope is not None)
        assert operation.scope is None or "503" in told["responses"]
        assert operation.scope is None or (operation.scope == "read") <= (operation.method == "GET")


def test_operations_have_the_names_that_clients_are_built_on(operations: tuple[Operation, ...]) -> None:
    assert [operation.operation_id for operation in operations] == [
        "submitJob", "listJobs", "actOnJobs", "probe",
        "getJob", "deleteJob", "cancelJob", "retryJob", "getRequest", "listEvents", "getLog", "getTail", "getTimeline",
        "getEvidence", "getStill",
        "announceUpload", "getUploadStatus", "getUploadedFile", "getProcessedFile",
        "describeTus", "createTusUpload", "getTusOffset", "patchTusUpload", "deleteTusUpload", "overrideTusMethod",
        "watchJobs",
        "listPresets", "getPreset", "putPreset", "deletePreset",
        "listWorkers", "listQueues", "getInsights", "getInsightsOfAll", "listTroubles", "listTroublesOfAll",
        "getStats", "getUsage", "pauseQueue", "resumeQueue",
        "listQuotas", "putQuota", "deleteQuota", "listDeadLetters", "redrive",
        "listEndpoints", "getEndpoint", "putEndpoint", "deleteEndpoint", "rotateEndpoint", "testEndpoint",
        "listDeliveries", "getDelivery", "replayDeliveries", "replayDelivery",
        "listIngestRules", "getIngestRule", "putIngestRule", "removeIngestRule", "ingestObjects",
        "listKeys", "createKey", "revokeKey",
        "listPipelines", "getPipeline", "putPipeline", "deletePipeline",
        *(
            f"{name}TranscoderJob{where}"
            for where in ("", "Below", "AtRoot") for name in ("create", "read", "cancel")
        ),
        *(f"{name}CoconutJob{where}" for where in ("", "Below", "AtRoot") for name in ("create", "read")),
        "getFile", "headFile", "getSharedFile", "headSharedFile", "putFile", "postFile",
        "live", "health", "ready", "docsPage", "docsFile", "errorsPage", "metrics", "openapi",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        job(),
        job(source=INLINE),
        job(source=FILE),
        job(source=FILE_URL),
        job(source={"url": "HTTP://h.example/a"}),
        job(source=S3),
        job(
            source=S3_URL | KEYS | {"session_token": "t", "region": "eu-central-1", "endpointUrl": "https://s3.example"}
        ),
        job(source=FTP | {"port": 2121, "username": "u", "password": "p"}),
        job(source=FTP_URL | {"kind": "ftp"}),
        job(source=SFTP | {"privateKey": PEM, "hostKey": f"SHA256:{'a' * 43}"}),
        job(source=SFTP_URL | {"password": "p"}),
        job(source=UPLOAD),
        job(outputs=[{"preset": "h264", "destination": S3_OUT | {"acl": "private", "metadata": {"a": "b c"}}}]),
        job(outputs=[{"preset": "h264", "destination": S3_OUT_URL | {"storageClass": "GLACIER"}}]),
        job(outputs=[{"preset": "h264", "destination": FTP_URL}, {"preset": "vp9", "destination": SFTP}]),
        job(source=HTTP | {"headers": {"Authorization": "x"}}),
        job(outputs=[{"preset": "h264", "videoBitrate": "2.5M", "destination": PUT}, {"container": "mp4", "crf": 20}]),
        job(outputs=[{"preset": "h264", "destination": OUT}, {"preset": "vp9", "destination": OUT_URL}]),
        job(outputs=[{"preset": "h264", "clip": {"start": 1, "duration": 2}, "rotate": 90, "toneMap": False}]),
        job(
            metadata={"order id": {"deep": [1]}},
            tags=["a"],
            priority=5,
            queue="gpu",
            notificationUrl="https://h.example/",
        ),
    ],
)
def test_what_the_code_takes_the_schema_takes(takes: OAS31Validator, body: Any) -> None:  # noqa: ANN401  # JSON
    assert [error.message for error in takes.iter_errors(body)] == []


# Of these the schema cannot tell: bytes, base64, control characters, what only rules or tables know.
_BEYOND_A_SCHEMA = {"invalid_base64", "invalid_text", "unknown_preset", "unsupported_combination", "invalid_range"}
_BEYOND_A_SCHEMA |= {"invalid_path", "unknown_queue"}
_BEYOND_AT = {
    *(("/metadata", "out_of_range"), ("/outputs/0/crf", "out_of_range"), ("/outputs/0/maxBitrate", "out_of_range")),
    *(("/source/path", "out_of_range"), ("/source/url", "invalid_url"), (f"{DEST}/url", "invalid_url")),
    *((f"{DEST}/metadata", "out_of_range"), (f"{DEST}/metadata", "invalid_value")),
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (path, value)
        for path, value, place, code in WRONG
        if code not in _BEYOND_A_SCHEMA and (place, code) not in _BEYOND_AT
    ],
)
def test_what_the_code_refuses_by_shape_the_schema_refuses(takes: OAS31Validator, path: str, value: Json) -> None:
    assert not takes.is_valid(changed(path, value))


def test_the_schema_has_every_member_and_no_null(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    named = {member.rpartition("/")[2] for member in members(Job)} - {"0"}
    shown = {name for schema in schemas.values() for name in schema.get("properties", {})}
    assert named <= shown
    for name in ("Job", "Output", "Clip", "HttpSource", "HttpDestination", "S3Source", "S3UrlDestination", "Sftp"):
        assert "null" not in str(schemas[name])
        assert schemas[name]["additionalProperties"] is False


_TRANSCODER = ("createTranscoderJob", "createTranscoderJobBelow", "createTranscoderJobAtRoot")


def _transcoded(body: Any, places: Anywhere) -> None:  # noqa: ANN401  # JSON
    bucket: Place = {"bucket": "lab"}
    made = transcoder.translate(body, pipeline=Pipeline(input=bucket, output=bucket), own={})
    assert isinstance(made, Translated), made
    wire.read_job(made.job, places)


def _from_coconut(body: Any, places: Anywhere) -> None:  # noqa: ANN401  # JSON
    made = coconut.translate(body)
    assert isinstance(made, Translated), made
    wire.read_job(made.job, places)


def test_every_example_is_taken_by_the_schema_and_by_the_code(document: dict[str, Any]) -> None:
    read: dict[str, Callable[..., object]] = {
        "submitJob": wire.read_job,
        "probe": wire.read_probe,
        "putPreset": lambda body, _: preset_words.read(body),
        "putQuota": lambda body, _: read_quota(body),
        "actOnJobs": lambda body, _: read_bulk(body),
        "createKey": lambda body, _: read_key(body),
        "putEndpoint": lambda body, places: read_endpoint("shop", body, places),
        "putPipeline": read_pipeline, **dict.fromkeys(_TRANSCODER, _transcoded),
        "putIngestRule": lambda rule, places: wire.read_job(sample(read_rule(rule)[0]), places),
        "ingestObjects": lambda body, _: read_events(body, read_json),
        **dict.fromkeys(("createCoconutJob", "createCoconutJobBelow", "createCoconutJobAtRoot"), _from_coconut),
    }  # fmt: skip
    taking = [each for methods in document["paths"].values() for each in methods.values() if "requestBody" in each]
    for operation in taking:
        name, ((media_type, content),) = operation["operationId"], operation["requestBody"]["content"].items()
        if media_type != "application/json":
            continue
        takes = OAS31Validator({**content["schema"], "components": document["components"]})
        assert content["examples"]
        for example in content["examples"].values():
            assert [error.message for error in takes.iter_errors(example["value"])] == [], example
            if name in read:
                read[name](example["value"], Anywhere())
            else:
                _, faults = read_upload(example["value"], BUILT_IN, suffixes=(".mp4", ".mov"), most_bytes=1 << 40)
                assert faults == []


def test_there_is_an_example_of_every_kind() -> None:
    assert examples.SOURCES.keys() == Sources.own.keys()
    assert examples.DESTINATIONS.keys() == Destinations.own.keys()
    for kind, place in [*examples.SOURCES.items(), *examples.DESTINATIONS.items()]:
        assert place.get("kind", str(place.get("url")).partition("://")[0]) == kind
    assert {f"from {kind}" for kind in Sources.own} <= examples.of("Probe").keys() & examples.of("Job").keys()
    assert {f"to {kind}" for kind in Destinations.own} <= examples.of("Job").keys()


def test_links_lead_from_members_that_there_are_to_operations_that_there_are(
    document: dict[str, Any], operations: tuple[Operation, ...]
) -> None:
    named = {operation.operation_id: operation for operation in operations}
    links = {name: at for operation in operations for name, at in operation.links.items()}
    assert {"getJob", "getUploadStatus"} <= links.keys()
    for operation in operations:
        told = document["paths"][operation.path][operation.method.lower()]["responses"]
        for name, member in operation.links.items():
            (answer,) = (response for response in told.values() if name in response.get("links", {}))
            schema = answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            assert member in document["components"]["schemas"][schema]["properties"]
            assert "{id}" in named[name].path


@pytest.mark.parametrize("key", ["k", "a b", '"a b"', '"', '"a', "k" * 255, '"' + "k" * 255 + '"'])
def test_a_good_idempotency_key_is_one_in_the_document_too(document: dict[str, Any], key: str) -> None:
    (header,) = [each for each in document["paths"]["/jobs"]["post"]["parameters"] if each["in"] == "header"]
    assert OAS31Validator(header["schema"]).is_valid(key)
    assert not any(OAS31Validator(header["schema"]).is_valid(wrong) for wrong in ("", '""', key * 256))


def test_answers_promise_every_member(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["JobAnswer"]
    assert set(schema["required"]) == set(schema["properties"])


def test_every_code_that_the_api_speaks_is_in_the_catalogue() -> None:
    text = "".join(module.read_text() for module in API.rglob("*.py"))
    calls = r'(?:because|unavailable|code=|[( ]fault|_fault)\(?\s*(?:tokens[^"]*, |\(\*tokens, \S+\), )?"(\w+)"'
    spoken = {*re.findall(calls, text), *(code for code, _ in _WORDS.values()), *_OF_STATUS.values()}
    assert {"invalid_json", "unsupported_kind", "duplicate_destination", "database_unavailable"} <= spoken
    assert spoken <= CATALOGUE.keys()
