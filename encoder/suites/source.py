"""What every source does. A module inherits `SourceSuite` and gives it a bench with one source of its kind."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

import pytest

from encoder import errors
from encoder.sources.protocol import Source
from encoder.suites.cargo import noise, read

DATA = noise(3 * 1024 * 1024 + 17)
CHANGED = noise(2 * 1024 * 1024, seed=2)


class SourceBench(Protocol):
    """One source over something that the suite may change. Kinds that cannot change or go missing raise `skip`."""

    name: str  # what the source calls its file

    async def source(self, data: bytes) -> Source:
        """A source of these bytes."""

    async def change(self, data: bytes) -> None:
        """From now on the same source has other bytes."""

    async def remove(self) -> None:
        """From now on the source is not there."""


class SourceSuite:
    @pytest.fixture
    @abstractmethod
    def bench(self) -> SourceBench: ...

    async def test_it_gives_every_byte_in_order_and_says_what_they_are(self, bench: SourceBench) -> None:
        incoming, data = await read(await bench.source(DATA))
        assert data == DATA
        assert (incoming.offset, incoming.size_bytes, incoming.file_name) == (0, len(DATA), bench.name)
        assert incoming.validator

    async def test_its_chunks_are_at_most_a_mebibyte(self, bench: SourceBench) -> None:
        async with (await bench.source(DATA)).open() as incoming:
            sizes = [len(chunk) async for chunk in incoming.chunks]
        assert max(sizes) <= 1024 * 1024
        assert min(sizes) > 0

    @pytest.mark.parametrize("offset", [1, 1024 * 1024, len(DATA) - 1])
    async def test_it_goes_on_in_the_middle_of_the_same_version(self, bench: SourceBench, offset: int) -> None:
        source = await bench.source(DATA)
        first, _ = await read(source)
        incoming, data = await read(source, offset=offset, validator=first.validator)
        assert (incoming.offset, incoming.size_bytes, incoming.validator) == (offset, len(DATA), first.validator)
        assert data == DATA[offset:]

    async def test_it_starts_again_when_the_bytes_have_changed(self, bench: SourceBench) -> None:
        source = await bench.source(DATA)
        first, _ = await read(source)
        await bench.change(CHANGED)
        incoming, data = await read(source, offset=1000, validator=first.validator)
        assert (incoming.offset, incoming.size_bytes) == (0, len(CHANGED))
        assert incoming.validator != first.validator
        assert data == CHANGED

    @pytest.mark.parametrize("validator", [None, "unheard of", '"unheard of"'])
    async def test_it_starts_again_for_a_version_that_it_does_not_know(
        self, bench: SourceBench, validator: str | None
    ) -> None:
        incoming, data = await read(await bench.source(DATA), offset=1000, validator=validator)
        assert (incoming.offset, data) == (0, DATA)

    async def test_it_may_be_left_in_the_middle_and_opened_again(self, bench: SourceBench) -> None:
        source = await bench.source(DATA)
        async with source.open() as incoming:
            await anext(incoming.chunks)
        _, data = await read(source)
        assert data == DATA

    async def test_what_the_reader_raises_is_left_as_it_is(self, bench: SourceBench) -> None:
        full = OSError(28, "No space left on device")
        with pytest.raises(OSError, match="No space left") as raised:
            async with (await bench.source(DATA)).open():
                raise full
        assert raised.value is full

    async def test_a_source_that_is_not_there_fails_for_good(self, bench: SourceBench) -> None:
        source = await bench.source(DATA)
        await bench.remove()
        with pytest.raises(errors.Permanent, match="source_not_found"):
            await read(source)
