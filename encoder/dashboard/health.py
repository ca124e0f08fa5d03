"""The strip under the header of every page: what is wrong now, in a sentence; nothing while all is well."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC

from encoder.api import troubles
from encoder.api.lookout import Trouble
from encoder.api.operations import Call
from encoder.model.key import Scope

_OPERATORS = frozenset({"/ui/fleet", "/ui/queues"})  # pages that only their keys open


async def health(call: Call) -> Mapping[str, str]:
    """`{text, link}` of what is wrong for the visitor, an operator's for the whole fleet; empty while all is well.

    It may be asked for with every page: the API looks once in five seconds, and a database that is away is a trouble.
    """
    operator = Scope.ADMIN in call.let_in.scopes
    seen = await troubles.look(call, operator=operator)
    if not seen.troubles:
        return {}
    page = troubles.page_of(seen.troubles[0])
    link = page if operator or page not in _OPERATORS else ""
    return {"text": "; ".join(map(_sentence, seen.troubles)) + ".", "link": link}


def _sentence(trouble: Trouble) -> str:
    since = f" since {trouble.since.astimezone(UTC):%H:%M} UTC" if trouble.since else ""
    return f"{trouble.message}{since}"
