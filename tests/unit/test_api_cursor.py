from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoder.api.cursor import Cursors
from encoder.errors import Rejected
from encoder.model.ids import JobId, TenantId
from encoder.signer import Signer

ONE, OTHER = TenantId(1), TenantId(2)
CURSORS = Cursors(Signer(b"key"))


@given(st.integers(0, 2**63 - 1), st.text(max_size=20))
def test_a_cursor_leads_back_to_its_job(job: int, question: str) -> None:
    cursor = CURSORS.write(JobId(job), tenant_id=ONE, question=question.encode(errors="replace").decode())
    assert CURSORS.read(cursor, tenant_id=ONE, question=question.encode(errors="replace").decode()) == job
    assert cursor.isascii()
    assert cursor.replace("-", "").replace("_", "").isalnum()


def test_a_cursor_is_nothing_to_anybody_else() -> None:
    """A19"""
    cursor = CURSORS.write(JobId(7), tenant_id=ONE, question="tag=a")
    for reader, tenant, question in (
        (CURSORS, OTHER, "tag=a"),
        (CURSORS, ONE, "tag=b"),
        (Cursors(Signer(b"x")), ONE, "tag=a"),
    ):
        with pytest.raises(Rejected, match="another question"):
            reader.read(cursor, tenant_id=tenant, question=question)


@given(st.text(max_size=60))
def test_any_text_is_refused_by_name(cursor: str) -> None:
    with pytest.raises(Rejected) as refused:
        CURSORS.read(cursor, tenant_id=ONE, question="")
    assert refused.value.faults[0].code == "invalid_cursor"
