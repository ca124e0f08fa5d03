"""A real S3 server: Ceph's RADOS gateway on a cluster of one monitor and one store in memory, up in a second or two."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import botocore.session
import pytest
from botocore.config import Config

from encoder.model.job import Place
from encoder.net import s3

HOST = "127.77.0.9"
KEY_ID, KEY_SECRET = "test", "testtest"
SENTINEL_ID, SENTINEL_SECRET = "SENTINELID7F3A", "SENTINEL/secret+7f3a"  # lets in the same user
START_S = 60.0
_PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "monmaptool", "ceph-authtool", "ceph")

# No check of keys inside, one copy of everything. A monitor gathers changes for a second before it agrees with itself
# on them, and to begin takes dozens: that is what a plain start waits for.
_CONF = """
[global]
fsid = {fsid}
mon initial members = a
mon host = {monitor}
public addr = {host}
cluster addr = {host}
ms bind ipv6 = false
ms bind port min = 20000
ms bind port max = 30000
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms client mode = crc
run dir = {folder}
admin socket =
pid file =
log file = {folder}/$name.log
keyring = {folder}/keyring
mon data = {folder}/mon
osd data = {folder}/osd
paxos propose interval = 0.02
paxos min wait = 0.01
mon allow pool size one = true
mon max pg per osd = 2000
osd objectstore = memstore
memstore device bytes = 6442450944
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
[client]
rgw frontends = beast endpoint={host}:{port}
rgw data = {folder}/rgw
rgw run sync thread = false
rgw enable usage log = false
rgw gc obj min wait = 1
rgw gc processor period = 2
rgw enable lc threads = false
rgw enable quota threads = false
rgw dns name =
"""


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """A running server. One user, `KEY_ID` with `KEY_SECRET`; buckets are addressed by path."""

    host: str
    port: int

    @cached_property
    def client(self) -> Any:  # noqa: ANN401  # botocore makes its clients' classes at run time
        return botocore.session.get_session().create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=KEY_SECRET,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def bucket(self) -> Bucket:
        """A new, empty bucket."""
        made = Bucket(gateway=self, name=f"lab-{uuid4().hex}")
        made.client.create_bucket(Bucket=made.name)
        return made


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A bucket, and eyes on what stands in it."""

    gateway: Gateway
    name: str

    @property
    def client(self) -> Any:  # noqa: ANN401  # as the gateway's
        return self.gateway.client

    @property
    def credentials(self) -> dict[str, str]:
        """Members of a place that let it in."""
        return {"endpointUrl": self.gateway.url, "access_key_id": KEY_ID, "access_key_secret": KEY_SECRET}

    @property
    def environment(self) -> dict[str, str]:
        """Variables by which an operator lets the platform in."""
        return {
            "AWS_ENDPOINT_URL": self.gateway.url,
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": KEY_SECRET,
            "AWS_REGION": "us-east-1",
        }

    def at(self) -> s3.Bucket:
        keys = s3.Keys(id=KEY_ID, secret=KEY_SECRET)
        return s3.Bucket(name=self.name, endpoint=self.gateway.url, keys=keys)

    def place(self, path: str) -> Place:
        """What stands at `path`, with all that a stranger needs."""
        return {"kind": "s3", "bucket": self.name, "path": path, **self.credentials}

    def push(self, url: str) -> None:
        """Have the gateway tell `url` of each object that is made, before whoever made it has its answer."""
        sns: Any = botocore.session.get_session().create_client(
            "sns",
            region_name="us-east-1",
            endpoint_url=self.gateway.url,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=KEY_SECRET,
        )
        topic = sns.create_topic(Name=f"t-{uuid4().hex}", Attributes={"push-endpoint": url})["TopicArn"]
        wanted = {"Id": "lab", "TopicArn": topic, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
        told = {"TopicConfigurations": [wanted]}
        self.client.put_bucket_notification_configuration(Bucket=self.name, NotificationConfiguration=told)
        sns.close()

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data)

    def get(self, key: str) -> bytes | None:
        client = self.client
        with contextlib.suppress(client.exceptions.NoSuchKey):
            return bytes(client.get_object(Bucket=self.name, Key=key)["Body"].read())
        return None

    def about(self, key: str) -> dict[str, Any]:
        """What a HEAD of the object says."""
        return dict(self.client.head_object(Bucket=self.name, Key=key))

    def remove(self, key: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=key)

    def listed(self) -> list[str]:
        listed = self.client.list_objects_v2(Bucket=self.name)
        return [entry["Key"] for entry in listed.get("Contents", [])]

    def open_uploads(self) -> list[str]:
        """The keys of multipart uploads that were neither completed nor aborted."""
        listed = self.client.list_multipart_uploads(Bucket=self.name)
        return [entry["Key"] for entry in listed.get("Uploads", [])]


@contextmanager
def gateway(folder: Path) -> Iterator[Gateway]:
    """A server for a whole session, in the new folder `folder`. Nothing of it outlives us, however we end."""
    _require_programs()
    folder.mkdir()
    made = Gateway(host=HOST, port=_free_port())
    with ExitStack() as running:
        try:
            _start(running, folder, made)
            _wait_for(made)
            _add_user(folder / "ceph.conf")
        except Exception as failure:
            raise RuntimeError(f"the S3 server did not start:\n{_told(folder)}") from failure
        yield made
        made.client.close()


def _require_programs() -> None:
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing and os.getuid() != 0:  # root has had the chance to install them: then it is a fault
        pytest.skip(f"not installed: {', '.join(missing)} (scripts/setup.sh does it as root)")


def _start(running: ExitStack, folder: Path, made: Gateway) -> None:
    for name in ("mon", "osd", "rgw"):
        (folder / name).mkdir()
    fsid, store, monitor = str(uuid4()), str(uuid4()), f"[v2:{HOST}:{_free_port()}/0]"
    conf, keyring, monitors = folder / "ceph.conf", folder / "keyring", folder / "monmap"
    text = _CONF.format(folder=folder, fsid=fsid, monitor=monitor, host=made.host, port=made.port)
    conf.write_text(text, encoding="utf-8")
    _run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
    _run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", monitor, monitors)
    _run("ceph-mon", "-c", conf, "-i", "a", "--mkfs", "--monmap", monitors, "--keyring", keyring)
    _serve(running, folder, "ceph-mon", "-c", conf, "-i", "a", "-f")
    _run("ceph", "-c", conf, "osd", "new", store, "0")
    _run("ceph-osd", "-c", conf, "-i", "0", "--mkfs", "--osd-uuid", store)
    _serve(running, folder, "ceph-osd", "-c", conf, "-i", "0", "-f", "--osd-crush-initial-weight", "1")
    _serve(running, folder, "radosgw", "-c", conf, "-n", "client.admin", "-f")


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=START_S)


def _serve(running: ExitStack, folder: Path, *command: str | Path) -> None:
    """Start a server that dies with us, or at the latest when `running` ends."""
    name = Path(command[0]).name
    with (folder / f"{name}.out").open("wb") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    running.callback(process.wait)
    running.callback(process.kill)  # it has nothing to lose


def _wait_for(made: Gateway) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.HTTPError, OSError):
            urllib.request.urlopen(made.url, timeout=5).close()  # noqa: S310  # our own address
            return
        time.sleep(0.05)
    raise TimeoutError(f"nobody answers at {made.url}")


def _add_user(conf: Path) -> None:
    user = ("--uid=lab", "--display-name=lab", f"--access-key={KEY_ID}", f"--secret-key={KEY_SECRET}")
    _run("radosgw-admin", "-c", conf, "-n", "client.admin", "user", "create", *user)
    key = ("--uid=lab", f"--access-key={SENTINEL_ID}", f"--secret-key={SENTINEL_SECRET}")
    _run("radosgw-admin", "-c", conf, "-n", "client.admin", "key", "create", *key)


def _told(folder: Path) -> str:
    return "\n".join(f"{path.name}: {path.read_text(errors='replace')[-2000:]}" for path in folder.glob("*.out"))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port
