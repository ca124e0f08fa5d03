"""Which addresses may be reached at all: a pure table, and the one reader of URLs and hosts for check and fetch.

`ipaddress.is_global` is no such table: it passes NAT64 and 6to4 forms of private addresses, multicast, and the
metadata services of some clouds. Ours denies by net, and everything in IPv6 that is not global unicast.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TypeAlias
from urllib.parse import quote

from encoder.errors import Fault
from encoder.metrics.transfer import addresses_refused

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

LONGEST_URL = 2048  # characters

_DENIED: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(net), what)
    for net, what in (
        ("0.0.0.0/8", "of this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by a provider"),  # holds 100.100.100.200, the metadata service of Alibaba Cloud
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "a cloud's platform service"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "for documentation"),
        ("192.31.196.0/24", "reserved"),
        ("192.52.193.0/24", "reserved"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("192.175.48.0/24", "reserved"),
        ("198.18.0.0/15", "for benchmarks"),
        ("198.51.100.0/24", "for documentation"),
        ("203.0.113.0/24", "for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::1/128", "loopback"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("ff00::/8", "multicast"),
        # whatever is not 2000::/3 is no global unicast: IPv4-compatible, discard, site-local, segment routing, …
        ("::/3", "reserved"),
        ("4000::/2", "reserved"),
        ("8000::/1", "reserved"),
        ("2001::/23", "reserved"),  # Teredo among them: it can name any IPv4 address
        ("2001:db8::/32", "for documentation"),
        ("2002::/16", "6to4"),  # can name any IPv4 address
        ("2620:4f:8000::/48", "reserved"),
        ("3fff::/20", "for documentation"),
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

_USUAL_PORTS = {"http": {80, 443}, "https": {80, 443}, "ftp": {21}, "ftps": {21, 990}, "sftp": {22}}
# Services that answer to text or do harm by being connected to, above 1023.
_SERVICE_PORTS = frozenset(
    {1433, 1521, 2049, 2181, 2375, 2376, 2377, 2379, 2380, 3306, 3389, 4369, 5060, 5061, 5432, 5433, 5672, 5900, 5984}
    | {6000, 6379, 6380, 6443, 6667, 7000, 7001, 8300, 8301, 8302, 8500, 8600, 9042, 9092, 9200, 9300, 11211, 15672}
    | {16379, 26379, 27017, 27018, 27019}
    | set(range(10248, 10260))  # kubelet and its neighbours
)
_DEFAULT_PORT = {"http": 80, "https": 443, "ftp": 21, "ftps": 21, "sftp": 22}
_LAST_PORT = 65535  # that TCP has

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\\]|^\s|\s$")
_PARTS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<target>[/?][^#]*)?(?:#.*)?")
_AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_IN_HEADERS = "send them in `headers`"
_SENT_AS_IS = "!$%&'()*+,-./:;=?@_~[]|^`"  # beside letters and digits; signed queries must not change by a byte


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the operator allows beyond the public internet (`ENCODER_ALLOW_ADDRESSES`).

    `own_ports` stay closed on allowed addresses: there they may be our own server. `own_name`: its public host and
    port, which stay closed wherever they lead.
    """

    allow: tuple[Network, ...] = ()
    own_ports: frozenset[int] = frozenset()
    own_name: tuple[str, int] | None = None

    @classmethod
    def of(cls, *networks: str, own_ports: Collection[int] = (), own_name: tuple[str, int] | None = None) -> Policy:
        """Raises ValueError for a text that is no network."""
        allow = tuple(ipaddress.ip_network(net) for net in networks)
        return cls(allow=allow, own_ports=frozenset(own_ports), own_name=own_name)

    def refusal(self, address: Address, port: int) -> str | None:
        """Why `address` must not be dialled, as the end of a sentence; None if it may."""
        plain = _unwrapped(address)
        what = next((what for net, what in _DENIED if plain in net), None)
        if what is None:
            return None
        if any(plain in net for net in self.allow):
            if port not in self.own_ports:
                return None
            addresses_refused.of("own").inc()
            return "is our own server"
        addresses_refused.of(what.replace(" ", "_")).inc()
        return f"is {what}; the operator may open it with ENCODER_ALLOW_ADDRESSES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """An address that was read and found in order. `target`: path and query as they are sent, all ASCII."""

    scheme: str
    host: str  # lower case; IPv6 without brackets
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return (self.scheme, self.host, self.port)

    @property
    def text(self) -> str:
        return f"{self._base}{self.target}"

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def below(self, name: str) -> Url:
        """The address of `name` in the folder that this one is; the query, which may be what lets us in, stays."""
        path, mark, query = self.target.partition("?")
        return replace(self, target=f"{path}{quote(name)}{mark}{query}")

    @property
    def shown(self) -> str:
        """Without its query, which may be a secret."""
        return f"{self._base}{self.path}"

    @property
    def _base(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORT.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Where a server listens, read and found in order."""

    name: str  # lower case; IPv6 without brackets
    port: int

    @property
    def shown(self) -> str:
        return f"[{self.name}]" if ":" in self.name else self.name


def check_url(
    text: str, policy: Policy, *, schemes: Collection[str] = ("http", "https"), instead: str = _IN_HEADERS
) -> Url | Fault:
    """The address that `text` is, or what is wrong with it (`path` left empty for the caller to fill).

    `instead`: what is to be done with a user and password in it, as the end of a sentence.
    A host that is a name is only read here; what it resolves to is checked when it is dialled.
    """
    parsed = _parse(text, schemes, instead)
    if isinstance(parsed, str):
        return Fault(path="", code="invalid_url", message=f"The address {parsed}.")
    fault = _fault(parsed, policy)
    if fault is not None and "@" in parsed.target:  # host and port may be of a password with a `/` in it
        return replace(fault, message=f"The address is not allowed; if it holds a user or password, {instead}.")
    return fault or parsed


def check_host(text: str, port: int | None, scheme: str, policy: Policy) -> Host | Fault:
    """As `check_url`, for members `host` and `port` (None: the scheme's own); `path` names the one that is wrong."""
    chosen = _DEFAULT_PORT[scheme] if port is None else port
    bare = f"[{text}]" if ":" in text and not text.startswith("[") else text
    authority = _AUTHORITY.fullmatch(bare)
    name = _host(authority) if authority is not None and authority["port"] is None else None
    if name is None:
        message = "The host is neither a name nor an address in its usual form; names outside ASCII are written xn--…"
        return Fault(path="/host", code="invalid_value", message=message)
    if not (1 <= chosen <= _LAST_PORT and port_open(chosen, scheme)):
        return Fault(path="/port", code="port_not_allowed", message=f"Port {chosen} is not open to {scheme}.")
    refusal = _host_refusal(name, chosen, policy)
    if refusal is not None:
        return Fault(path="/host", code="address_not_allowed", message=refusal)
    return Host(name=name, port=chosen)


def default_port(scheme: str) -> int:
    return _DEFAULT_PORT[scheme]


def port_open(port: int, scheme: str) -> bool:
    """Whether `port` may be dialled in a caller's name."""
    if port < 1024:  # noqa: PLR2004  # the system's ports
        return port in _USUAL_PORTS[scheme]
    return port not in _SERVICE_PORTS


def literal(host: str) -> Address | None:
    """The address that `host` itself is; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _unwrapped(address: Address) -> Address:
    """An IPv4 address that an IPv6 one stands for on the wire: mapped, or reached through a NAT64 gateway."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _parse(text: str, schemes: Collection[str], instead: str) -> Url | str:
    """The parts of `text`, or why it is no address; nothing is decided yet about where it leads."""
    if len(text) > LONGEST_URL:
        return f"is longer than {LONGEST_URL} characters"
    if _CONTROL.search(text):
        return "holds a control character, a backslash, or a space at its end"
    parts = _PARTS.fullmatch(text)
    if parts is None or parts["scheme"].lower() not in schemes:
        return f"is no absolute URL of {' or '.join(schemes)}"
    if "@" in parts["authority"]:
        return f"holds a user or password; {instead}"
    authority = _AUTHORITY.fullmatch(parts["authority"])
    if authority is None:
        return "has no proper host and port; names outside ASCII are written as xn--…"
    return _url(parts["scheme"].lower(), authority, parts["target"] or "/")


def _url(scheme: str, authority: re.Match[str], target: str) -> Url | str:
    host = _host(authority)
    port = int(authority["port"]) if authority["port"] else _DEFAULT_PORT[scheme]
    if host is None:
        return "has a host that is neither a name nor an address in its usual form"
    if not 1 <= port <= _LAST_PORT:
        return "has a port outside 1 … 65535"
    try:
        sent = quote(target, safe=_SENT_AS_IS)
    except UnicodeEncodeError:
        return "holds half a character"
    return Url(scheme=scheme, host=host, port=port, target=sent if sent.startswith("/") else f"/{sent}")


def _host(authority: re.Match[str]) -> str | None:
    """The host in its one form; None for forms that resolvers disagree about (`127.1`, `0x7f.1`, `2130706433`)."""
    if authority["v6"] is not None:
        address = literal(authority["v6"])
        return str(address) if isinstance(address, ipaddress.IPv6Address) else None
    name = authority["name"].lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):  # noqa: PLR2004  # RFC 1035
        return None
    if _NUMBER.fullmatch(labels[-1]) and literal(name) is None:
        return None
    return name


def _fault(url: Url, policy: Policy) -> Fault | None:
    """Why `url` must not be dialled."""
    if not port_open(url.port, url.scheme):
        return Fault(path="", code="port_not_allowed", message=f"Port {url.port} is not open to {url.scheme}.")
    refusal = _host_refusal(url.host, url.port, policy)
    return None if refusal is None else Fault(path="", code="address_not_allowed", message=refusal)


def _host_refusal(host: str, port: int, policy: Policy) -> str | None:
    if (host, port) == policy.own_name:
        return f"{host} is our own server."
    address = literal(host)
    if address is not None:
        refusal = policy.refusal(address, port)
        return refusal and f"{host} {refusal}."
    labels = host.split(".")
    if len(labels) == 1 or labels[-1] == "localhost":
        return f"{host} is no full name of a public host: write that, or its address as a number (192.0.2.1)."
    return None
