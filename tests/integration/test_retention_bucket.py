"""Retention where the platform's storage is a bucket of a real S3 server."""

from __future__ import annotations

import json
import random
from datetime import timedelta

import pytest

from encoder.model.policy import Policy
from encoder.net.s3 import S3Access
from encoder.retention import strays
from encoder.retention.sweep import Sweep
from encoder.storage.s3 import Room
from encoder.storage.s3_upkeep import S3Upkeep
from encoder.store.protocol import Store
from encoder.store.sweeps import SweepEnd
from tests.lab import ended
from tests.lab.rgw import Bucket, Gateway
from tests.lab.wire import lab_web

pytestmark = pytest.mark.xdist_group("s3")


@pytest.fixture
def bucket(s3_server: Gateway, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    made = s3_server.bucket()
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def sweep(store: Store, bucket: Bucket) -> Sweep:
    upkeep = S3Upkeep(S3Access(pause_s=0), lab_web(), Room(bucket=bucket.name, prefix="enc"))
    return Sweep(store=store, upkeep=upkeep, policy=Policy(), uniform=random.uniform)


async def test_jobs_go_with_their_objects_and_so_does_what_nothing_leads_to(
    dsn: str, sweep: Sweep, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = await ended.fill(dsn, 30, ended.into_bucket(bucket))
    stray = f"enc/jobs/{jobs[0].uuid}/left-by-an-older-plan"
    bucket.put(stray, b"x")
    bucket.put("others/0.mp4", b"x")
    bucket.client.create_multipart_upload(Bucket=bucket.name, Key=f"enc/jobs/{jobs[1].uuid}/0.mp4")
    report = await sweep.run()
    assert report.removed == {"jobs": 30, "objects": 90, "bytes": 210}
    assert (await ended.left(dsn), bucket.listed()) == ({}, ["enc/database", stray, "others/0.mp4"])
    monkeypatch.setattr(strays, "KEPT", timedelta(hours=-1))
    assert (await sweep.run()).removed == {"unfinished": 1, "strays": 1}
    assert (bucket.listed(), bucket.open_uploads()) == (["enc/database", "others/0.mp4"], [])
    assert (await sweep.run()).removed == {}


async def test_what_a_bucket_does_not_let_go_keeps_its_row_and_no_other(dsn: str, sweep: Sweep, bucket: Bucket) -> None:
    jobs = await ended.fill(dsn, 3, ended.into_bucket(bucket))
    held = f"arn:aws:s3:::{bucket.name}/enc/jobs/{jobs[1].uuid}/*"
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": held}
    bucket.client.put_bucket_policy(
        Bucket=bucket.name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    )
    report = await sweep.run()
    assert (report.outcome, report.blocked, report.removed["jobs"]) == (SweepEnd.DONE, 1, 2)
    assert "AccessDenied" in (report.problem or "")
    assert await ended.uuids(dsn) == {str(jobs[1].uuid)}
    assert (await sweep.run()).blocked == 1
    bucket.client.delete_bucket_policy(Bucket=bucket.name)
    assert (await sweep.run()).removed["jobs"] == 1


async def test_a_storage_that_is_away_fails_the_sweep_and_leaves_all_rows(
    dsn: str, store: Store, bucket: Bucket
) -> None:
    await ended.fill(dsn, 2, lambda _key: None)
    upkeep = S3Upkeep(S3Access(pause_s=0), lab_web(), Room(bucket=f"{bucket.name}-none", prefix="enc"))
    report = await Sweep(store=store, upkeep=upkeep, policy=Policy(), uniform=random.uniform).run()
    assert (report.outcome, report.removed) == (SweepEnd.FAILED, {})
    assert "storage_unavailable" in (report.problem or "")
    assert len(await ended.uuids(dsn)) == 2


async def test_a_bucket_that_keeps_what_is_removed_is_told(sweep: Sweep, bucket: Bucket) -> None:
    advice = await sweep.upkeep.advice()
    assert "multipart" in advice
    assert "noncurrent" not in advice
    bucket.client.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    assert "noncurrent versions expire" in await sweep.upkeep.advice()
    rule = {
        "ID": "all",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
    bucket.client.put_bucket_lifecycle_configuration(Bucket=bucket.name, LifecycleConfiguration={"Rules": [rule]})
    assert await sweep.upkeep.advice() == "lifecycle rules are set"
