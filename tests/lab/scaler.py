"""What an autoscaler asks of the database, as it does: with the text of our file, as a role that may read no more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Literal

from tests.lab.platform import REPOSITORY

Engine = Literal["postgres", "mysql"]
ROLE = "encoder_scaler"
_PAGE = REPOSITORY / "docs" / "operate" / "autoscaling.md"


def question(engine: Engine, queue: str) -> str:
    """The text of the file, its value put in, as a manifest has it."""
    text = files("encoder.store").joinpath("sql", engine, "wanted_slots.sql").read_text(encoding="utf-8")
    return re.sub(r"^--.*\n", "", text, flags=re.MULTILINE).replace("$1", f"'{queue}'").strip().removesuffix(";")


def grants(engine: Engine) -> Sequence[str]:
    """The statements by which the documentation makes the role."""
    title = {"postgres": "PostgreSQL", "mysql": "MySQL and MariaDB"}[engine]
    section = _PAGE.read_text(encoding="utf-8").split(f"### {title}\n")[1].split("\n#")[0]
    block = section.split("```\n")[1].split("```")[0]
    return [statement.strip() for statement in block.split(";\n") if statement.strip()]
