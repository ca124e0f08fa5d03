"""Agrees to what SNS asks: whether the word of a topic is wanted. Only SNS itself is called, and through the guard."""

from __future__ import annotations

import re

from encoder import errors
from encoder.errors import Fault, Rejected, in_order
from encoder.net.guard import Url, check_url
from encoder.net.http import Ask, Web

AWAY = "source_unavailable"
_HOST = re.compile(r"sns\.[a-z0-9-]{1,32}\.amazonaws\.com(\.cn)?")
_OK = 200


async def agree(web: Web, url: str) -> None:
    """Fetch `url`, by which SNS learns that a topic is welcome.

    Raises:
        errors.Rejected: `address_not_allowed`; it is not one of SNS.
        errors.Permanent, errors.Transient: as `Web.ask`; SNS did not take it.
    """
    async with web.ask(Ask(method="GET", url=_of_sns(url, web), hops=0), away=AWAY) as response:
        if response.status != _OK:
            raise errors.Transient(AWAY, f"SNS answered {response.status}.")


def _of_sns(text: str, web: Web) -> Url:
    url = check_url(text, web.policy, schemes=("https",))
    if isinstance(url, Fault) or not _HOST.fullmatch(url.host) or url.port != 443:  # noqa: PLR2004  # that of https
        message = "must be an https address of sns.REGION.amazonaws.com"
        raise Rejected.because("address_not_allowed", message, path="/SubscribeURL")
    return in_order(url)
