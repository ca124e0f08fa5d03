"""The store on MariaDB keeps the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from encoder.store.mysql import MysqlStore, open_store
from tests.contracts.store_suite import StoreSuite
from tests.lab import audit, mariadb


@pytest.fixture
async def store(maria: mariadb.Server) -> AsyncIterator[MysqlStore]:
    async with maria.ready() as dsn:
        opened = await open_store(dsn)
        yield opened
        await opened.close()
        await audit.rows(dsn)


class TestMysqlStore(StoreSuite):
    pass
