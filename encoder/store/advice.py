"""What to do about a database that cannot be used, by what its driver said."""

from __future__ import annotations

from encoder import errors

_ADDRESS = "ENCODER_DATABASE_URL"
_TO_DO = (
    (("gaierror", "getaddrinfo", "Name or service"), f"Correct the host in {_ADDRESS}: nobody knows that name."),
    (("InvalidPassword", "InvalidAuthorization", "(1045"), f"Correct user and password in {_ADDRESS}."),
    (("InvalidCatalogName", "(1049"), f"Create the database, or correct its name in {_ADDRESS}."),
    (
        ("InsufficientPrivilege", "(1044", "(1142", "(1143"),
        f"Give the role in {_ADDRESS} its rights: docs/operate/upgrades.md, docs/operate/databases.md.",
    ),
    (
        ("TooManyConnections", "(1040", "CannotConnectNow"),
        "Wait, or let it take more connections; docs/operate/databases.md.",
    ),
    (("Connect", "Timeout", "(2003"), f"Start the database, or correct host and port in {_ADDRESS}."),
    (("which is for programs",), "Run a newer Encoder: what it needs of the old one is gone."),
    (("schema ",), "Run `encoder migrate`; docs/operate/upgrades.md."),
    (("sessions are open here",), "End them; a pooler may keep some for a while. Then try again."),
    (("in use by process",), "Stop the `encoder up` that uses this folder, or choose another with --data."),
)


def to_do(error: errors.StoreUnavailable) -> str:
    """A sentence that begins with a verb."""
    told = str(error)
    for signs, advice in _TO_DO:
        if any(sign in told for sign in signs):
            return advice
    return f"Look at the database's own log, and at {_ADDRESS}; see docs/operate/databases.md."
