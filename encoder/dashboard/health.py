"""The strip under the header: what is wrong now, in a sentence; nothing while all is well."""

from __future__ import annotations

from collections.abc import Mapping

from encoder.api import troubles
from encoder.dashboard.page import Visit
from encoder.model.key import Scope


async def health(visit: Visit) -> Mapping[str, str]:
    """`{text, link}` of what is wrong for the visitor, an operator's for the whole fleet; empty while all is well.

    It may be asked for with every page: the API looks once in five seconds, and a database that is away is a trouble.
    """
    seen = troubles.told(await troubles.look(visit.call, operator=visit.may(Scope.ADMIN)))
    if not seen.troubles:
        return {}
    begun = min((each.since for each in seen.troubles if each.since), default=None)
    since = f", since {begun:%H:%M} UTC" if begun else ""
    sentence = "; ".join(each.message for each in seen.troubles)
    return {"text": f"{sentence}{since}.", "link": seen.troubles[0].page}
