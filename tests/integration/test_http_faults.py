"""A net that cuts, resets, drips and swallows, between us and servers that are well: recovered, or the right class."""

from __future__ import annotations

from pathlib import Path

import pytest

from encoder import errors
from encoder.destinations.protocol import Destination
from encoder.destinations.registry import Destinations
from encoder.model.job import Place
from encoder.plugins import Surroundings
from encoder.worker.package import Package
from tests.contracts.test_destinations import no_storage
from tests.integration.test_http_fetch import DATA, fetched, on_disk
from tests.lab.faults import CLEAN, Proxy, Way
from tests.lab.origin import Served
from tests.lab.packages import KEY, made, packaged, sending
from tests.lab.put import Shelf
from tests.lab.wire import Server, lab_web

IDLE_S = 0.4
AT_BYTES = 100_000

# where each fault strikes a source: in the middle, and before the head has come
FALLING = {
    "FIN": Way(cut_after=AT_BYTES),
    "RST": Way(reset_after=AT_BYTES),
    "silence": Way(hole_after=AT_BYTES),
    "FIN at once": Way(cut_after=10),
    "RST at once": Way(reset_after=10),
    "silence at once": Way(hole_after=10),
}
CODES = {"silence": "timeout", "silence at once": "timeout"}


@pytest.mark.parametrize("fault", FALLING)
async def test_a_fetch_outlives_what_passes(fault: str, tmp_path: Path) -> None:
    served = Served(data=DATA)
    async with Server() as server, Proxy(target=(server.host, server.port), down=FALLING[fault], spoiled=3) as proxy:
        data = await fetched(server, tmp_path, served, url=f"http://{proxy.host}:{proxy.port}/in.mov", idle_s=IDLE_S)
    assert data == DATA
    assert proxy.connections == 4


@pytest.mark.parametrize("fault", FALLING)
async def test_a_fetch_that_never_gets_through_may_be_tried_another_day(fault: str, tmp_path: Path) -> None:
    async with Server() as server, Proxy(target=(server.host, server.port), down=FALLING[fault]) as proxy:
        url = f"http://{proxy.host}:{proxy.port}/in.mov"
        with pytest.raises(errors.Transient, match=CODES.get(fault, "source_unavailable")):
            await fetched(server, tmp_path, Served(data=DATA), url=url, idle_s=IDLE_S)
    assert on_disk(tmp_path) < len(DATA)


# what befalls a package on its way: the bytes that leave, or the answers
RISING = {
    "FIN": (Way(cut_after=AT_BYTES), CLEAN),
    "RST": (Way(reset_after=AT_BYTES), CLEAN),
    "silence": (Way(hole_after=AT_BYTES), CLEAN),
    "answers lost": (CLEAN, Way(reset_after=1)),
    "answers swallowed": (CLEAN, Way(hole_after=1)),
}


@pytest.fixture
async def package(tmp_path: Path) -> Package:
    return await packaged(tmp_path / "made")


def through(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Destination:
    monkeypatch.setattr("encoder.destinations.http.ANSWER_S", IDLE_S)
    place: Place = {"kind": "http", "url": f"http://{proxy.host}:{proxy.port}/hls/"}
    return Destinations(Surroundings(web=lab_web(idle_s=IDLE_S)), stored=no_storage).make(place, KEY)


@pytest.mark.parametrize("fault", RISING)
async def test_a_package_outlives_what_passes(fault: str, package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    up, down = RISING[fault]
    async with Shelf() as shelf, Proxy(target=(shelf.host, shelf.port), up=up, down=down, spoiled=6) as proxy:
        await sending(package, through(proxy, monkeypatch)).send()
        assert shelf.objects == {f"/hls/{name}": data for name, data in made(package).items()}


@pytest.mark.parametrize("fault", ["FIN", "RST", "silence"])
async def test_a_package_that_never_gets_through_shows_no_manifest(
    fault: str, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Shelf() as shelf, Proxy(target=(shelf.host, shelf.port), up=RISING[fault][0]) as proxy:
        with pytest.raises(errors.Transient, match=r"destination_unavailable|timeout"):
            await sending(package, through(proxy, monkeypatch)).send()
        assert shelf.objects == {}
