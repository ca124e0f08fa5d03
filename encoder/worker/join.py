"""Chunks joined to the outputs that they are of: the ordinary run, with the picture copied out of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace as changed
from pathlib import Path

from encoder import errors
from encoder.ffmpeg import chunks, command, joint
from encoder.files.threads import in_thread
from encoder.log import get_logger
from encoder.model.base import replace
from encoder.model.chunk import ChunkMade
from encoder.model.media import Media
from encoder.model.plan import Joint, Pass, Plan
from encoder.worker.context import Fetched, Made, Run
from encoder.worker.encode import Encode, unwritten

log = get_logger(__name__)


class Join:
    """Joins what `EncodeChunk` made, on one worker or on many."""

    def __init__(self, encode: Encode) -> None:
        self._encode = encode

    async def __call__(
        self,
        run: Run,
        source: Fetched,
        media: Media,
        plan: Plan,
        one_pass: Pass,
        made: Sequence[ChunkMade],
        folder: Path,
    ) -> list[Made]:
        """The outputs of `one_pass`, of `made`, whose files lie in `folder`, that of the run or one below it.

        What does not fit is encoded once more, in one piece: chunks that are missing, are not one after the other, or
        need decoders that are set up differently.

        Raises:
            errors.Resource: the machine lacks something; no output is to blame.
        """
        chosen = {number: joint.of_output(number, made) for number in one_pass.outputs}
        faults = {
            number: joint.fault(plan.output(number), mine) or await in_thread(_lack, number, mine, folder)
            for number, mine in chosen.items()
        }
        good = tuple(number for number, why in faults.items() if why is None)
        results: list[Made] = []
        if good:
            results += await self._joined(run, source, media, plan, replace(one_pass, outputs=good), chosen, folder)
        for number, why in faults.items():
            if why is not None:
                results += await self._encode.whole(run, source, plan, number, why)
        return results

    async def _joined(
        self,
        run: Run,
        source: Fetched,
        media: Media,
        plan: Plan,
        one_pass: Pass,
        chosen: Mapping[int, Sequence[ChunkMade]],
        folder: Path,
    ) -> list[Made]:
        """Together; where that fails, one by one; where that does, in one piece."""
        joints = await in_thread(_listed, plan, one_pass, chosen, folder, run.folder)
        try:
            results = await self._encode.joined(run, source, plan, replace(one_pass, joints=joints))
        except errors.OF_THE_JOB as failure:
            numbers = one_pass.outputs
            if len(numbers) == 1:
                return await self._encode.whole(run, source, plan, numbers[0], failure.message)
            log.warning("join.pass_split", job=run.job.id, code=failure.code, outputs=len(numbers))
            alone = [replace(one_pass, outputs=(number,)) for number in numbers]
            parted = [await self._joined(run, source, media, plan, each, chosen, folder) for each in alone]
            return [each for some in parted for each in some]
        return [_told(run, media, plan, each, chosen[each.output]) for each in results]


def _lack(output: int, made: Sequence[ChunkMade], folder: Path) -> str | None:
    """What of an output's chunks is not there, or not as it was made; None: nothing. Blocks.

    ffmpeg takes the first file that it cannot open for the end of the list.
    """
    for each in made:
        for file in each.files:
            path = folder / joint.file_name(each.chunk, file.output, file.name)
            if file.output == output and not (path.is_file() and path.stat().st_size == file.size_bytes):
                return f"Chunk {each.chunk.place} is not there."
    return None


def _listed(
    plan: Plan, one_pass: Pass, chosen: Mapping[int, Sequence[ChunkMade]], folder: Path, home: Path
) -> tuple[Joint, ...]:
    """The lists of all pictures, written beside their chunks. Blocks."""
    below = folder.relative_to(home).as_posix().removeprefix(".")
    joints = []
    for number in one_pass.outputs:
        for stream in joint.drawn(plan.output(number)):
            joints.append(joint.joint(stream, chosen[number], below))
            (home / joints[-1].script).write_text(joint.script(stream, chosen[number]), "utf-8")
    return tuple(joints)


def _told(run: Run, media: Media, plan: Plan, made: Made, chunks_made: Sequence[ChunkMade]) -> Made:
    """With what its chunks took, and what is known of them; of their commands the first stands for all."""
    files = {key: number for number, key in enumerate(chunks.streams(plan, chunks_made[0].chunk))}
    pieces, one_pass = chunks.part(plan, media, chunks_made[0].chunk)
    paths = {number: run.folder / joint.file_name(chunks_made[0].chunk, *key) for key, number in files.items()}
    shown = command.shown(command.build(pieces, one_pass, files=paths), run.folder)
    letters = "".join(dict.fromkeys("".join(each.letters for each in chunks_made)))
    return changed(
        made,
        parts=joint.parts(made.plan, chunks_made),
        command=(*shown, "&&", *made.command),
        seconds=made.seconds + sum(each.seconds for each in chunks_made),
        cpu_seconds=made.cpu_seconds + sum(each.cpu_seconds / len(each.chunk.outputs) for each in chunks_made),
        notes=(*made.notes, *unwritten(run.folder, made.plan, letters)),
    )
