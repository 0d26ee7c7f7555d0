"""The page of a whole run on a tiny cohort: what it holds, and how it behaves in a real browser."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from lifelog.report.words import SENTENCES, describe
from tests.workflow import Workflow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page(HTMLParser):
    """Collects what a page loads, shows and links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.images: list[dict[str, str]] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        about = dict(attrs)
        self.ids += [about["id"]] if "id" in about else []
        if tag == "img":
            self.images.append(about)
        elif tag == "a":
            self.links.append(about["href"])
        elif tag in ("script", "link", "iframe"):
            self.loads += [about[name] for name in ("src", "href") if name in about]


@pytest.fixture(scope="module")
def text(workflow: Workflow) -> str:
    return (workflow.folder / "results/report.html").read_text(encoding="utf-8")


def test_the_page_stands_alone(text: str) -> None:
    page = Page(text)
    assert all(image["src"].startswith("data:image/svg+xml;base64,") for image in page.images) and not page.loads
    assert all(link == "#" or link.removeprefix("#") in page.ids for link in page.links)
    assert len(page.ids) == len(set(page.ids)) and len(text) < 8e6
    assert "http://" not in text and "https://" not in text
    assert "<script>alert(1)" not in text and "&lt;script&gt;alert(1)" in text


def test_every_person_has_a_page_and_every_figure_its_data_in_words(text: str, workflow: Workflow) -> None:
    page = Page(text)
    assert {f"user-{user}" for user in ("101", "102", "103", "104")} < set(page.ids)
    # As many as there are files; a sentence holds a number of the figure's data.
    files = list((workflow.folder / "results").glob("**/figures/**/*.svg"))
    assert len(page.images) == len(files)
    assert all(re.search(r"\d", image["alt"]) or "feeds" in image["alt"] for image in page.images)
    results = workflow.folder / "results/tension/blocked/figures"
    alts = {image["alt"] for image in page.images}
    assert describe("comparison", pd.read_csv(results / "comparison.csv")) in alts
    assert set(SENTENCES) == {"user", *(path.stem for path in files if path.parent.name == "figures")}


def test_the_page_says_what_the_tables_say(text: str, workflow: Workflow) -> None:
    results = workflow.folder / "results/tension/blocked"
    assert json.loads((results / "verdict.json").read_text())["headline"] in text
    comparison = pd.read_csv(results / "comparison.csv")
    for value in comparison["mean"][comparison.metric == "macro_f1"]:
        assert f"{value:.3f}" in text
    recovery = json.loads((results / "recovery.json").read_text())
    assert f"{recovery['adjusted_rand_index']:.2f}" in text
    for row in pd.read_csv(results / "groups/importance.csv").itertuples():
        own = text[text.index(f'id="user-{row.user}"') :]
        assert f"Member of {row.group}" in own[: own.index("</section>")]


class Browser:
    """A page in headless Chromium: the document after a script ran in it, console messages, and requests made."""

    def __init__(self, page: Path, folder: Path) -> None:
        self.page, self.folder = page, folder

    def __call__(self, script: str = "", place: str = "", width: int = 1280) -> dict:
        """What the script returns; it runs when the page has loaded."""
        text = self.page.read_text(encoding="utf-8")
        answer = f"""<script>addEventListener("load", async () => {{ const said = await (async () => {{ {script} }})();
            document.body.dataset.said = JSON.stringify(said === undefined ? null : said); }});</script></body>"""
        copy, log = self.folder / "page.html", self.folder / "net.json"
        copy.write_text(text.replace("</body>", answer), encoding="utf-8")
        command = [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            f"--window-size={width},900",
        ]
        command += [f"--user-data-dir={self.folder / 'profile'}", f"--log-net-log={log}", "--enable-logging=stderr"]
        command += ["--virtual-time-budget=2000", "--dump-dom", f"{copy.as_uri()}{place}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        messages = re.findall(r"CONSOLE.*", done.stderr)
        # One event a line; what Chromium asks for by itself has no origin.
        asked = r'"initiator":"(?!not an origin)[^"]*".*"url":"((?:https?|wss?):[^"]*)"'
        requests = set(re.findall(asked, log.read_text(errors="replace")))
        said = re.search(r'data-said="([^"]*)"', done.stdout)
        assert said, done.stderr[-2000:]
        return {"said": json.loads(html.unescape(said[1])), "messages": messages, "requests": requests}


@pytest.fixture(scope="module")
def browser(workflow: Workflow, tmp_path_factory: pytest.TempPathFactory) -> Browser:
    if not CHROMIUM:
        pytest.skip("there is no chromium on this machine")
    return Browser(workflow.folder / "results/report.html", tmp_path_factory.mktemp("browser"))


SHOWN = """return [[...document.querySelectorAll('.page')].filter((p) => p.offsetHeight).map((p) => p.id),
    document.querySelector('nav [aria-current]').textContent, document.title];"""


@pytest.mark.parametrize(
    ("place", "page", "tab"),
    [
        ("", "overview", "Verdict"),
        ("#user-102", "user-102", "Participants"),
        ("#tension/users", "comparison", "Comparison"),
        ("#nowhere", "overview", "Verdict"),
    ],
)
def test_one_page_is_shown_at_a_time_without_error_or_request(
    browser: Browser, place: str, page: str, tab: str
) -> None:
    found = browser(SHOWN, place)
    assert found["said"][0] == [page] and found["said"][1] == tab and found["said"][2].endswith("& co")
    assert not found["messages"] and not found["requests"]


def test_what_would_be_loaded_is_refused(browser: Browser) -> None:
    found = browser(
        "const image = new Image(); image.src = 'http://example.invalid/x.png'; document.body.append(image);"
    )
    assert "Content Security Policy" in found["messages"][0] and not found["requests"]


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_nothing_is_wider_than_the_screen(browser: Browser, width: int) -> None:
    """Tables scroll in their own box."""
    script = """return [...document.querySelectorAll('.page')].filter((page) => {
        document.querySelectorAll('.page').forEach((p) => p.classList.toggle('shown', p === page));
        return document.documentElement.scrollWidth > innerWidth; }).map((page) => page.id);"""
    assert browser(script, width=width)["said"] == []


def test_tables_sort_by_number_and_by_name(browser: Browser, workflow: Workflow) -> None:
    script = """const table = document.querySelector('#comparison figure ~ .scroll table'), out = [];
        const heads = [...table.tHead.rows[0].cells], column = heads.findIndex((h) => h.textContent === 'mean');
        const button = heads[column].querySelector('button');
        for (const turn of [1, 2]) { button.click();
          const cells = [...table.tBodies[0].rows].map((row) => row.cells[column].textContent);
          out.push([heads[column].getAttribute('aria-sort'), cells]); }
        heads[0].querySelector('button').click();
        out.push([...table.tBodies[0].rows].map((r) => r.cells[0].textContent)); return out;"""
    up, down, names = browser(script, "#comparison")["said"]
    numbers = [float(value) for value in up[1]]
    assert up[0] == "ascending" and numbers == sorted(numbers) and len(set(numbers)) > 3
    assert down[0] == "descending" and [float(v) for v in down[1]] == sorted(numbers, reverse=True)
    assert names == sorted(names)


def test_days_sort_as_days(browser: Browser) -> None:
    script = """const table = document.querySelector('#cohort table');
        table.tHead.rows[0].cells[1].querySelector('button').click();
        return [...table.tBodies[0].rows].map((row) => row.cells[1].textContent);"""
    days = browser(script, "#cohort")["said"]
    assert days == sorted(days) and len(set(days)) > 1


def test_figures_and_their_data_are_files_to_take(browser: Browser, workflow: Workflow) -> None:
    script = """const links = [...document.querySelectorAll('figure .files a')], taken = {};
        addEventListener('click', (event) => {
          const link = event.target;
          if (!link.href.startsWith('data:')) return;
          event.preventDefault();
          const table = link.href.startsWith('data:text');
          taken[link.download] = table ? decodeURIComponent(link.href) : link.href.slice(0, 30); });
        links.forEach((link) => link.click());
        while (Object.keys(taken).length < links.length) await new Promise((done) => setTimeout(done, 20));
        return taken;"""
    files = browser(script)["said"]
    results = workflow.folder / "results"
    assert len(files) == 2 * len(list(results.glob("**/figures/**/*.svg")))
    for name, source in (
        ("tension-blocked-attention.csv", "tension/blocked/figures/attention.csv"),
        ("tension-blocked-user-103.csv", "tension/blocked/figures/users/103.csv"),
        ("verdict.csv", "figures/verdict.csv"),
    ):
        assert files[name] == "data:text/csv;charset=utf-8," + (results / source).read_text(encoding="utf-8")
    assert files["verdict.svg"].startswith("data:image/svg+xml;base64,")


def test_keyboard_and_screen_reader_find_their_way(browser: Browser) -> None:
    """Controls are links, buttons or summaries; headings step down one level at a time; landmarks have names."""
    script = """const all = (query) => [...document.querySelectorAll(query)];
        return { levels: all('h1, h2, h3, h4').map((h) => +h.tagName[1]), language: document.documentElement.lang,
          navs: all('nav').map((n) => n.getAttribute('aria-label')), main: all('main').length,
          dead: all('[onclick], a:not([href])').length, images: all('img:not([alt]), img[alt=""]').length,
          empty: all('th').filter((th) => !th.textContent.trim()).length };"""
    said = browser(script)["said"]
    assert all(b - a <= 1 for a, b in zip(said["levels"], said["levels"][1:], strict=False)) and said["levels"][0] == 1
    assert said["language"] == "en" and said["main"] == 1 and all(said["navs"])
    assert not said["dead"] and not said["images"] and not said["empty"]
    skip = "document.querySelector('.skip').click(); return [location.hash, document.activeElement.textContent];"
    assert browser(skip, "#user-102")["said"] == ["#user-102", "User 102"]
