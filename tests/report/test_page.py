"""The report page of a whole run on a tiny cohort: its content, and its behaviour in a real browser."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from lifelog.report.catalogue import figures_of
from lifelog.report.words import SENTENCES, describe
from tests.workflow import Workflow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page(HTMLParser):
    """Collect the images, links, ids and loaded resources of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.images: list[dict[str, str]] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        attributes = dict(attrs)
        self.ids += [attributes["id"]] if "id" in attributes else []
        if tag == "img":
            self.images.append(attributes)
        elif tag == "a":
            self.links.append(attributes["href"])
        elif tag in ("script", "link", "iframe"):
            self.loads += [attributes[name] for name in ("src", "href") if name in attributes]


@pytest.fixture(scope="module")
def text(workflow: Workflow) -> str:
    return (workflow.folder / "results/report.html").read_text(encoding="utf-8")


def test_the_page_is_self_contained(text: str) -> None:
    page = Page(text)
    assert all(image["src"].startswith("data:image/svg+xml;base64,") for image in page.images) and not page.loads
    assert all(link == "#" or link.removeprefix("#") in page.ids for link in page.links)
    assert len(page.ids) == len(set(page.ids)) and len(text) < 8e6
    assert "http://" not in text and "https://" not in text
    assert "<script>alert(1)" not in text and "&lt;script&gt;alert(1)" in text


def test_every_user_has_a_page_and_every_figure_a_description(text: str, workflow: Workflow) -> None:
    page = Page(text)
    assert {f"user-{user}" for user in ("101", "102", "103", "104")} < set(page.ids)
    # One image per file; each description has a number of the figure's data.
    files = list((workflow.folder / "results").glob("**/figures/**/*.svg"))
    assert len(page.images) == len(files)
    assert all(re.search(r"\d", image["alt"]) or "feeds" in image["alt"] for image in page.images)
    results = workflow.folder / "results/tension/blocked/figures"
    alts = {image["alt"] for image in page.images}
    assert describe("comparison", pd.read_csv(results / "comparison.csv")) in alts
    of_users = set(figures_of("user"))
    assert set(SENTENCES) == of_users | {path.stem for path in files if path.parent.name == "figures"}


def test_the_page_shows_the_values_of_the_tables(text: str, workflow: Workflow) -> None:
    results = workflow.folder / "results/tension/blocked"
    assert json.loads((results / "verdict.json").read_text())["headline"] in text
    comparison = pd.read_csv(results / "comparison.csv")
    for value in comparison["mean"][comparison.metric == "macro_f1"]:
        assert f"{value:.3f}" in text
    recovery = json.loads((results / "recovery.json").read_text())
    assert f"{recovery['adjusted_rand_index']:.2f}" in text
    groups = pd.read_csv(results / "groups/importance.csv")
    for row in groups[groups.fold.isna()].itertuples():
        own = text[text.index(f'id="user-{row.user}"') :]
        assert f"Member of {row.group}" in own[: own.index("</section>")]


class Browser:
    """Load a page in headless Chromium, run a script in it, and return its result, console messages and requests."""

    def __init__(self, page: Path, folder: Path) -> None:
        self.page, self.folder = page, folder

    def __call__(self, script: str = "", fragment: str = "", width: int = 1280) -> dict:
        """Run the script when the page has loaded; return its result, console messages and requests."""
        text = self.page.read_text(encoding="utf-8")
        injected = f"""<script>addEventListener("load", async () => {{
            const result = await (async () => {{ {script} }})();
            document.body.dataset.result = JSON.stringify(result === undefined ? null : result); }});</script></body>"""
        copy, log = self.folder / "page.html", self.folder / "net.json"
        copy.write_text(text.replace("</body>", injected), encoding="utf-8")
        command = [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            f"--window-size={width},900",
        ]
        command += [f"--user-data-dir={self.folder / 'profile'}", f"--log-net-log={log}", "--enable-logging=stderr"]
        command += ["--virtual-time-budget=2000", "--dump-dom", f"{copy.as_uri()}{fragment}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        messages = re.findall(r"CONSOLE.*", done.stderr)
        # One event per line; Chromium's own requests have no origin.
        pattern = r'"initiator":"(?!not an origin)[^"]*".*"url":"((?:https?|wss?):[^"]*)"'
        requests = set(re.findall(pattern, log.read_text(errors="replace")))
        result = re.search(r'data-result="([^"]*)"', done.stdout)
        assert result, done.stderr[-2000:]
        return {"result": json.loads(html.unescape(result[1])), "messages": messages, "requests": requests}


@pytest.fixture(scope="module")
def browser(workflow: Workflow, tmp_path_factory: pytest.TempPathFactory) -> Browser:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed")
    return Browser(workflow.folder / "results/report.html", tmp_path_factory.mktemp("browser"))


VISIBLE_PAGES = """return [[...document.querySelectorAll('.page')].filter((p) => p.offsetHeight).map((p) => p.id),
    document.querySelector('nav [aria-current]').textContent, document.title];"""


@pytest.mark.parametrize(
    ("fragment", "page", "tab"),
    [
        ("", "overview", "Verdict"),
        ("#user-102", "user-102", "Participants"),
        ("#term-auroc", "glossary", "Glossary"),
        ("#tension/random", "comparison", "Comparison"),
        ("#nowhere", "overview", "Verdict"),
    ],
)
def test_one_page_is_shown_at_a_time_without_error_or_request(
    browser: Browser, fragment: str, page: str, tab: str
) -> None:
    output = browser(VISIBLE_PAGES, fragment)
    assert output["result"][0] == [page] and output["result"][1] == tab and output["result"][2].endswith("& co")
    assert not output["messages"] and not output["requests"]


def test_loading_an_external_resource_is_blocked(browser: Browser) -> None:
    output = browser(
        "const image = new Image(); image.src = 'http://example.invalid/x.png'; document.body.append(image);"
    )
    assert "Content Security Policy" in output["messages"][0] and not output["requests"]


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_nothing_is_wider_than_the_screen(browser: Browser, width: int) -> None:
    """Tables scroll in their own box."""
    script = """return [...document.querySelectorAll('.page')].filter((page) => {
        document.querySelectorAll('.page').forEach((p) => p.classList.toggle('shown', p === page));
        return document.documentElement.scrollWidth > innerWidth; }).map((page) => page.id);"""
    assert browser(script, width=width)["result"] == []


def test_tables_sort_by_number_and_by_name(browser: Browser, workflow: Workflow) -> None:
    script = """const table = document.querySelector('#comparison figure ~ .scroll table'), out = [];
        const headers = [...table.tHead.rows[0].cells], column = headers.findIndex((h) => h.textContent === 'mean');
        const button = headers[column].querySelector('button');
        for (const click of [1, 2]) { button.click();
          const cells = [...table.tBodies[0].rows].map((row) => row.cells[column].textContent);
          out.push([headers[column].getAttribute('aria-sort'), cells]); }
        headers[0].querySelector('button').click();
        out.push([...table.tBodies[0].rows].map((r) => r.cells[0].textContent)); return out;"""
    up, down, names = browser(script, "#comparison")["result"]
    numbers = [float(value) for value in up[1]]
    assert up[0] == "ascending" and numbers == sorted(numbers) and len(set(numbers)) > 3
    assert down[0] == "descending" and [float(v) for v in down[1]] == sorted(numbers, reverse=True)
    assert names == sorted(names)


def test_days_sort_chronologically(browser: Browser) -> None:
    script = """const table = document.querySelector('#cohort table');
        table.tHead.rows[0].cells[1].querySelector('button').click();
        return [...table.tBodies[0].rows].map((row) => row.cells[1].textContent);"""
    days = browser(script, "#cohort")["result"]
    assert days == sorted(days) and len(set(days)) > 1


def test_figures_and_their_data_can_be_downloaded(browser: Browser, workflow: Workflow) -> None:
    script = """const links = [...document.querySelectorAll('figure .files a')], downloads = {};
        addEventListener('click', (event) => {
          const link = event.target;
          if (!link.href.startsWith('data:')) return;
          event.preventDefault();
          const table = link.href.startsWith('data:text');
          downloads[link.download] = table ? decodeURIComponent(link.href) : link.href.slice(0, 30); });
        links.forEach((link) => link.click());
        while (Object.keys(downloads).length < links.length) await new Promise((done) => setTimeout(done, 20));
        return downloads;"""
    files = browser(script)["result"]
    results = workflow.folder / "results"
    assert len(files) == 2 * len(list(results.glob("**/figures/**/*.svg")))
    for name, source in (
        ("tension-blocked-attention.csv", "tension/blocked/figures/attention.csv"),
        ("tension-blocked-users-103.csv", "tension/blocked/figures/users/103.csv"),
        ("verdict.csv", "figures/verdict.csv"),
    ):
        assert files[name] == "data:text/csv;charset=utf-8," + (results / source).read_text(encoding="utf-8")
    assert files["verdict.svg"].startswith("data:image/svg+xml;base64,")


def test_the_page_is_accessible_by_keyboard_and_screen_reader(browser: Browser) -> None:
    """Controls are links, buttons or summaries; headings step down one level at a time; landmarks have names."""
    script = """const all = (query) => [...document.querySelectorAll(query)];
        return { levels: all('h1, h2, h3, h4').map((h) => +h.tagName[1]), language: document.documentElement.lang,
          navs: all('nav').map((n) => n.getAttribute('aria-label')), main: all('main').length,
          dead: all('[onclick], a:not([href])').length, images: all('img:not([alt]), img[alt=""]').length,
          empty: all('th').filter((th) => !th.textContent.trim()).length };"""
    result = browser(script)["result"]
    levels = result["levels"]
    assert all(b - a <= 1 for a, b in pairwise(levels)) and levels[0] == 1
    assert result["language"] == "en" and result["main"] == 1 and all(result["navs"])
    assert not result["dead"] and not result["images"] and not result["empty"]
    skip = "document.querySelector('.skip').click(); return [location.hash, document.activeElement.textContent];"
    assert browser(skip, "#user-102")["result"] == ["#user-102", "Participant 102"]
