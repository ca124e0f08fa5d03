"""Keys on the command line, by the database."""

from __future__ import annotations

import json

import pytest

from encoder.model.key import digest, is_key
from encoder.store.postgres import PostgresStore
from tests.lab.command import encoder


@pytest.mark.usefixtures("store")
async def test_a_key_is_made_shown_once_and_revoked(dsn: str, store: PostgresStore) -> None:
    """B9: only its hash and its first characters are kept."""
    made = await encoder("keys", "create", "ci \x1b[31m", "--tenant", "7", "--scope", "read", ENCODER_DATABASE_URL=dsn)
    key = made.out.strip()
    assert (made.code, is_key(key)) == (0, True)
    assert "shown this once" in made.err
    row = await store.key(digest(key))
    assert row is not None

    listed = await encoder("keys", "list", "--json", ENCODER_DATABASE_URL=dsn)
    told = json.loads(listed.out)
    assert (told["id"], told["tenantId"], told["scopes"], told["live"]) == (row.id, 7, ["read"], True)
    assert (await encoder("keys", "revoke", str(row.id), ENCODER_DATABASE_URL=dsn)).code == 0
    for_people = await encoder("keys", "list", ENCODER_DATABASE_URL=dsn)
    assert f"{row.id}  {key[:13]}…  ci" in for_people.out
    assert "tenant 7  read  never used  revoked 20" in for_people.out
    assert "\x1b" not in for_people.out
    assert key not in listed.out + for_people.out + made.err
    assert (await encoder("keys", "revoke", "99", ENCODER_DATABASE_URL=dsn)).code == 2
