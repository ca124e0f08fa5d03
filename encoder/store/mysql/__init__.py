"""The store on MySQL 8 and MariaDB, with asyncmy: the verbs of `../verbs`, statements in `../sql/mysql`."""

from encoder.store.mysql.migrate import VERSION, check, upgrade
from encoder.store.mysql.store import MysqlStore, open_store

__all__ = ["VERSION", "MysqlStore", "check", "open_store", "upgrade"]
