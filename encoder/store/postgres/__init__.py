"""The store on PostgreSQL, with asyncpg: the verbs of `../verbs`, a file in `../sql/postgres` per statement."""

from encoder.store.postgres.migrate import VERSION, check, upgrade
from encoder.store.postgres.store import PostgresStore, open_store

__all__ = ["VERSION", "PostgresStore", "check", "open_store", "upgrade"]
