"""How often somebody may call, by a clock of the test's; and whose address a request comes from."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from encoder import errors
from encoder.api.addresses import Addresses, house
from encoder.api.rates import Buckets, Rates


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def taken(buckets: Buckets, name: str, tries: int) -> int:
    """How many of so many tries found something."""
    return sum(not buckets.take(name) for _ in range(tries))


def test_a_bucket_holds_what_two_minutes_give_and_no_more() -> None:
    """N9"""
    clock = Clock()
    buckets = Buckets(60, clock=clock)
    assert taken(buckets, "a", 200) == 120
    clock.now += 7200
    assert taken(buckets, "a", 200) == 120


def test_an_empty_bucket_gives_as_much_as_was_said_and_tells_when() -> None:
    """N9"""
    clock = Clock()
    buckets = Buckets(30, clock=clock)
    assert taken(buckets, "a", 100) == 60
    assert buckets.take("a") == buckets.wait_s("a") == 2
    clock.now += 1.5
    assert buckets.take("a") == 0.5
    clock.now += 0.5
    assert [buckets.take("a"), buckets.take("a")] == [0, 2]
    clock.now += 60
    assert taken(buckets, "a", 100) == 30


def test_one_that_takes_all_leaves_the_others_theirs() -> None:
    """N9"""
    buckets = Buckets(5, clock=Clock())
    assert [taken(buckets, name, 100) for name in ("a", "b")] == [10, 10]


def test_the_table_of_buckets_does_not_grow_without_end() -> None:
    """Who comes from a thousand addresses, as one who has a net of IPv6 can, fills no memory with them."""
    buckets = Buckets(1, clock=Clock(), most=100)
    for number in range(1000):
        buckets.take(f"{number}")
    assert len(buckets._full_at) == 100
    assert [bool(buckets._full_at.get(name)) for name in ("0", "900", "999")] == [False, True, True]


def test_without_a_limit_nothing_is_counted() -> None:
    buckets = Buckets(0, clock=Clock())
    assert taken(buckets, "a", 1000) == 1000
    assert not buckets._full_at


def test_what_changes_something_is_counted_by_itself() -> None:
    rates = Rates(reads=Buckets(2, clock=Clock()), writes=Buckets(1, clock=Clock()))
    for method in ("POST", "DELETE", "GET", "HEAD", "GET", "GET"):
        rates.count(7, method)
    for method, told in (("PUT", "No more than 1 writes a minute."), ("GET", "No more than 2 reads a minute.")):
        with pytest.raises(errors.TooMany) as caught:
            rates.count(7, method)
        assert (caught.value.faults[0].code, caught.value.faults[0].message) == ("rate_limited", told)
        assert caught.value.retry_after_s == (60 if method == "PUT" else 30)


def request(remote: str, forwarded: str) -> web.BaseRequest:
    return make_mocked_request("GET", "/", headers={"X-Forwarded-For": forwarded}).clone(remote=remote)


@pytest.mark.parametrize(
    ("remote", "forwarded", "caller"),
    [
        ("192.0.2.7", "198.51.100.1", "192.0.2.7"),  # a stranger says what he likes
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"),  # before that a stranger said it
        ("10.0.0.1", "203.0.113.9,198.51.100.1 , 10.0.0.2", "198.51.100.1"),
        ("::ffff:10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
    ],
)
def test_only_the_operators_proxies_are_believed(remote: str, forwarded: str, caller: str) -> None:
    """B11"""
    addresses = Addresses([ip_network("10.0.0.0/8")])
    assert addresses.of(request(remote, forwarded)) == ip_address(caller)
    assert Addresses().of(request(remote, forwarded)) == ip_address(remote.removeprefix("::ffff:"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.7", "192.0.2.8", False),
        ("2001:db8::1", "2001:db8::ffff:0:0:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("::1", "::2", True),
    ],
)
def test_a_house_of_ipv6_is_one_caller(one: str, other: str, *, same: bool) -> None:
    assert (house(ip_address(one)) == house(ip_address(other))) is same
