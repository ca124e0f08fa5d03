"""What an operator may set: environment variables `ENCODER_*`, also from `.env`. Read by the wiring alone.

docs/reference/settings.md is held against this class by a test.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from encoder import errors, machine
from encoder.misnamed import PREFIX, misnamed
from encoder.model.policy import DEFAULT_HOURS, Policy, Rule, read_rules
from encoder.model.queue import ENCODE, IO, QUEUE_NAME

Names = Annotated[tuple[str, ...], NoDecode]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode]
QueueName = Annotated[str, Field(pattern=f"^{QUEUE_NAME}$")]


def _default_slots(known: dict[str, Any]) -> int:
    """One encode keeps about four cores busy."""
    return max(1, (known.get("cpus") or machine.cores()) // 4)


class Settings(BaseSettings):
    """One value per setting, checked at start; `description` is the effect that docs/reference/settings.md shows."""

    model_config = SettingsConfigDict(env_prefix="ENCODER_", env_file=".env", extra="ignore", frozen=True)

    secrets_dir: Path | None = Field(
        None,
        description="folder with a file for each setting that shall not stand in the environment, named as its "
        "variable (`ENCODER_DATABASE_URL`, or in small letters); what the environment says wins",
    )

    database_url: SecretStr | None = Field(
        None,
        description="`postgresql://` or `mysql://` address (docs/operate/databases.md), the same for all roles; "
        "required but for `encoder up`, which else runs a PostgreSQL of its own",
    )
    listen_url: SecretStr | None = Field(
        None,
        description="direct address of the same PostgreSQL, database and role, for wake-ups, where a pooler stands "
        "before it",
    )
    auto_migrate: bool = Field(
        True,
        description="whether a role that starts makes or upgrades the tables; `false`, where it may not: it waits, not "
        "ready, until `encoder migrate` was run (docs/operate/upgrades.md)",
    )
    storage: str = Field(
        "file:.encoder/storage",
        description="where uploads and outputs without a destination lie: `file:FOLDER`, or `s3://BUCKET/PREFIX`, for "
        "which `AWS_*` keep their usual meaning",
    )
    host: str = Field("127.0.0.1", description="address that the API listens on")
    port: int = Field(8080, ge=0, le=65535, description="port that the API listens on; 0: any free one")
    public_url: str | None = Field(None, description="base of the links that we hand out; absent: host and port")
    auth: Literal["loopback", "keys", "none"] = Field(
        "loopback",
        description="`loopback`: open on loopback; any other bind asks for keys, and refuses to start while there are "
        "none. `keys`: asks for keys everywhere; `none`: open to all",
    )
    reads_per_minute: int = Field(
        600,
        ge=0,
        description="how often a key may see something (`GET`), or an address where `ENCODER_AUTH` is `none`; twice as "
        "often at once; counted by each API process for itself; 0: without limit",
    )
    writes_per_minute: int = Field(
        60, ge=0, description="the same of calls that make or change something: all but `GET` and `HEAD`"
    )
    bad_keys_per_minute: int = Field(
        10,
        ge=0,
        description="how many keys that are no good an address may show, twice as many at once; after that no key from "
        "there is looked at that was not good before; 0: without limit",
    )
    open_jobs: int = Field(
        10_000, ge=0, description="jobs of one tenant that may wait or run; others are refused meanwhile; 0: any number"
    )
    trusted_proxies: Names = Field(
        (), description="networks (CIDR) of one's own proxies, who are believed what they say in `X-Forwarded-For`"
    )
    cpus: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="cores that a worker's encoders keep busy, shared out among its slots; absent: those that the "
        "machine, or the quota of its cgroup, lets us have",
    )
    worker_slots: int = Field(
        default_factory=_default_slots,
        ge=1,
        le=256,
        description="jobs at a time; each keeps its slot while it is fetched and delivered too; absent: one per four "
        "cores",
    )
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="port on which a worker answers `/metrics`, `/livez` and `/readyz` at `ENCODER_HOST`; absent: "
        "none. `encoder up` tells them under the address of its API",
    )
    tenant_metrics: bool = Field(
        False,  # pydantic's way
        description="whether metrics tell the age of what waits by tenant, of the 20 that wait longest",
    )
    commit: str = Field(
        "",
        max_length=64,
        description="of the code, as whoever built it knows it; told in metrics (`encoder_build_info`)",
    )
    io_slots: int = Field(8, ge=1, le=256, description="webhook deliveries at a time")
    worker_queues: Annotated[tuple[QueueName, ...], NoDecode] = Field(
        (ENCODE, IO), min_length=1, description="queues that a worker takes from"
    )
    lease_seconds: float = Field(
        60,
        ge=1,
        le=3600,
        description="time after which a silent worker's tasks may be taken; it beats each fifth of it, or each 30 s",
    )
    chunk_seconds: float = Field(
        300,
        ge=1,
        le=86400,
        description="length of the chunks in which the picture of a source of more than twice that is made, on several "
        "workers; they are shorter where more slots are free (docs/operate/chunks.md)",
    )
    max_attempts: int = Field(3, ge=1, le=100, description="attempts of a task, lost leases not counted")
    poll_seconds: float = Field(1, ge=0.05, le=60, description="longest time between two looks at the queue while busy")
    progress_seconds: float = Field(2, ge=0.2, le=60, description="time between two updates of an encode's progress")
    drain_seconds: float = Field(
        5,
        ge=0,
        le=86400,
        description="time that running work gets to end after SIGTERM, before it is given back; what will take twice "
        "as long as is left is given back at once (docs/operate/roles.md)",
    )
    scratch_dir: Path | None = Field(
        None, description="folder for work in progress; absent: `encoder-scratch` in the temp folder"
    )
    scratch_bytes: int | None = Field(
        None, ge=1, description="how much of that disk a worker may fill; absent: all that is free"
    )
    memory_bytes: int | None = Field(
        None,
        ge=1,
        description="memory of a worker with all that it runs, such as its container's limit; its encoders may have it "
        "together, as predicted, without half a GiB (of a small one half); what needs more runs alone; absent: what "
        "the machine, or its cgroup, has. Where there is a limit, the largest encoder is ended at nine tenths of it",
    )
    secret_keys: Secrets = Field(
        (),
        description="keys that seal callers' secrets, newest first, each 32 random bytes as base64url, made by "
        "`python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'`; "
        "the same for all roles; required but for `encoder up`, which else makes its own",
    )
    webhook_secret: Secrets = Field(
        (),
        description="secrets that sign webhooks, newest first, each `whsec_` and 24 to 64 random bytes as base64; "
        "workers require one, but for `encoder up`, which else makes its own",
    )
    allow_addresses: Names = Field(
        (), description="networks (CIDR) of one's own that sources, destinations and webhooks may reach"
    )
    s3_buckets: Names | None = Field(
        None,
        description="buckets that `AWS_*`, shared files and the machine's role serve for jobs without credentials; "
        "absent: any, but none where the API asks for keys",
    )
    ingest_sqs_urls: Names = Field(
        (),
        description="queues of SQS from which the API reads what stores say of new objects (docs/reference/ingest.md), "
        "by `AWS_*`, shared files or the machine's role; each `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`",
    )
    ingest_sqs_tenant: int = Field(1, ge=1, description="tenant whose ingest rules are for these queues")
    file_roots: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="folders in which `file` sources and destinations may lie"
    )
    retention_hours: float = Field(
        DEFAULT_HOURS,
        ge=0,
        le=1_000_000,
        description="how long after its end a job is kept with all that the platform's storage holds of it, in hours; "
        "0: until somebody deletes it",
    )
    retention_rules: Annotated[tuple[Rule, ...], NoDecode] = Field(
        (),
        description="other times for some jobs, as JSON: a list of `{status, tenant, tag, hours}`, of which all but "
        "`hours` may be left out; the first rule that an ended job fits counts, and `hours` 0 keeps it "
        "(docs/operate/retention.md)",
    )
    upload_suffixes: Names = Field(
        (".mp4", ".mov"), description="how the names of files that are uploaded may end, with or without the dot"
    )
    upload_max_bytes: int = Field(
        50 * 1024**3, ge=1, description="largest file that may be uploaded; a source of more than 50 GiB is never taken"
    )
    cors_origins: Names = Field(
        (),
        description="origins whose pages may call the API and read its answers, such as `https://app.example.com`; "
        "of an open server too, whoever those pages belong to",
    )
    sandbox: Literal["auto", "required", "off"] = Field(
        "auto", description="walls around ffmpeg: as the kernel can, refuse to start without Landlock, or none"
    )
    ffmpeg: Path | None = Field(None, description="ffmpeg binary; absent: the one of the pinned wheel")
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="`console` for people, `json` for machines; `auto`: by whether a terminal reads"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")

    traces: Literal["off", "otlp"] = Field(
        "off",
        description="`otlp`: spans of calls and attempts are told to a collector, at `OTEL_EXPORTER_OTLP_ENDPOINT` "
        "(docs/operate/monitoring.md); wants the extra `otel`",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        named = {**dotenv_settings(), **env_settings()}.get("secrets_dir")
        files = SecretsSettingsSource(settings_cls, secrets_dir=named) if named and Path(named).is_dir() else None
        return init_settings, env_settings, dotenv_settings, files or file_secret_settings

    @field_validator("secrets_dir")
    @classmethod
    def _there(cls, folder: Path | None) -> Path | None:
        if folder is not None and not folder.is_dir():
            raise ValueError("there is no such folder")
        return folder

    @field_validator(
        "worker_queues",
        "secret_keys",
        "webhook_secret",
        "allow_addresses",
        "file_roots",
        "s3_buckets",
        "ingest_sqs_urls",
        "upload_suffixes",
        "cors_origins",
        "trusted_proxies",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("retention_rules", mode="before")
    @classmethod
    def _rules(cls, value: object) -> object:
        return read_rules(value) if isinstance(value, str) else value

    @property
    def misnamed(self) -> Sequence[str]:
        """Names in the environment, `.env` and the folder of secrets that look like settings and are none."""
        files = dict.fromkeys(path.name for path in self.secrets_dir.iterdir()) if self.secrets_dir else {}
        given = {**files, **DotEnvSettingsSource(type(self)).env_vars, **os.environ}
        return misnamed(given, {f"{PREFIX}{field.upper()}" for field in type(self).model_fields})

    @property
    def policy(self) -> Policy:
        """How long ended jobs are kept."""
        return Policy(hours=self.retention_hours, rules=self.retention_rules)


def load() -> Settings:
    """The settings of this process.

    Raises:
        errors.Unfit: every setting that is wrong and the rule that it breaks, never its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = error.errors(include_input=False, include_context=False, include_url=False)
        told = "; ".join(f"ENCODER_{fault['loc'][0]}".upper() + f": {fault['msg']}" for fault in faults)
        raise errors.Unfit(told) from None  # pydantic's own message holds the values
