"""Tables that speak as DynamoDB does: of the server that `tests/lab/sqs.py` starts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

import botocore.session

from tests.lab.sqs import HOST, Service

REGION = "us-east-1"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table whose key is `job_id`."""

    service: Service
    name: str

    @cached_property
    def client(self) -> Any:  # noqa: ANN401  # botocore makes its clients' classes at run time
        return botocore.session.get_session().create_client(
            "dynamodb",
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id="lab",
            aws_secret_access_key="lab",
        )

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.service.port}"

    def item(self, job_id: str) -> dict[str, Any]:
        """The attributes of a job's item; none where there is no item."""
        told = self.client.get_item(TableName=self.name, Key={"job_id": {"S": job_id}}).get("Item", {})
        return {name: float(value["N"]) if "N" in value else value["S"] for name, value in told.items()}

    def put(self, job_id: str, **attributes: str) -> None:
        item = {name: {"S": value} for name, value in {"job_id": job_id, **attributes}.items()}
        self.client.put_item(TableName=self.name, Item=item)

    def remove(self, job_id: str) -> None:
        self.client.delete_item(TableName=self.name, Key={"job_id": {"S": job_id}})

    def drop(self) -> None:
        """From now on the server refuses whoever asks for it."""
        self.client.delete_table(TableName=self.name)


def table(service: Service) -> Table:
    """A new, empty table."""
    made = Table(service=service, name=f"jobs-{uuid4().hex}")
    made.client.create_table(
        TableName=made.name,
        AttributeDefinitions=[{"AttributeName": "job_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return made
