"""The launcher with a false ffmpeg: every way in which a child may end, or not end."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import signal
import sys
from pathlib import Path

import pytest

from encoder import errors
from encoder.ffmpeg.child import LOG_BYTES
from encoder.ffmpeg.launcher import Exit, Launcher, Leash, Limits, Progress, Reason, Sandbox, classify
from encoder.metrics.family import text
from tests.lab.ffx import ffx, launcher_of
from tests.lab.media import clip
from tests.lab.platform import until

LIMITS = Limits(wall_seconds=60)
SECRET = "sentinel-4711"


async def _run(tmp_path: Path, *steps: str, limits: Limits = LIMITS) -> Exit:
    return await launcher_of(ffx(tmp_path, *steps)).run((), folder=tmp_path, leash=Leash(), limits=limits)


class Started:
    """A run in the background; `until_it_reports` ends with its first progress block."""

    def __init__(
        self, launcher: Launcher, folder: Path, *, leash: Leash | None = None, limits: Limits = LIMITS
    ) -> None:
        self.reported = asyncio.Event()
        self.leash = leash or Leash()
        self.task = asyncio.create_task(
            launcher.run((), folder=folder, leash=self.leash, limits=limits, on_progress=lambda _: self.reported.set())
        )

    async def until_it_reports(self) -> None:
        async with asyncio.timeout(20):
            await self.reported.wait()


def _pid(folder: Path, name: str = "note") -> int:
    return int(json.loads((folder / name).read_text())["pid"])


def _state(pid: int) -> str:
    """One letter, as /proc has it: `T` is stopped, `Z` waits to be reaped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _alive(pid: int) -> bool:
    """Whether the process runs; one that waits to be reaped does not."""
    try:
        return _state(pid) != "Z"
    except FileNotFoundError:
        return False


async def _gone(pid: int) -> None:
    """Wait for the end of a process that is no child of ours."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        async with asyncio.timeout(20):
            await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


@pytest.mark.parametrize(
    ("steps", "code", "reason", "meaning"),
    [
        (("exit 183", "say x"), 183, Reason.ERROR, "encoder_crashed"),
        (("say Error opening input: Invalid data", "exit 183"), 183, Reason.ERROR, "unsupported_format"),
        (("exit 228",), 228, Reason.ERROR, "disk_full"),
        (("say fd:: Format not on whitelist 'mov'", "exit 234"), 234, Reason.ERROR, "unsupported_format"),
        (("exit 244",), 244, Reason.ERROR, "out_of_memory"),
        (("exit 69",), 69, Reason.ERROR, "source_damaged"),
        (("exit 255",), 255, Reason.ERROR, "encoder_crashed"),
        (("say x: No space left on device", "exit 1"), 1, Reason.ERROR, "disk_full"),
        (("say x: Cannot allocate memory", "exit 1"), 1, Reason.ERROR, "out_of_memory"),
        (("signal 11",), -11, Reason.SIGNAL, "encoder_crashed"),
        (("signal 6",), -6, Reason.SIGNAL, "encoder_crashed"),
        (("signal 9",), -9, Reason.SIGNAL, "encoder_oom"),
        (("signal 25",), -25, Reason.SIGNAL, "output_too_large"),
    ],
)
async def test_each_end_is_told_and_classified(
    tmp_path: Path, steps: tuple[str, ...], code: int, reason: Reason, meaning: str
) -> None:
    """D14, M3"""
    ended = await _run(tmp_path, *steps)
    assert (ended.code, ended.reason) == (code, reason)
    assert classify(ended).code == meaning


async def test_a_good_end_tells_the_last_progress(tmp_path: Path) -> None:
    ended = await _run(tmp_path, "say hello", "progress frame=1", "end frame=2 out_time_us=2000000")
    assert (ended.code, ended.reason, ended.log, ended.ended) == (0, Reason.OK, "hello\n", True)
    assert ended.progress == Progress(frame=2, out_time_seconds=2.0)


async def test_an_end_without_the_closing_block_is_seen(tmp_path: Path) -> None:
    assert not (await _run(tmp_path, "progress frame=1")).ended


@pytest.mark.parametrize("step", [f"flood {10**9}", f"line {10**8}"])
async def test_a_flood_of_stderr_neither_blocks_nor_grows(tmp_path: Path, step: str) -> None:
    """D15"""
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = _peak_bytes()
    ended = await _run(tmp_path, step, "say the end")
    assert ended.reason is Reason.OK
    assert len(ended.log) <= LOG_BYTES
    assert ended.log.endswith("the end\n")
    assert _peak_bytes() - before < 8 * 1024**2


def _peak_bytes() -> int:
    return next(
        int(line.split()[1]) * 1024
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )


@pytest.mark.parametrize("steps", [("stall",), ("talk",), ("progress frame=1", "deaf", "stall")])
async def test_a_child_that_stands_still_is_ended(tmp_path: Path, steps: tuple[str, ...]) -> None:
    """D16"""
    ended = await _run(tmp_path, *steps, limits=Limits(wall_seconds=60, stall_seconds=1))
    assert ended.reason is Reason.STALLED
    assert classify(ended).code == "encoder_stalled"


@pytest.mark.parametrize("steps", [("spin 2.5",), ("progress frame=1", "spin 2.5")])
async def test_a_silent_child_that_works_is_left_alone(tmp_path: Path, steps: tuple[str, ...]) -> None:
    ended = await _run(tmp_path, *steps, limits=Limits(wall_seconds=60, stall_seconds=1))
    assert ended.reason is Reason.OK


async def test_a_child_that_goes_on_for_ever_meets_the_wall(tmp_path: Path) -> None:
    """D16"""
    ended = await _run(tmp_path, "advance", limits=Limits(wall_seconds=0.7, stall_seconds=60))
    assert ended.reason is Reason.WALL
    assert classify(ended).code == "deadline_exceeded"


async def test_processor_time_is_limited_and_counted_for_each_child(tmp_path: Path) -> None:
    busy, idle = tmp_path / "busy", tmp_path / "idle"
    busy.mkdir()
    idle.mkdir()
    spent, saved = await asyncio.gather(
        _run(busy, "spin 30", limits=Limits(wall_seconds=60, cpu_seconds=1)), _run(idle, "sleep 1")
    )
    assert spent.code in (-signal.SIGXCPU, -signal.SIGKILL)
    assert spent.cpu_seconds > 0.8
    assert saved.cpu_seconds < 0.5


async def test_cancelling_ends_the_child_before_it_returns(tmp_path: Path) -> None:
    run = Started(launcher_of(ffx(tmp_path, "note note", "advance")), tmp_path)
    await run.until_it_reports()
    pid = _pid(tmp_path)
    assert _alive(pid)
    run.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run.task
    assert not _alive(pid)


async def test_a_child_that_ignores_term_is_killed_with_its_whole_group(tmp_path: Path) -> None:
    """O6"""
    run = Started(launcher_of(ffx(tmp_path, "deaf", "note note", "fork", "advance")), tmp_path)
    await run.until_it_reports()
    child, grandchild = _pid(tmp_path), int((tmp_path / "grandchild").read_text())
    run.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run.task
    assert not _alive(child)
    await _gone(grandchild)


async def test_a_second_cancel_kills_at_once_and_still_waits(tmp_path: Path) -> None:
    run = Started(launcher_of(ffx(tmp_path, "deaf", "note note", "advance"), grace_s=3600), tmp_path)
    await run.until_it_reports()
    run.task.cancel()
    await asyncio.sleep(0)
    run.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run.task
    assert not _alive(_pid(tmp_path))


async def test_what_a_child_leaves_behind_in_its_group_ends_with_it(tmp_path: Path) -> None:
    ended = await _run(tmp_path, "fork", "exit 0")
    assert ended.reason is Reason.OK
    await _gone(int((tmp_path / "grandchild").read_text()))


async def test_the_leash_kills_all_children_and_lets_none_be_born(tmp_path: Path) -> None:
    leash, folders = Leash(), [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    runs = [
        Started(launcher_of(ffx(folder, "deaf", "note note", "advance")), folder, leash=leash) for folder in folders
    ]
    for run in runs:
        await run.until_it_reports()
    leash.kill()
    for run, folder in zip(runs, folders, strict=True):
        with pytest.raises(errors.LeaseLost):
            await run.task
        assert not _alive(_pid(folder))
    with pytest.raises(errors.LeaseLost):
        await launcher_of(ffx(tmp_path, "note born")).run((), folder=tmp_path, leash=leash, limits=LIMITS)
    assert not (tmp_path / "born").exists()


async def test_a_frozen_child_makes_no_step_is_not_called_stalled_and_goes_on(tmp_path: Path) -> None:
    program = launcher_of(ffx(tmp_path, "deaf", "fork", "advance"))
    run = Started(program, tmp_path, limits=Limits(wall_seconds=60, stall_seconds=1))
    await run.until_it_reports()
    run.leash.freeze()
    await asyncio.sleep(0.5)  # what was said before is heard
    run.reported.clear()
    await asyncio.sleep(2.5)
    assert not run.reported.is_set()
    assert not run.task.done()
    assert _state(int((tmp_path / "grandchild").read_text())) == "T"
    run.leash.thaw()
    await run.until_it_reports()
    run.leash.freeze()
    run.leash.kill()
    with pytest.raises(errors.LeaseLost):
        await run.task


_PARENT = """
import asyncio, sys
from pathlib import Path
from encoder.ffmpeg.launcher import Leash, Limits
from tests.lab.ffx import launcher_of
program, folder = map(Path, sys.argv[1:])
asyncio.run(launcher_of(program).run((), folder=folder, leash=Leash(), limits=Limits(wall_seconds=60)))
"""


async def test_a_child_dies_with_its_worker_though_it_is_frozen(tmp_path: Path) -> None:
    """One that runs would soon end by itself, for nobody hears it; one that stands still would stand there for ever."""
    program = ffx(tmp_path, "note note", "deaf", "advance")
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PARENT, str(program), str(tmp_path), cwd=Path(__file__).parents[2]
    )
    await until(lambda: _there(tmp_path / "note"), within_s=20)
    child = _pid(tmp_path)
    os.kill(child, signal.SIGSTOP)
    worker.kill()
    await worker.wait()
    try:
        await asyncio.wait_for(_gone(child), 10)
    finally:
        if _alive(child):
            os.kill(child, signal.SIGKILL)


async def _there(path: Path) -> bool:
    return path.exists()


async def test_a_kill_from_outside_is_counted_as_for_memory(tmp_path: Path) -> None:
    """As it is told of the job: the kernel says no more."""
    counted = _ended_for_memory()
    run = Started(launcher_of(ffx(tmp_path, "note note", "advance")), tmp_path)
    await until(lambda: _there(tmp_path / "note"), within_s=20)
    os.kill(_pid(tmp_path), signal.SIGKILL)
    assert classify(await run.task).code == "encoder_oom"
    assert _ended_for_memory() == counted + 1


def _ended_for_memory() -> float:
    found = re.search(r'^encoder_ffmpeg_exits_total\{reason="memory"\} (.+)$', text().decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_time_in_the_cold_does_not_bring_the_wall_nearer(tmp_path: Path) -> None:
    leash = Leash()
    leash.freeze()
    run = Started(launcher_of(ffx(tmp_path, "exit 0")), tmp_path, leash=leash, limits=Limits(wall_seconds=4))
    await asyncio.sleep(5)
    assert not run.task.done()  # born into the cold
    leash.thaw()
    assert (await run.task).reason is Reason.OK


async def test_nothing_is_left_open_or_unreaped(tmp_path: Path) -> None:
    launcher = launcher_of(ffx(tmp_path, "note note"))
    before = sum(1 for _ in Path("/proc/self/fd").iterdir())
    for _ in range(5):
        await launcher.run((), folder=tmp_path, leash=Leash(), limits=LIMITS, source=clip())
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) == before
    assert not Path(f"/proc/{_pid(tmp_path)}").exists()  # not even as a zombie


async def test_a_binary_that_is_not_there_is_a_failed_run(tmp_path: Path) -> None:
    ended = await Launcher(binary=tmp_path / "none").run((), folder=tmp_path, leash=Leash(), limits=LIMITS)
    assert ended.code == 120
    assert "box:" in ended.log


async def test_a_child_for_which_no_descriptor_is_left_waits_for_better_times(tmp_path: Path) -> None:
    """N5, of descriptors: the task goes back uncharged, as where no process can be forked."""
    program = launcher_of(ffx(tmp_path, "exit 0"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)  # the lowest, and there is no more
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        with pytest.raises(errors.Resource, match="can start no more processes"):
            await program.run((), folder=tmp_path, leash=Leash(), limits=LIMITS)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (await program.run((), folder=tmp_path, leash=Leash(), limits=LIMITS)).code == 0


async def test_a_child_knows_six_names_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F9"""
    for name in ("AWS_SECRET_ACCESS_KEY", "ENCODER_DATABASE_URL", "FFREPORT", "PATH", "LD_LIBRARY_PATH"):
        monkeypatch.setenv(name, SECRET)
    await _run(tmp_path, "note note")
    note = json.loads((tmp_path / "note").read_text())
    named = {"FONTCONFIG_FILE", "HOME", "LANG", "TMPDIR", "TZ", "XDG_DATA_HOME"}
    assert set(note["environment"]) - {"LC_CTYPE"} == named  # Python may add its own
    assert SECRET not in json.dumps(note)


async def test_a_source_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """G4 of security.md"""
    link = tmp_path / "source"
    link.symlink_to(clip())
    launcher = launcher_of(ffx(tmp_path, "note born"))
    with pytest.raises(errors.Defect):
        await launcher.run((), folder=tmp_path, leash=Leash(), limits=LIMITS, source=link)
    assert not (tmp_path / "born").exists()


PARENT = """
import asyncio, sys
from pathlib import Path
from encoder.ffmpeg.launcher import Launcher, Leash, Limits

async def main():
    launcher = Launcher(binary=Path(sys.argv[1]), readable=[Path(sys.prefix), Path(sys.base_prefix)])
    tell = lambda _: print("running", flush=True)
    folder = Path(sys.argv[2])
    await launcher.run((), folder=folder, leash=Leash(), limits=Limits(wall_seconds=60), on_progress=tell)

asyncio.run(main())
"""


async def test_a_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    program = ffx(tmp_path, "deaf", "note note", "advance")
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(program), str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    assert await parent.stdout.readline() == b"running\n"
    child = _pid(tmp_path)
    assert _alive(child)
    parent.kill()
    await parent.communicate()
    await _gone(child)


def test_a_required_sandbox_that_is_not_there_refuses_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Q5"""
    monkeypatch.setattr("encoder.ffmpeg.box.landlock_abi", lambda: 0)
    with pytest.raises(errors.Unfit):
        Launcher(binary=tmp_path, sandbox=Sandbox.REQUIRED)
    assert not Launcher(binary=tmp_path, sandbox=Sandbox.AUTO).layers.landlock_fs
