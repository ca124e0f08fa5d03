"""Who may call."""

from __future__ import annotations

from encoder.api import answers_keys as answers
from encoder.api import keys
from encoder.api.operations import Operation
from encoder.api.routes.common import JSON_PROBLEMS
from encoder.model.key import Scope

KEYS = (
    Operation(
        method="GET",
        path="/keys",
        operation_id="listKeys",
        summary="All keys that were made, by their first characters, never whole",
        handler=keys.listed,
        scope=Scope.ADMIN,
        answers={200: (answers.KeysAnswer,)},
        problems=(503,),
    ),
    Operation(
        method="POST",
        path="/keys",
        operation_id="createKey",
        summary="Make a key, and be shown it this once; it may be given only scopes that yours has",
        handler=keys.create,
        scope=Scope.ADMIN,
        body="Key",
        answers={201: (answers.KeyAnswer,)},
        problems=JSON_PROBLEMS,
    ),
    Operation(
        method="DELETE",
        path="/keys/{id}",
        operation_id="revokeKey",
        summary="Let a key in no more, by its number; every process hears of it within ten seconds",
        handler=keys.revoke,
        scope=Scope.ADMIN,
        answers={204: ()},
        problems=(404, 503),
    ),
)
