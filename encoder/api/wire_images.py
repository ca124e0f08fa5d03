"""Several moments of a source as images, in the job language."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from encoder.api.wire_types import ABSENT, WHOLE, OneOf, Wire, form
from encoder.ffmpeg import rules, rules_images
from encoder.model.base import Json

_SIDE = Field(ge=rules_images.SHEET_SIDES[0], le=rules_images.SHEET_SIDES[-1])


class Sheet(Wire):
    """How many pictures stand on one sheet; what is not said follows from their size."""

    columns: Annotated[int, _SIDE, WHOLE] = ABSENT
    rows: Annotated[int, _SIDE, WHOLE] = ABSENT


def _kind_of_sprite(value: object) -> str:
    return "sheet" if isinstance(value, dict | Sheet) else "bool"


class Thumbnails(Wire):
    """Pictures of several moments, in a folder: every so many seconds from 0 on, so many in all, or at these."""

    every: Annotated[float, Field(ge=rules_images.EVERY_SECONDS[0], le=rules_images.EVERY_SECONDS[1])] = ABSENT
    count: Annotated[int, Field(ge=1, le=rules_images.MOST_COUNT), WHOLE] = ABSENT
    at: Annotated[
        list[Annotated[float, Field(ge=0, le=rules_images.LONGEST_SECONDS)]],
        Field(min_length=1, max_length=rules_images.MOST_MOMENTS),
    ] = ABSENT
    width: Annotated[int, Field(ge=rules.SIDES_PX[0], le=rules.SIDES_PX[-1]), WHOLE] = ABSENT
    format: Annotated[str, OneOf(*rules_images.FORMATS)] = ABSENT
    sprite: Annotated[
        Annotated[bool, Tag("bool")] | Annotated[Sheet, Tag("sheet")],
        Discriminator(_kind_of_sprite),
    ] = ABSENT
    vtt: bool = ABSENT
    names: Annotated[
        str,
        *form(f"^{rules_images.NAMES}$", 'must be letters, digits and any of `_.-` around `{index}`: "thumb-{index}"'),
    ] = ABSENT

    def members(self) -> dict[str, Json]:
        """As the record has them."""
        sent: dict[str, Any] = self.sent()
        if isinstance(self.sprite, Sheet):
            sent["sprite"] = self.sprite.sent()
        return sent
