from __future__ import annotations

import ipaddress
import re
from ipaddress import IPv4Address, IPv6Address

import pytest

from encoder.errors import Fault
from encoder.net.guard import Host, Policy, Url, check_host, check_url

WORLD = Policy()
LAB = Policy.of("127.77.0.0/16", own_ports={8080})


def _lines(text: str) -> list[str]:
    return text.split()


# First, last and well-known addresses of the nets that the IANA registries and clouds keep for themselves.
FORBIDDEN_V4 = _lines(
    """
    0.0.0.0 0.0.0.1 0.255.255.255 10.0.0.0 10.0.0.1 10.255.255.255 100.64.0.0 100.64.0.1 100.100.100.200
    100.127.255.255 127.0.0.0 127.0.0.1 127.0.0.2 127.66.0.1 127.77.0.1 127.255.255.255 168.63.129.16 169.254.0.0
    169.254.169.254 169.254.170.2 169.254.255.255 172.16.0.0 172.16.0.1 172.31.255.255 192.0.0.0 192.0.0.8
    192.0.0.170 192.0.0.192 192.0.0.255 192.0.2.0 192.0.2.1 192.0.2.255 192.31.196.1 192.52.193.1 192.88.99.1
    192.168.0.0 192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.0 198.18.0.1 198.19.255.255 198.51.100.0
    198.51.100.255 203.0.113.0 203.0.113.255 224.0.0.0 224.0.0.1 224.0.0.251 239.255.255.250 239.255.255.255
    240.0.0.0 240.0.0.1 255.255.255.254 255.255.255.255
    """
)
FORBIDDEN_V6 = _lines(
    """
    :: ::1 ::2 ::ffff:7f00:1 ::127.0.0.1 ::8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::1
    100::1 100:0:0:1::1 2001::1 2001:0:4136:e378:8000:63bf:80ff:fffe 2001:1::1 2001:2::1 2001:10::1 2001:20::1
    2001:db8::1 2002:7f00:1:: 2002:a00:1:: 2002:808:808:: 2620:4f:8000::1 3fff::1 3fff:fff::1 4000::1 5f00::1
    8000::1 fc00::1 fd00::1 fd00:ec2::254 fdff:ffff::1 fe80::1 febf::1 fec0::1 ff00::1 ff02::1 ff05::2 ff0e::1
    """
)
ALLOWED = _lines(
    """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 168.63.129.15
    168.63.129.17 169.253.255.255 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255
    198.20.0.0 223.255.255.255 2001:200::1 2001:4860:4860::8888 2400::1 2606:4700::1111 2a00::1 ::ffff:8.8.8.8
    64:ff9b::8.8.8.8
    """
)


def mapped(v4: IPv4Address) -> IPv6Address:
    return IPv6Address(0xFFFF << 32 | int(v4))


def compatible(v4: IPv4Address) -> IPv6Address:
    return IPv6Address(int(v4))


def nat64(v4: IPv4Address) -> IPv6Address:
    return IPv6Address(int(IPv6Address("64:ff9b::")) | int(v4))


def six_to_four(v4: IPv4Address) -> IPv6Address:
    return IPv6Address(0x2002 << 112 | int(v4) << 80)


def teredo(v4: IPv4Address) -> IPv6Address:
    return IPv6Address(0x20010000 << 96 | int(v4) << 64 | (int(v4) ^ 0xFFFFFFFF))


FORMS = (mapped, compatible, nat64, six_to_four, teredo)


def code_of(result: Url | Host | Fault) -> str:
    return result.code if isinstance(result, Fault) else "allowed"


def code(text: str, policy: Policy = WORLD) -> str:
    return code_of(check_url(text, policy))


@pytest.mark.parametrize("address", FORBIDDEN_V4)
def test_a_forbidden_v4_address_is_refused_as_literal_and_in_every_v6_form(address: str) -> None:
    """C1, C3"""
    assert code(f"http://{address}/x") == "address_not_allowed"
    for form in FORMS:
        assert code(f"http://[{form(IPv4Address(address))}]/x") == "address_not_allowed", form.__name__


@pytest.mark.parametrize("address", FORBIDDEN_V6)
def test_a_forbidden_v6_address_is_refused(address: str) -> None:
    """C3"""
    assert code(f"http://[{address}]/x") == "address_not_allowed"


@pytest.mark.parametrize("address", ALLOWED)
def test_a_public_address_is_allowed(address: str) -> None:
    assert WORLD.refusal(ipaddress.ip_address(address), 80) is None


def test_the_table_of_this_test_is_as_long_as_security_asks() -> None:
    assert len(set(FORBIDDEN_V4 + FORBIDDEN_V6)) >= 60


@pytest.mark.parametrize("host", ["127.77.0.1", "[::ffff:127.77.0.1]"])
def test_the_operator_opens_a_net_and_nothing_else(host: str) -> None:
    assert code(f"http://{host}:9000/x", LAB) == "allowed"
    assert code("http://127.66.0.1:9000/x", LAB) == "address_not_allowed"
    assert code("http://[2002:7f4d:1::]/x", LAB) == "address_not_allowed"


def test_a_refusal_names_the_setting_that_opens_the_address() -> None:
    result = check_url("http://10.1.2.3/x", WORLD)
    assert isinstance(result, Fault)
    assert "ENCODER_ALLOW_ADDRESSES" in result.message


def test_our_own_port_stays_closed_on_an_address_that_the_operator_opened() -> None:
    """C11, C20"""
    assert code("http://127.77.0.1:8080/x", LAB) == "address_not_allowed"
    assert code("http://8.8.8.8:8080/x", LAB) == "allowed"


def test_our_own_public_name_is_closed_wherever_it_leads() -> None:
    """C20: a job must not feed on the platform that runs it."""
    policy = Policy.of(own_name=("encoder.example.com", 443))
    for text in (
        "https://encoder.example.com/storage/x",
        "https://Encoder.Example.com.:443/",
        "http://encoder.example.com:443",
    ):
        assert code(text, policy) == "address_not_allowed"
    assert code("https://encoder.example.com:9000/bucket/x", policy) == "allowed"
    assert code("https://media.example.com/x", policy) == "allowed"


@pytest.mark.parametrize(
    "host", ["2130706433", "127.1", "0177.0.0.1", "0x7f.1", "0x7f.0.0.1", "0", "127.0.0.256", "1.2"]
)
def test_a_number_that_resolvers_would_read_as_an_address_is_no_host(host: str) -> None:
    """C2"""
    assert code(f"http://{host}/x") == "invalid_url"


def test_a_dot_at_the_end_changes_nothing() -> None:
    """C2"""
    assert code("http://127.0.0.1./x") == "address_not_allowed"
    assert code("http://localhost./x") == "address_not_allowed"
    url = check_url("http://example.com./x", WORLD)
    assert isinstance(url, Url)
    assert url.host == "example.com"


@pytest.mark.parametrize("url", ["http://ann/s3nt@h.example/x", "https://ann:1433/s3nt@h.example/", "http://a:22?@h/x"])
def test_what_may_be_a_password_cut_at_its_slash_is_not_told_as_host_or_port(url: str) -> None:
    fault = check_url(url, WORLD)
    assert isinstance(fault, Fault)
    assert not {"ann", "s3nt", "1433", "22"} & set(re.findall(r"\w+", fault.message))
    assert "`headers`" in fault.message


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "x.localhost", "minio", "metadata"])
def test_a_name_that_only_this_host_or_net_knows_is_refused(host: str) -> None:
    """C9. An operator who has opened its network is told what would get there."""
    fault = check_url(f"http://{host}/x", WORLD)
    assert isinstance(fault, Fault)
    assert (fault.code, "its address as a number" in fault.message) == ("address_not_allowed", True)


@pytest.mark.parametrize(
    "text",
    [
        "http://①②⑦.⓪.⓪.①/x",
        "http://ⓛocalhost/x",
        "http://example。com/x",
        "http://127.0.0.1\\@example.com/",
        "http://exa\tmple.com/",
        "http://example.com/a\nb",
        "http://example.com/a\x00",
        "http://example.com/\u2028",
        " http://example.com/",
        "http://example.com/ ",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://@example.com/",
        "http:///x",
        "http://:80/x",
        "http:example.com",
        "http:/example.com",
        "//example.com/x",
        "/x",
        "",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:80:81/",
        "http://example.com:/",
        "http://example.com:٨٠/",
        "http://example.com:+80/",
        "http://[::1/x",
        "http://::1/x",
        "http://[fe80::1%25eth0]/x",
        "http://[1.2.3.4]/x",
        "http://-example.com/",
        "http://example..com/",
        "http://.example.com/",
        f"http://{'a' * 64}.com/",
        f"http://{'a.' * 130}com/",
        f"http://example.com/{'x' * 3000}",
        "http://example.com/\ud800",
        "http://exa{uuid}mple.com/",
        "javascript:alert(1)",
        "data:text/plain,x",
        "file:///etc/passwd",
        "gopher://example.com/x",
        "ftp://example.com/x",
    ],
)
def test_what_is_no_plain_http_address_is_invalid(text: str) -> None:
    """C9, C10"""
    assert code(text) == "invalid_url"


@pytest.mark.parametrize("port", [22, 25, 21, 1, 443 + 1, 1023, 3306, 5432, 6379, 9200, 10250, 11211, 27017])
def test_a_port_of_another_service_is_closed(port: int) -> None:
    """C11"""
    assert code(f"http://example.com:{port}/x") == "port_not_allowed"


@pytest.mark.parametrize("port", [80, 443, 1024, 8000, 8080, 8443, 9000, 49152, 65535])
def test_ports_of_web_servers_are_open(port: int) -> None:
    assert code(f"https://example.com:{port}/x") == "allowed"


def test_a_signed_query_is_sent_byte_for_byte() -> None:
    query = "X-Amz-Credential=AKIA%2F2026%2Fus-east-1&sig=a+b/c==&x=%7e~%20!*'()"
    url = check_url(f"https://bucket.example.com/a%20b/../c.mp4?{query}", WORLD)
    assert isinstance(url, Url)
    assert url.target == f"/a%20b/../c.mp4?{query}"
    assert url.shown == "https://bucket.example.com/a%20b/../c.mp4"


def test_what_a_url_may_not_hold_is_percent_encoded_once_and_its_fragment_left_out() -> None:
    url = check_url("http://Example.COM:8000/vidéo 1.mp4?a=ü#part", WORLD)
    assert isinstance(url, Url)
    assert url.text == "http://example.com:8000/vid%C3%A9o%201.mp4?a=%C3%BC"
    assert check_url(url.text, WORLD) == url


def test_a_query_without_a_path_gets_one() -> None:
    url = check_url("http://example.com?x=1", WORLD)
    assert isinstance(url, Url)
    assert url.text == "http://example.com/?x=1"


def test_a_v6_host_keeps_its_brackets_only_in_text() -> None:
    url = check_url("http://[2606:4700:0:0::1111]:8000/x", WORLD)
    assert isinstance(url, Url)
    assert (url.host, url.text) == ("2606:4700::1111", "http://[2606:4700::1111]:8000/x")


@pytest.mark.parametrize("address", FORBIDDEN_V4 + FORBIDDEN_V6)
def test_a_forbidden_address_is_no_host_either(address: str) -> None:
    assert code_of(check_host(address, None, "ftp", WORLD)) == "address_not_allowed"
    if ":" in address:
        assert code_of(check_host(f"[{address}]", None, "sftp", WORLD)) == "address_not_allowed"


@pytest.mark.parametrize("host", ["localhost", "x.localhost", "nas", "127.0.0.1."])
def test_a_host_that_only_this_net_knows_is_refused(host: str) -> None:
    assert code_of(check_host(host, 2121, "ftp", WORLD)) == "address_not_allowed"


@pytest.mark.parametrize(
    "host",
    [
        *_lines("a..com ①②⑦.⓪.⓪.① 2130706433 127.1 0x7f.1 u@example.com example.com:21 [::1]:21 [::1 [1.2.3.4]"),
        *(
            "",
            " ",
            "a b.com",
            "ftp://example.com",
            "example.com/x",
            "example.com\r\nDELE x",
            "a\x00b.com",
            "fe80::1%eth0",
        ),
    ],
)
def test_what_is_no_plain_host_is_an_invalid_value(host: str) -> None:
    fault = check_host(host, None, "ftp", WORLD)
    assert isinstance(fault, Fault)
    assert (fault.path, fault.code) == ("/host", "invalid_value")


@pytest.mark.parametrize(
    ("scheme", "port", "dialled"),
    [("ftp", None, 21), ("ftps", None, 21), ("ftps", 990, 990), ("sftp", None, 22), ("sftp", 2222, 2222)],
)
def test_a_host_has_the_port_of_its_scheme_or_a_high_one(scheme: str, port: int | None, dialled: int) -> None:
    assert check_host("FTP.Example.com.", port, scheme, WORLD) == Host(name="ftp.example.com", port=dialled)


@pytest.mark.parametrize(
    ("scheme", "port"),
    [("ftp", 22), ("ftp", 990), ("sftp", 21), ("ftps", 443), ("sftp", 6379), ("ftp", 0), ("ftp", -1), ("ftp", 65536)],
)
def test_a_host_has_no_port_of_another_service(scheme: str, port: int) -> None:
    fault = check_host("example.com", port, scheme, WORLD)
    assert isinstance(fault, Fault)
    assert (fault.path, fault.code) == ("/port", "port_not_allowed")


def test_a_host_may_be_an_address_of_either_version() -> None:
    assert check_host("2001:4860:4860::8888", None, "ftp", WORLD) == check_host(
        "[2001:4860:4860::8888]", None, "ftp", WORLD
    )
    assert check_host("127.77.0.1", 2121, "ftp", LAB) == Host(name="127.77.0.1", port=2121)
