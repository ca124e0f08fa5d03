"""How a place is named to people."""

from __future__ import annotations

import pytest

from encoder.model import place as places
from encoder.model.job import Place


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ({"kind": "https", "url": "https://h.example/in.mov?***"}, "https://h.example/in.mov?***"),
        ({"url": "http://h.example/in.mov"}, "http://h.example/in.mov"),
        ({"kind": "webdav", "url": "https://h.example/in.mov", "token": "***"}, "webdav https://h.example/in.mov"),
        ({"kind": "s3", "bucket": "b", "path": "a/in.mov", "access_key_id": "***"}, "s3 b/a/in.mov"),
        ({"kind": "ftp", "host": "h.example", "path": "in.mov", "password": "***"}, "ftp h.example/in.mov"),
        ({"kind": "sftp", "host": "::1", "port": 2222, "path": "/in.mov"}, "sftp [::1]:2222//in.mov"),
        ({"kind": "file", "path": "/srv/in.mov"}, "file /srv/in.mov"),
        ({"kind": "inline", "data": "QUJD", "fileName": "in.mov"}, "inline in.mov"),
        ({"kind": "inline", "data": "QUJD"}, "inline"),
        ({"kind": "upload", "fileId": "7-7"}, "upload 7-7"),
        ({"kind": "blank", "blocks": 7, "headers": {"a": "***"}}, "blank"),
    ],
)
def test_a_place_is_named_by_its_kind_and_where_it_is(place: Place, name: str) -> None:
    assert places.named(place) == name
