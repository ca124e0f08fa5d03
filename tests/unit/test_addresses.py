"""Every member of what the API takes that can hold an address meets the whole table of addresses.

The members come from the document of the API: a new one that takes an address is tried at once, or fails here until
it is told how to write one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any
from uuid import UUID

import pytest
from openapi_schema_validator import OAS31Validator

from encoder.api import wire
from encoder.api.wire_endpoint import read_endpoint
from encoder.api.wire_pipeline import read_pipeline
from encoder.api.wire_place import OtherDestination, OtherSource
from encoder.api.wire_schema import schemas
from encoder.api.wire_upload import job_of
from encoder.destinations.registry import Destinations
from encoder.errors import Rejected
from encoder.ingest.job import sample
from encoder.net.guard import Policy
from encoder.net.http import Web
from encoder.plugins import Surroundings
from encoder.sources.registry import Sources
from encoder.wiring.checks import Checks
from tests.contracts.test_destinations import no_storage
from tests.unit.test_api_wire import KEYS, WHOLE, job
from tests.unit.test_guard import ALLOWED, FORBIDDEN_V4, FORBIDDEN_V6, FORMS

SCHEMES = ("http", "https", "ftp", "ftps", "sftp", "s3")
# Members that take any text, and so an address too, but never lead anywhere.
WORDS = {
    "data",
    "path",
    "fileName",
    "file_name",
    "headers",
    "username",
    "password",
    "cacheControl",
    "metadata",
    "tags",
    "preset",
    "queue",
    "about",
    "PipelineId",
    "OutputKeyPrefix",
    "prefix",
}
WORDS |= {"q", "tag", "code", "cursor", "createdAfter", "createdBefore"}  # by which jobs are found
WORDS |= {"access_key_id", "access_key_secret", "session_token"}
WORDS |= {"name"}  # of a key
WORDS |= {"Container", "Name", "Description", "Id", "Arn", "Type"}  # of a preset of Elastic Transcoder's
FORBIDDEN = [*FORBIDDEN_V4, *FORBIDDEN_V6, *(str(form(IPv4Address(v4))) for v4 in FORBIDDEN_V4 for form in FORMS)]
LOCAL = ["localhost", "LOCALHOST", "x.localhost", "localhost.", "minio", "metadata", "127.0.0.1."]
# C2, C9, C10
ODD = [
    *("2130706433", "127.1", "0177.0.0.1", "0x7f.1", "0x7f.0.0.1", "0", "127.0.0.256", "1.2", "①②⑦.⓪.⓪.①", "ⓛocalhost"),
    *("example。com", "", "-example.com", "example..com", ".example.com", "a" * 64 + ".com", "a." * 130 + "com"),
    *("exa\tmple.com", "example.com\r\nHost: x", "exam ple.com", "example.com\\@127.0.0.1", "{uuid}.example.com"),
]
ODD_V6 = ["[::1", "::1]", "[fe80::1%25eth0]", "[1.2.3.4]", "[::g]"]
ODD_PORTS = ["0", "65536", "80:81", "+80", "٨٠", "99999999999"]


@dataclass(frozen=True)
class Member:
    """A member that takes an address. `scheme` None: it takes a host alone."""

    schema: str
    name: str
    scheme: str | None
    place: str  # of its object in a job

    def __str__(self) -> str:
        mark = next((f"{beside}." for beside in (*BESIDE, "thumbnails") if beside in self.place), "")
        return f"{mark}{self.schema}.{self.name}:{self.scheme or 'host'}"

    def holding(self, host: str) -> Any:  # noqa: ANN401  # JSON
        text = host if self.scheme is None else f"{self.scheme}://{host}/in.mov"
        return _body(self.schema, self.place, {self.name: text})

    @property
    def path(self) -> str:
        return f"{self.place}/{self.name}"


@pytest.fixture(scope="module")
def places() -> wire.Places:
    """An operator who opens nothing."""
    surroundings = Surroundings(web=Web(policy=Policy()))
    destinations = Destinations(surroundings, stored=no_storage)
    return Checks(sources=Sources(surroundings), destinations=destinations, policy=Policy())


DEFINITIONS = schemas("{model}")


def _branches(union: dict[str, Any]) -> set[str]:
    """The classes of a union, by their names in the document. What plug-ins bring, they try themselves."""
    named = {branch["$ref"] for branch in union["oneOf"] if "$ref" in branch}
    return named - {OtherSource.__name__, OtherDestination.__name__}


READ = _branches(DEFINITIONS["Job"]["properties"]["source"])
WRITTEN = _branches(DEFINITIONS["Output"]["properties"]["destination"])


# where the language has places: whoever adds one tells here how it is written
PLACES = {
    "Job.source": "/source",
    "Probe.source": "/source",
    "Output.destination": "/outputs/0/destination",
    "Upload.destination": "/outputs/0/destination",  # as `job_of` writes it
    "RuleOutput.destination": "/outputs/0/destination",
    "IngestRule.source": "/source",
    "Pipeline.input": "/input",
    "Pipeline.output": "/output",
    "Pipeline.thumbnails": "/thumbnails",
    "Watermark.source": "/outputs/0/watermark/source",
    "SubtitleFile.source": "/outputs/0/subtitles/files/0/source",
}

# bodies that hold addresses of their own, and how each is read; all other places stand in a job
ENDPOINT = {"url": "https://hook.example.com/"}
PIPELINE: dict[str, Any] = {name: {"bucket": "a-bucket", **KEYS} for name in ("input", "output", "thumbnails")}
READERS: dict[str, Callable[[Any, wire.Places], object]] = {
    "Endpoint": lambda body, places: read_endpoint("a", body, places),
    "Pipeline": read_pipeline,
}
RULE: dict[str, Any] = {"source": {"bucket": "a-bucket", **KEYS}, "outputs": [{"preset": "h264"}]}
OWN: dict[str, Callable[[dict[str, Any]], Any]] = {
    "Job": lambda change: job(**change),
    "Upload": lambda change: job_of({"file_name": "a.mov", **change}, UUID(int=7)),
    "Endpoint": lambda change: ENDPOINT | change,
    "Pipeline": lambda change: PIPELINE | change,
    "IngestRule": lambda change: sample(RULE | change),
}
# objects that stand in one of those, by the pointer
HELD: dict[str, Callable[[str, dict[str, Any]], Any]] = {
    "S3Bucket": lambda stands, change: PIPELINE | {stands[1:]: PIPELINE[stands[1:]] | change},
    "S3BucketTo": lambda stands, change: PIPELINE | {stands[1:]: PIPELINE[stands[1:]] | change},
    "RuleSource": lambda _, change: sample(RULE | {"source": RULE["source"] | change}),
}

BESIDE = ("watermark", "subtitles")  # what is read beside the job's source


def _places_of(schema: str) -> Iterator[str]:
    """Every place of a job in which an object of this class may stand."""
    if schema in OWN:
        yield ""
    unions = {
        f"{owner}.{name}": _branches(member)
        for owner, definition in DEFINITIONS.items()
        for name, member in definition.get("properties", {}).items()
        if any("$ref" in branch for branch in member.get("oneOf", ()))
    }
    unions |= {
        f"{owner}.{name}": {member["$ref"]}
        for owner in OWN
        for name, member in DEFINITIONS[owner]["properties"].items()
        if member.get("$ref") in HELD
    }
    yield from dict.fromkeys(PLACES[union] for union, branches in unions.items() if schema in branches)


def _body(schema: str, stands: str, change: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
    """A good body in which one member is changed."""
    if schema in OWN:
        return OWN[schema](change)
    if schema in HELD:
        return HELD[schema](stands, change)
    place = next(body for part, body in WHOLE.items() if part.__name__ == schema)
    known = {name: said for name, said in place.items() if name not in ({"kind"} if "url" in change else set())}
    if stands == "/source":
        return job(source=known | change)
    held: dict[str, Any] = {
        "destination": known | change,
        "watermark": {"source": known | change},
        "subtitles": {"mode": "copy", "files": [{"source": known | change}]},
    }
    member = stands.split("/")[3]
    return job(outputs=[{"preset": "h264", member: held[member]}])


def _texts(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every member of an object that can be a text."""
    for name, member in schema.get("properties", {}).items():
        if not {"const", "enum", "$ref", "oneOf"} & member.keys():
            yield name, member


def _members() -> Iterator[Member]:
    for schema, definition in DEFINITIONS.items():
        for name, member in _texts(definition):
            for scheme, text in ((scheme, f"{scheme}://10.0.0.1/in.mov") for scheme in SCHEMES):
                if name not in WORDS and OAS31Validator(member).is_valid(text):
                    assert schema in READ | WRITTEN | OWN.keys() | HELD.keys(), (
                        f"{schema}.{name} takes an address, and is not tried here"
                    )
                    yield from (Member(schema, name, scheme, place) for place in _places_of(schema))
            if name not in WORDS and OAS31Validator(member).is_valid("10.0.0.1"):
                yield from (Member(schema, name, None, place) for place in _places_of(schema))


MEMBERS = list(_members())


def _code(member: Member, host: str, places: wire.Places) -> str | None:
    reader = READERS.get("Pipeline" if member.schema.startswith("S3Bucket") else member.schema, wire.read_job)
    try:
        reader(json.loads(json.dumps(member.holding(host))), places)
    except Rejected as refused:
        return {fault.path: fault.code for fault in refused.faults}.get(member.path)
    return None


def test_the_members_that_take_addresses_are_those_that_we_know() -> None:
    """C22: a new member that takes an address is on this list because it was read here, not because it was remembered.

    Watermarks and subtitles are read as the job's source is.
    """
    of_the_source = {
        f"{member.schema}.{member.name}" for member in MEMBERS if member.place == "/source" and member.schema in READ
    }
    for beside in BESIDE:
        assert {f"{member.schema}.{member.name}" for member in MEMBERS if beside in member.place} == of_the_source
    found = {f"{member.schema}.{member.name}" for member in MEMBERS}
    assert found >= {"Job.notificationUrl", "HttpSource.url", "HttpDestination.url", "S3Source.endpointUrl"}
    assert found >= {
        "S3UrlDestination.endpointUrl",
        "S3UrlSource.url",
        "Ftp.host",
        "FtpUrl.url",
        "Sftp.host",
        "SftpUrl.url",
    }
    assert found >= {"Upload.notificationUrl", "Endpoint.url", "Pipeline.notificationUrl"}
    assert found >= {"S3Bucket.endpointUrl", "S3BucketTo.endpointUrl"}
    assert found >= {"IngestRule.notificationUrl", "RuleSource.endpointUrl"}
    assert len(found) == 20


@pytest.mark.parametrize("member", MEMBERS, ids=str)
def test_a_forbidden_address_is_refused_in_every_member_and_notation(member: Member, places: wire.Places) -> None:
    """C1, C3, C13, C14: at least sixty nets, in every form that IPv6 has for them."""
    wanted = "invalid_url" if member.scheme == "s3" else "address_not_allowed"  # where a host stands, S3 has a bucket
    wrong = {host: _code(member, _bracketed(host, member), places) for host in FORBIDDEN}
    assert {host: code for host, code in wrong.items() if code != wanted} == {}


@pytest.mark.parametrize("member", MEMBERS, ids=str)
def test_a_name_of_this_machine_or_net_is_refused_in_every_member(member: Member, places: wire.Places) -> None:
    """C2, C9"""
    if member.scheme == "s3":
        pytest.skip("a bucket is no name of a host")
    wrong = {host: _code(member, host, places) for host in LOCAL}
    assert {host: code for host, code in wrong.items() if code != "address_not_allowed"} == {}


@pytest.mark.parametrize("member", MEMBERS, ids=str)
def test_what_readers_of_addresses_disagree_about_is_refused_in_every_member(
    member: Member, places: wire.Places
) -> None:
    """C2, C9, C10: never dialled, and never a 500."""
    ports = [] if member.scheme is None else [f"example.com:{port}" for port in ODD_PORTS]
    hosts = [*ODD, *ODD_V6, *ports, "user@127.0.0.1@example.com"]
    if member.scheme == "s3":  # these are buckets like any other
        hosts = [host for host in hosts if not host.startswith("0x")]
    passed = [host for host in hosts if _code(member, host, places) is None]
    assert passed == []


@pytest.mark.parametrize("member", [member for member in MEMBERS if member.scheme != "s3"], ids=str)
def test_a_public_address_passes_in_every_member(member: Member, places: wire.Places) -> None:
    """Or else the tests above would prove nothing."""
    refused = {host: _code(member, _bracketed(host, member), places) for host in (*ALLOWED, "example.com")}
    assert {host: code for host, code in refused.items() if code is not None} == {}


def _bracketed(host: str, member: Member) -> str:
    return f"[{host}]" if ":" in host and member.scheme is not None else host
