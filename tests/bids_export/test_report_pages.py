"""The pages: verdict first, whole in themselves, and never silent about simulation."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bids_export.report import from_run, measures, output, page, session_page
from bids_export.report.facts import Facts
from bids_export.report.style import Looks
from protocol.folder import Person
from tests.bids_export import lab

STUDY = lab.STUDY.replace("[eeg]", "[eeg]\nline_freq = 50")


class Asked(HTMLParser):
    """Collects what a browser would fetch; a link to click on is no request."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            fetched = name in ("src", "srcset", "data", "poster") or (name.endswith("href") and tag != "a")
            if fetched and value and not value.startswith(("data:", "#")):
                self.found.append(f"{tag} {name}={value[:60]}")
            if name == "style" and value:
                self.found += urls(value)

    def handle_data(self, data: str) -> None:
        if self.get_starttag_text() == "<style>":
            self.found += urls(data)


def urls(css: str) -> list[str]:
    """Return what CSS would fetch."""
    return [
        url for url in re.findall(r"""(?:url\(\s*|@import\s+)["']?([^"')\s]+)""", css) if not url.startswith(("data:", "#"))
    ]


def requests_of(html: str) -> list[str]:
    asked = Asked()
    asked.feed(html)
    return asked.found


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    who = lab.Who(simulated=True, person=Person(age_y=25, sex="F", handedness="R"))
    truth = lab.Truth(lost=((1000, 100),))
    return from_run.load(lab.record(tmp_path_factory.mktemp("lab") / "data", truth, who, text=STUDY).path)


@pytest.fixture(scope="module")
def html(facts: Facts, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = output.write(tmp_path_factory.mktemp("out") / "reports", facts, measures.measure(facts))
    assert path.name == "sub-01_ses-01_task-emotion_run-01_report.html"
    assert [p.name for p in path.parent.iterdir() if p.suffix not in (".html", ".json")] == []
    return path.read_text(encoding="utf-8")


def test_a_page_asks_nobody_for_anything(html: str) -> None:
    assert requests_of(html) == []


def test_the_check_on_requests_finds_each_kind() -> None:
    planted = (
        '<img src="http://x/a.png"><link rel="stylesheet" href="https://x/a.css"><script src="//x/a.js"></script>'
        '<style>@import "https://x/b.css"; p { background: url(http://x/b.png) }</style><a href="https://x">link</a>'
    )
    assert len(requests_of(planted)) == 5


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
@pytest.mark.live
def test_chromium_asks_for_the_page_and_for_nothing_else_and_prints_it(html: str, tmp_path: Path) -> None:
    page, planted = tmp_path / "page.html", tmp_path / "planted.html"
    page.write_text(html, encoding="utf-8")
    planted.write_text(html.replace("</body>", '<img src="http://127.0.0.1:9/planted.png"></body>'), encoding="utf-8")
    assert browsed(page, tmp_path / "page.pdf") == set()
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    assert browsed(planted, tmp_path / "planted.pdf") == {"http://127.0.0.1:9/planted.png"}  # and it would be seen


def browsed(page: Path, pdf: Path) -> set[str]:
    """Print a page in Chromium; return the addresses that the page asked for, by Chromium's own log of the network."""
    log = pdf.with_suffix(".netlog")
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
    places = (f"--user-data-dir={pdf.with_suffix('.profile')}", f"--log-net-log={log}", f"--print-to-pdf={pdf}")
    subprocess.run(["chromium", *options, *places, page.as_uri()], check=True, capture_output=True, timeout=120)
    asked = [event.get("params", {}) for event in json.loads(log.read_text(encoding="utf-8"))["events"]]
    # what no page asks for is the browser's own: its updates, its dictionary
    return {str(one["url"]) for one in asked if one.get("initiator", "not an origin") != "not an origin"}


def test_the_verdict_and_its_reason_come_first(html: str) -> None:
    places = [
        html.index(text) for text in ("emo-verdict emo-keep", "contact quality 95.00%, at least 80.00% is asked", 'id="Spectra')
    ]
    assert places == sorted(places)


def test_every_part_of_the_session_has_its_place(html: str) -> None:
    titles = (
        "Timeline",
        "Contact quality over time",
        "Contact quality on the head",
        "Bad channels",
        "Spectra",
        "Face and camera",
    )
    for title in (*titles, "Clips on the screen", "Ratings against targets", "Clips and frames", "Channels"):
        assert f'href="#{title.replace(" ", "_")}"' in html
    assert "100 samples (0.39 s) in one gap were not measured" in html
    assert html.count("<svg") >= 5


def test_every_tile_leads_to_a_place_on_the_page(html: str) -> None:
    places = re.findall(r'<a class="emo-tile [^>]*href="#([^"]+)"', html)
    assert len(places) >= 8
    assert [place for place in places if f'id="{place}"' not in html] == []


def test_simulated_data_say_so_in_a_banner_and_real_data_do_not(html: str, facts: Facts, tmp_path: Path) -> None:
    assert html.count('class="emo-simulated"') == 1
    real = replace(facts, simulated=False)
    session_page.write(tmp_path / "real.html", real, measures.measure(real))
    assert 'class="emo-simulated"' not in (tmp_path / "real.html").read_text(encoding="utf-8")


def test_a_recording_with_almost_nothing_in_it_still_has_a_page(facts: Facts, tmp_path: Path) -> None:
    empty = replace(facts, signals=None, contact=None, events=(), clips=(), films=(), judged=())
    measured = measures.measure(empty)
    session_page.write(tmp_path / "empty.html", empty, measured)
    text = (tmp_path / "empty.html").read_text(encoding="utf-8")
    assert "emo-verdict emo-exclude" in text
    assert "no EEG was recorded" in text
    assert measured.findings[-1] == "there is no face video"


def test_what_people_typed_cannot_become_part_of_the_page(facts: Facts, tmp_path: Path) -> None:
    odd = replace(facts, end="aborted", end_reason="<script>alert(1)</script>", study="A & <b>B</b>")
    session_page.write(tmp_path / "odd.html", odd, measures.measure(odd))
    text = (tmp_path / "odd.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<b>B</b>" not in text


def test_emotions_differ_in_hatch_and_marker_not_by_colour_alone() -> None:
    looks = Looks({f"e{n}": "#777777" for n in range(8)}).all
    assert len({look.hatch for look in looks}) == len({look.marker for look in looks}) == 8


def test_numbers_stand_to_the_right_and_text_is_escaped() -> None:
    table = page.table(("n", "name"), [(1, "a<b"), ("–", "c")], out=[1])
    assert table.count('class="number"') == 3
    assert "a&lt;b" in table
    assert table.count("<tr class=out>") == 1
