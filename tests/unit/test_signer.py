"""What was signed is known again by all who have the key, first or not."""

from __future__ import annotations

from uuid import uuid4

import pytest

from encoder.api.cursor import Cursors
from encoder.api.passes import FOLDER, Passes
from encoder.errors import Rejected
from encoder.model.ids import DEFAULT_TENANT
from encoder.signer import Signer

OLD, NEW, BOTH = Signer(b"old"), Signer(b"new"), Signer(b"new", b"old")


def test_an_exchange_of_keys_costs_no_signature_until_the_old_one_goes() -> None:
    for signer in (OLD, NEW, BOTH):
        assert BOTH.fits(b"text", signer.sign(b"text"))
    assert NEW.fits(b"text", BOTH.sign(b"text"))
    assert not NEW.fits(b"text", OLD.sign(b"text"))


@pytest.mark.parametrize("signature", ["", "ü", "\udce4", BOTH.sign(b"text")[:32], BOTH.sign(b"other")])
def test_nothing_else_fits(signature: str) -> None:
    assert not BOTH.fits(b"text", signature)


def test_an_upload_keeps_its_address_and_a_page_its_cursor() -> None:
    upload_id = uuid4()
    token = Passes(public_url="", signer=OLD).address(upload_id).removeprefix(f"{FOLDER}/")
    assert [Passes(public_url="", signer=each).upload_of(token) for each in (BOTH, NEW)] == [upload_id, None]
    cursor = Cursors(OLD).write(7, tenant_id=DEFAULT_TENANT, question="")
    assert Cursors(BOTH).read(cursor, tenant_id=DEFAULT_TENANT, question="") == 7
    with pytest.raises(Rejected):
        Cursors(NEW).read(cursor, tenant_id=DEFAULT_TENANT, question="")
