"""The store on PostgreSQL keeps the contract."""

from __future__ import annotations

from tests.contracts.store_suite import StoreSuite


class TestPostgresStore(StoreSuite):
    pass
