"""Names that look like settings and are none: a slip of the pen would else leave a default in force, unseen."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

PREFIX = "ENCODER_"
_OF_COMMANDS = {"ENCODER_URL", "ENCODER_API_KEY"}
# Kubernetes and Docker tell of services in the same way: ENCODER_API_PORT=tcp://…, ENCODER_API_SERVICE_HOST=…
_LINK = re.compile(r"\w+_SERVICE_(HOST|PORT(_\w+)?)=.*|\w+_PORT_\d+_(TCP|UDP)(_\w+)?=.*|\w+_PORT=(tcp|udp)://.*")


def misnamed(given: Mapping[str, str | None], known: Collection[str]) -> Sequence[str]:
    """What of these variables is called as a setting, and is none; each with the one of `known` that may be meant."""
    ours = {name.upper(): value for name, value in given.items() if name.upper().startswith(PREFIX)}
    return [
        _told(name, known)
        for name in sorted(ours.keys() - set(known) - _OF_COMMANDS)
        if not _LINK.fullmatch(f"{name}={ours[name]}")
    ]


def _told(name: str, known: Collection[str]) -> str:
    meant = get_close_matches(name, known, n=1, cutoff=0.8)
    return f"{name} ({meant[0]}?)" if meant else name
