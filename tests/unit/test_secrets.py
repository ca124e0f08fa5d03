from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoder import errors
from encoder.api import wire
from encoder.api.wire_types import WirePlace
from encoder.model.base import Json, to_json
from encoder.model.ids import TenantId
from encoder.model.job import JobSpec, OutputSpec, Place
from encoder.model.secrets import hide, reveal
from encoder.vault import Vault, new_key
from tests.unit.test_api_wire import WHOLE, Anywhere

_PEM = "-----BEGIN PRIVATE KEY-----\nSENTINEL\n-----END PRIVATE KEY-----"
_LOGIN: dict[str, Json] = {"username": "SENTINEL", "password": "SENTINEL", "privateKey": _PEM}
_KEYS: dict[str, Json] = {
    "access_key_id": "SENTINEL",
    "access_key_secret": "SENTINEL",
    "session_token": "SENTINEL",
    "acl": "private",
    "metadata": {"order": "42"},
}
JOB = UUID("0191b2c4-0000-7000-8000-000000000001")
OTHER_JOB = UUID("0191b2c4-0000-7000-8000-000000000002")
TENANT = TenantId(1)

SENTINEL = "SENTINEL"
_secret = st.text(max_size=20).map(lambda text: f"{SENTINEL}{text}")
_in_url = st.text("abcXYZ019-_=&%+/", max_size=20).map(lambda text: f"{SENTINEL}{text}")
_word = st.text("abc019-", min_size=1, max_size=8)
_url = st.builds(
    lambda scheme, user, host, path, query: f"{scheme}://{user}{host}/{path}{query}",
    st.sampled_from(["http", "https", "s3", "ftp"]),
    st.one_of(st.just(""), _in_url.map(lambda text: text.replace("/", "") + ":pw@")),
    _word,
    _word,
    st.one_of(st.just(""), _in_url.map(lambda text: f"?{text}"), _in_url.map(lambda text: f"#{text}")),
)
_plain = st.one_of(st.none(), st.booleans(), st.integers(), st.text("abc /.{}", max_size=10))


def _places() -> st.SearchStrategy[Place]:
    members: dict[str, st.SearchStrategy[Json]] = {
        "kind": _word,
        "url": _url,
        "endpointUrl": _url,
        "path": _plain,
        "headers": st.dictionaries(st.text(max_size=8), _secret, max_size=3),
        "username": _secret,
        "password": _secret,
        "access_key_id": _secret,
        "access_key_secret": _secret,
        "session_token": _secret,
        "privateKey": _secret,
        "more": st.lists(st.fixed_dictionaries({"url": _url, "size": _plain}), max_size=2),
    }
    return st.fixed_dictionaries({}, optional=members)


_specs = st.builds(
    JobSpec,
    source=_places(),
    outputs=st.lists(
        st.builds(OutputSpec, container=st.just("mp4"), destination=st.one_of(st.none(), _places())), max_size=3
    ).map(tuple),
    notification_url=st.one_of(st.none(), _url),
    metadata=st.dictionaries(_word, _plain, max_size=2),
)


@given(_specs)
def test_what_is_hidden_holds_no_secret_and_comes_back_whole(spec: JobSpec) -> None:
    hidden, secrets = hide(spec)
    assert SENTINEL not in str(to_json(hidden))
    assert reveal(hidden, secrets) == spec


@given(_specs)
def test_hiding_twice_hides_nothing_more(spec: JobSpec) -> None:
    hidden, _ = hide(spec)
    assert hide(hidden) == (hidden, {})


def test_what_stays_can_be_shown() -> None:
    spec = JobSpec(
        source={"kind": "https", "url": "https://u:p@media.example/a/in.mov?sig=1", "headers": {"X/Y": "t"}},
        outputs=(),
        notification_url="https://example.com/hook?token=2",
    )
    hidden, secrets = hide(spec)
    assert hidden.source["url"] == "https://***@media.example/a/in.mov?***"
    assert hidden.source["headers"] == {"X/Y": "***"}
    assert hidden.notification_url == "https://example.com/hook?***"
    assert secrets == {
        "/source/url": "https://u:p@media.example/a/in.mov?sig=1",
        "/source/headers/X~1Y": "t",
        "/notificationUrl": "https://example.com/hook?token=2",
    }


def test_every_way_to_write_a_secret_hides_it() -> None:
    """An address with userinfo is read into members at the API: by name they are hidden, wherever they stood."""
    read = wire.read_job(
        {
            "source": {"url": f"ftp://{SENTINEL}:{SENTINEL}%2F@ftp.example.com/in.mov"},
            "outputs": [
                {"preset": "h264", "destination": {"url": "sftp://h.example/x", **_LOGIN}},
                {"preset": "h264", "destination": {"url": "s3://my-bucket/x", **_KEYS}},
                {"preset": "h264", "destination": {"url": "https://h.example/x", "headers": {"X-Key": SENTINEL}}},
            ],
        },
        Anywhere(),
    )
    hidden, secrets = hide(read)
    assert SENTINEL not in str(to_json(hidden))
    assert reveal(hidden, secrets) == read
    told = hidden.outputs[1].destination
    assert told is not None
    assert (told["acl"], told["metadata"], told["bucket"]) == ("private", {"order": "42"}, "my-bucket")


def _texts(value: Json, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a place by the name of the member that holds it."""
    if isinstance(value, dict):
        for member, below in value.items():
            yield from _texts(below, name or member)
    elif isinstance(value, str):
        yield name, value


@pytest.mark.parametrize("part", WHOLE, ids=str)
def test_what_the_document_calls_write_only_is_sealed_and_nothing_else(part: type[WirePlace]) -> None:
    """P1: what nobody gets back to read is hidden by its name in every kind, present and to come."""
    schema = part.model_json_schema()["properties"]
    secret = {name for name, member in schema.items() if member.get("writeOnly")}
    hidden, _ = hide(JobSpec(source=dict(WHOLE[part]), outputs=()))
    assert {name for name, text in _texts(hidden.source) if text == "***"} == secret


def test_a_kind_hides_members_of_its_own_and_of_no_other_kind() -> None:
    places: list[Place] = [{"kind": "dav", "token": SENTINEL}, {"kind": "other", "token": "shown"}]
    outputs = tuple(OutputSpec(container="mp4", destination=place) for place in places)
    spec = JobSpec(source={"kind": "dav", "token": [SENTINEL], "url": "dav://h/x"}, outputs=outputs)
    hidden, secrets = hide(spec, {"dav": frozenset({"token"})})
    assert hidden.source == {"kind": "dav", "token": ["***"], "url": "dav://h/x"}
    assert [output.destination for output in hidden.outputs] == [{"kind": "dav", "token": "***"}, places[1]]
    assert reveal(hidden, secrets) == spec


def test_a_secret_without_its_place_is_no_secret_of_this_job() -> None:
    with pytest.raises(errors.Permanent, match="secret_unreadable"):
        reveal(JobSpec(source={"kind": "file"}, outputs=()), {"/source/password": "x"})


def test_a_job_without_secrets_has_nothing_to_seal() -> None:
    assert Vault([new_key()]).seal({}, tenant_id=TENANT, job_uuid=JOB) is None


@given(st.dictionaries(st.text(), st.text(), min_size=1))
def test_what_is_sealed_opens_for_its_job(secrets: dict[str, str]) -> None:
    vault = Vault([new_key()])
    blob = vault.seal(secrets, tenant_id=TENANT, job_uuid=JOB)
    assert blob is not None
    assert vault.open(blob, tenant_id=TENANT, job_uuid=JOB) == secrets


def sealed(vault: Vault) -> bytes:
    blob = vault.seal({"/source/password": SENTINEL}, tenant_id=TENANT, job_uuid=JOB)
    assert blob is not None
    return blob


def unreadable(vault: Vault, blob: bytes, tenant_id: TenantId = TENANT, job_uuid: UUID = JOB) -> bool:
    with pytest.raises(errors.Permanent) as refused:
        vault.open(blob, tenant_id=tenant_id, job_uuid=job_uuid)
    assert SENTINEL not in str(refused.value)
    return refused.value.code == "secret_unreadable"


def test_a_blob_moved_to_another_row_does_not_open() -> None:
    """P4"""
    vault = Vault([new_key()])
    blob = sealed(vault)
    assert unreadable(vault, blob, job_uuid=OTHER_JOB)
    assert unreadable(vault, blob, tenant_id=TenantId(2))


def test_a_blob_with_any_byte_changed_or_missing_does_not_open() -> None:
    """P4"""
    vault = Vault([new_key()])
    blob = sealed(vault)
    for at in range(len(blob)):
        assert unreadable(vault, blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]), at
        assert unreadable(vault, blob[:at]), at


def test_the_parts_of_two_blobs_do_not_fit_together() -> None:
    vault = Vault([new_key()])
    one, other = sealed(vault), sealed(vault)
    assert unreadable(vault, one[:61] + other[61:])


def test_a_blob_shows_no_secret_and_is_never_the_same_twice() -> None:
    vault = Vault([new_key()])
    assert SENTINEL.encode() not in sealed(vault)
    assert sealed(vault) != sealed(vault)


def test_keys_are_exchanged_while_jobs_live() -> None:
    """P2"""
    old, new = new_key(), new_key()
    blob = sealed(Vault([old]))
    assert unreadable(Vault([new]), blob)
    both = Vault([new, old])
    assert both.open(blob, tenant_id=TENANT, job_uuid=JOB) == {"/source/password": SENTINEL}
    wrapped = both.rewrap(blob, tenant_id=TENANT, job_uuid=JOB)
    assert wrapped is not None
    assert both.rewrap(wrapped, tenant_id=TENANT, job_uuid=JOB) is None
    assert Vault([new]).open(wrapped, tenant_id=TENANT, job_uuid=JOB) == {"/source/password": SENTINEL}
    assert unreadable(Vault([old]), wrapped)


@pytest.mark.parametrize("keys", [[], [""], ["short"], ["a" * 44], ["ä" * 44], [new_key()[:-4]], [new_key(), "bad"]])
def test_a_vault_without_proper_keys_refuses_to_start(keys: list[str]) -> None:
    """P3"""
    with pytest.raises(errors.Unfit) as refused:
        Vault(keys)
    assert not any(key and key in str(refused.value) for key in keys)
