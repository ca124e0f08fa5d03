"""A new job as a visitor makes it: a file over a bad line, what would be made of it, what is wrong, and the job."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, CDPSession, Locator, Page, expect

from tests.lab import media
from tests.lab.axe import axe
from tests.lab.browser import MARKS, THEMES, look, sideways_px, tab
from tests.lab.gate import HOST, Gate
from tests.lab.showcase import MARKUP, Showcase

pytestmark = MARKS
PATH = "/ui/jobs/new"
JOB = re.compile(r"/ui/jobs/\d+$")
SLOW = 250_000  # bytes a second: three seconds for the file
CUT = ["net::ERR_CONNECTION", "net::ERR_EMPTY_RESPONSE", "net::ERR_SOCKET"]


@pytest.fixture
def phone() -> Path:
    """A video of a phone, lying on its side: 0.7 MB."""
    return media.public_clip("iphone_hevc_rot90.mov")


class Line:
    """What a tab has of a network."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    @classmethod
    async def of(cls, page: Page) -> Line:
        session = await page.context.new_cdp_session(page)
        await session.send("Network.enable")
        return cls(session)

    async def be(self, *, upload_bytes_s: int = -1) -> None:
        rates = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": upload_bytes_s}
        await self._session.send("Network.emulateNetworkConditions", {"offline": False, **rates})


def offsets(page: Page) -> list[int]:
    """Where each piece that is sent from now on begins."""
    seen: list[int] = []
    page.on(
        "request", lambda asked: seen.append(int(asked.headers["upload-offset"])) if asked.method == "PATCH" else None
    )
    return seen


def bar(page: Page) -> Locator:
    return page.get_by_role("progressbar", name="Upload")


def field(page: Page, name: str) -> Locator:
    return page.locator(f'[name="{name}"]')


async def percent(page: Page) -> int:
    return int(await bar(page).get_attribute("aria-valuenow") or 0)


async def at_least(page: Page, percents: int) -> list[int]:
    """All that the bar has shown until then."""
    seen = [await percent(page)]
    while seen[-1] < percents:
        await asyncio.sleep(0.05)
        seen.append(await percent(page))
    return seen


async def test_a_file_goes_on_after_a_cut_and_becomes_the_job_that_was_foreseen(
    browser: Browser, shown: Showcase, phone: Path
) -> None:
    """The bar moves; what had come before the cut is not sent again; the dry run comes by itself."""
    async with Gate(target=shown.url) as gate, tab(browser, f"http://{HOST}:{gate.port}", borne=CUT) as page:
        await page.goto("/")
        await page.get_by_role("link", name="New job").click()
        sent, line = offsets(page), await Line.of(page)
        await line.be(upload_bytes_s=SLOW)
        await page.get_by_label("Drop a file here").set_input_files(phone)
        seen = await at_least(page, 30)
        assert len(set(seen)) > 3
        gate.refuse()
        await expect(page.get_by_text("The connection is broken; it is tried again.")).to_be_visible()
        gate.admit()
        await page.get_by_role("button", name="Submit").click()
        await expect(page.get_by_text("The job is submitted as soon as the file is here.")).to_be_visible()
        await page.wait_for_url(JOB)
    assert sent[0] == 0
    assert sent[-1] > 0.2 * phone.stat().st_size
    job_id = int(page.url.rpartition("/")[2])
    told = await shown.platform.ended(job_id)
    assert (told["status"], told["name"], told["outputs"][0]["width"]) == ("completed", phone.name, 720)


async def test_a_file_goes_on_after_it_was_stopped_and_after_the_page_was_loaded_again(
    browser: Browser, shown: Showcase, phone: Path
) -> None:
    async with tab(browser, shown.url) as page:
        await page.goto(PATH)
        sent, line = offsets(page), await Line.of(page)
        await line.be(upload_bytes_s=SLOW)
        await page.get_by_label("Drop a file here").set_input_files(phone)
        await at_least(page, 20)
        await page.get_by_role("button", name="Stop").click()
        await page.get_by_role("button", name="Go on").click()
        await at_least(page, 40)
        await page.get_by_role("button", name="Stop").click()
        await page.reload()
        await expect(page.get_by_text(f"A part of {phone.name} is here. Choose it again to go on.")).to_be_visible()
        await line.be()
        await page.get_by_label("Drop a file here").set_input_files(phone)
        await expect(page.get_by_text(f"{phone.name}, 711 kB, is here.")).to_be_visible()
        await expect(page.get_by_role("heading", name="Dry run")).to_be_visible()
        await expect(page.locator("#result p.text-warn:not([data-stale])")).to_contain_text(
            "Recorded at 90°; turned upright."
        )
        await page.reload()
        await expect(page.get_by_text(phone.name)).to_be_visible()
    assert sent[0] == 0
    assert 0 < sent[1] < sent[2]


async def test_what_is_wrong_is_shown_at_its_field_and_nothing_that_was_written_goes(
    browser: Browser, shown: Showcase
) -> None:
    """H7, 3.3.1, 3.3.7: what is secret stays in its field and stands nowhere else in the page, nor in the command."""
    async with tab(browser, shown.url, borne=["status of 422"]) as page:
        await page.goto(PATH)
        await page.get_by_label("S3", exact=True).check()
        secret = field(page, "/source:s3/access_key_secret")
        await secret.fill("S3NTINEL")
        await field(page, "/source:s3/access_key_id").fill("AKIA")
        await field(page, "/source:s3/path").fill("in.mov")
        await page.get_by_role("button", name="Another output").click()
        second = page.get_by_role("group", name="Output 2")
        await second.locator("summary").click()
        await second.get_by_label("Height").fill("tall")
        await page.get_by_label("Tags").fill(MARKUP)
        await page.get_by_role("button", name="Dry run").click()
        await expect(page.get_by_role("alert").first).to_be_focused()
        await expect(page.get_by_role("alert").first).to_contain_text("2 things are to be mended")
        height = second.get_by_label("Height")
        await expect(height).to_have_attribute("aria-invalid", "true")
        await expect(height).to_have_accessible_description("Must be a whole number.")
        await page.get_by_role("link", name="Source: Bucket").click()
        await expect(field(page, "/source:s3/bucket")).to_be_focused()
        await page.keyboard.type("my-bucket")
        await height.fill("360")
        await page.get_by_role("button", name="As curl").click()
        await expect(page.locator("#curl")).to_contain_text(
            '"access_key_secret": "$(_json "$SOURCE_ACCESS_KEY_SECRET")"'
        )
        await expect(height).not_to_have_attribute("aria-invalid", "true")
        await expect(secret).to_have_value("S3NTINEL")
        await expect(page.get_by_label("Tags")).to_have_value(MARKUP)
        assert "S3NTINEL" not in await page.content()
        await page.get_by_role("group", name="Output 1").get_by_role("button", name="Remove").click()
        await expect(page.get_by_role("group", name="Output 1").get_by_label("Height")).to_have_value("360")


async def test_a_file_may_be_dropped_and_is_told_when_it_is_none(browser: Browser, shown: Showcase) -> None:
    """H1: its name is text."""
    async with tab(browser, shown.url, borne=["status of 422"]) as page:
        await page.goto(PATH)
        await page.evaluate(
            """(name) => {
              const dropped = new DataTransfer();
              dropped.items.add(new File(["no video"], `${name}.mp4`));
              const event = { bubbles: true, cancelable: true, dataTransfer: dropped };
              document.querySelector("[data-drop]").dispatchEvent(new DragEvent("drop", event));
            }""",
            MARKUP,
        )
        await expect(page.get_by_text(f"{MARKUP}.mp4, 8 B, is here.")).to_be_visible()
        await expect(page.locator("#wrong h2")).to_be_visible()
        await expect(page.locator("#wrong")).to_contain_text("What to do")
        await page.get_by_label("Drop a file here").set_input_files({"name": "a.exe", "mimeType": "", "buffer": b"x"})
        await expect(page.get_by_text("must end in one of .mp4, .mov")).to_be_visible()


async def test_without_scripts_a_file_becomes_a_job_too(browser: Browser, shown: Showcase, phone: Path) -> None:
    async with tab(browser, shown.url, java_script_enabled=False) as page:
        await page.goto(PATH)
        await page.get_by_label("Drop a file here").set_input_files(phone)
        await page.get_by_role("button", name="Upload").click()
        await expect(page.get_by_text(phone.name)).to_be_visible()
        await page.locator("summary", has_text="Fields").click()
        await page.get_by_label("Height").fill("90")
        await page.get_by_role("button", name="Dry run").click()
        await expect(page.locator("#result p.text-warn:not([data-stale])")).to_contain_text(
            "Recorded at 90°; turned upright."
        )
        await page.get_by_role("button", name="Submit").click()
        await page.wait_for_url(JOB)
        told = await shown.platform.job(int(page.url.rpartition("/")[2]))
    assert (told["name"], told["outputs"][0]["spec"]["height"]) == (phone.name, 90)


async def test_the_form_has_nothing_serious_against_it_in_any_state(
    browser: Browser, shown: Showcase, axe_core: Path
) -> None:
    """WCAG 2.2 AA, as far as a program sees it: with faults, with a dry run, with every field of every kind."""
    async with tab(browser, shown.url, borne=["status of 422"]) as page:
        await page.goto(f"{PATH}?from={shown.jobs['long']}")
        for summary in await page.locator("summary", has_text="Fields").all():
            await summary.click()
        await page.get_by_role("button", name="Dry run").click()
        await expect(page.get_by_role("heading", name="Dry run")).to_be_visible()
        for theme, width in zip(THEMES, (1440, 360), strict=True):
            await look(page, width=width, theme=theme)
            assert await sideways_px(page) == 0
            assert await axe(page, axe_core) == []
        for kind in ("FTP or SFTP", "As JSON"):
            await page.get_by_label(kind, exact=True).check()
            await page.get_by_role("button", name="Dry run").click()
            await expect(page.locator("#wrong")).to_be_visible()
            assert await axe(page, axe_core) == []
