"""What a job says of a WebDAV place."""

from __future__ import annotations

import base64
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Members(BaseModel):
    """A file on a WebDAV server; for a package, a folder, whose `url` ends in a slash."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: str = Field(max_length=2048, pattern="^https?://", examples=["https://cloud.example.com/dav/in.mov"])
    username: str = Field("", max_length=256)
    password: str = Field("", max_length=256, json_schema_extra={"writeOnly": True})
    token: str = Field("", max_length=4096, pattern="^[!-~]*$", description="in place of username and password")

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if self.token and (self.username or self.password):
            raise ValueError("there is `token`, or `username` and `password`, not both")
        return self

    def headers(self) -> dict[str, str]:
        """What lets us in."""
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        if self.username:
            user = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
            return {"Authorization": f"Basic {user}"}
        return {}
