"""A page: MNE's report with our blocks; one file that asks nobody for anything."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal

import mne
from matplotlib.figure import Figure

WORDS = 30  # characters: what is longer may wrap
SYMBOLS = {"keep": "✔", "repeat": "!", "exclude": "✘", "not_judged": "?", "aborted": "!"}
State = Literal["good", "look", "bad", "unknown"]
SIGNS: dict[State, str] = {"good": "✔", "look": "!", "bad": "✘", "unknown": "–"}
_CSS = """
body { color: #222; }
#container, .container-fluid { max-width: 1280px; }
#filter-by-tags-dropdown-menu, .badge, .navbar-brand img { display: none !important; }
.accordion-button, .accordion-header a { color: #222 !important; font-weight: 600; background: #f4f6f8 !important; }
#toc-navbar .nav-link { color: #222; } #toc-navbar .nav-link.active { color: #fff; }
figure svg, figure img { max-width: 100% !important; height: auto !important; }
figcaption { text-align: left !important; max-width: 58em; margin: .3rem auto 0; color: #444 !important; }
.emo-verdict { display: flex; gap: 1rem; align-items: center; border-left: .6rem solid; padding: .6rem 1rem;
  margin-bottom: 1rem; }
.emo-verdict .sign { font-size: 2.2rem; line-height: 1; font-weight: 700; }
.emo-verdict .word { font-size: 1.5rem; font-weight: 700; }
.emo-keep { border-color: #0072B2; } .emo-keep .sign { color: #0072B2; }
.emo-repeat, .emo-aborted { border-color: #A35F00; } :is(.emo-repeat, .emo-aborted) .sign { color: #A35F00; }
.emo-exclude { border-color: #D55E00; } .emo-exclude .sign { color: #D55E00; }
.emo-not_judged { border-color: #666; } .emo-not_judged .sign { color: #666; }
.emo-simulated { background: repeating-linear-gradient(135deg, #fff3c4 0 14px, #ffe48a 14px 28px); border: 2px solid #222;
  padding: .5rem 1rem; font-weight: 700; text-align: center; margin-bottom: 1rem; }
.emo-tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(12.5rem, 1fr)); gap: .6rem; margin: 0 0 1rem; }
.emo-tile { border: 1px solid #ccc; border-left: .45rem solid #666; padding: .4rem .7rem .5rem; position: relative; color: #222;
  text-decoration: none; display: block; background: #fff; }
a.emo-tile:hover { background: #f4f6f8; }
.emo-tile .name { font-size: .8rem; color: #444; padding-right: 1.4rem; }
.emo-tile .value { font-size: 1.3rem; font-weight: 700; line-height: 1.25; }
.emo-tile .more { font-size: .8rem; color: #444; }
.emo-tile .sign { position: absolute; right: .55rem; top: .3rem; font-weight: 700; font-size: 1.05rem; }
.emo-good { border-left-color: #0072B2; } .emo-good > .sign { color: #0072B2; }
.emo-look { border-left-color: #E69F00; } .emo-look > .sign { color: #8a5f00; }
.emo-bad { border-left-color: #D55E00; background: #fdf0e8; } .emo-bad > .sign { color: #D55E00; }
.emo-row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: stretch; margin-bottom: .5rem; }
.emo-row > .label { min-width: 6.5rem; font-weight: 600; padding-top: .5rem; }
.emo-row > .emo-tile { width: 13.5rem; }
.emo-bars { display: grid; grid-template-columns: auto 1fr auto; gap: .1rem .4rem; font-size: .72rem; margin-top: .25rem;
  align-items: center; }
.emo-bars i { display: block; height: .5rem; background: #e6e6e6; border: 1px solid #999; }
.emo-bars i b { display: block; height: 100%; background: #0072B2; }
.emo-bars i b.low { background: repeating-linear-gradient(135deg, #D55E00 0 4px, #f3b48c 4px 8px); }
table.emo { border-collapse: collapse; margin: .3rem 0 1rem; font-size: .88rem; }
table.emo th, table.emo td { border-bottom: 1px solid #ccc; padding: .25rem .45rem; text-align: left; vertical-align: top; }
table.emo thead th { vertical-align: bottom; }
table.emo tbody td { white-space: nowrap; } table.emo tbody td.words { white-space: normal; min-width: 13em; }
table.emo td.number, table.emo th.number { text-align: right; font-variant-numeric: tabular-nums; }
table.emo tr.out td { background: #fdf0e8; }
.emo-wide { overflow-x: auto; }
.emo-matrix { display: inline-block; width: 48%; min-width: 320px; margin: 0 1% 1rem 0; vertical-align: top; }
@media print {
  #toc, footer { display: none !important; }
  .navbar { position: static !important; } body { padding-top: 0 !important; }
  #container .row > div { width: 100% !important; max-width: 100% !important; flex: none; margin-left: 0 !important; }
  .accordion-item { break-inside: avoid; border: none !important; } .accordion-button::after { display: none; }
  .emo-wide { overflow: visible; } table.emo { font-size: .75rem; }
  #container, #container .row, #content { margin: 0 !important; padding: 0 !important; }
  .accordion-item:first-of-type { break-inside: auto; }
  .emo-verdict, .emo-simulated { margin-bottom: .5rem; } .emo-tile .more { font-size: .68rem; }
  .emo-tile .value { font-size: 1.05rem; } .accordion-body { padding: .4rem .8rem !important; } li { line-height: 1.3; }
  .emo-tile, .emo-row, table.emo tr { break-inside: avoid; } .emo-tiles { grid-template-columns: repeat(4, 1fr); }
  .emo-simulated, .emo-verdict, .emo-tile, .emo-bars b, table.emo tr.out td {
    -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
"""


class Page:
    """One page, block by block.

    Parameters
    ----------
    title : str
        Of the page.
    simulated : bool
        Whether to say, first of all, that nobody was recorded.
    """

    def __init__(self, title: str, *, simulated: bool) -> None:
        self._report = mne.Report(title=title, verbose="ERROR")
        self._report.add_custom_css(_CSS)
        self._banner = SIMULATED if simulated else ""

    def html(self, title: str, block: str) -> None:
        """Add a block; the first one carries the banner."""
        self._report.add_html(f"{self._banner}{block}", title=title)
        self._banner = ""

    def figure(self, title: str, figure: Figure, caption: str) -> None:
        """Add a picture that stays sharp when it is printed."""
        self._report.add_figure(figure, title=title, caption=caption, image_format="svg")

    def image(self, title: str, path: Path, caption: str) -> None:
        """Add a picture that is there already."""
        self._report.add_image(path, title=title, caption=caption)

    def save(self, path: Path) -> None:
        """Write the page beside its final name, then put it there."""
        temporary = path.with_name(f".{path.stem}.{os.getpid()}.html")
        try:
            self._report.save(temporary, open_browser=False, overwrite=True, verbose="ERROR")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


SIMULATED = '<div class="emo-simulated">SIMULATED DATA: nobody was recorded; nothing here says anything about people.</div>'


def verdict(kind: str, text: str) -> str:
    """Return the verdict as a sign, a word and its reason."""
    return (
        f'<div class="emo-verdict emo-{kind}"><span class="sign">{SYMBOLS[kind]}</span>'
        f'<div><div class="word">{escape(kind.replace("_", " "))}</div>{escape(text)}</div></div>'
    )


@dataclass(frozen=True)
class Bar:
    """A share, 0 to 1, as a small bar; ``low`` marks one that is too low, None is unknown."""

    name: str
    share: float | None
    low: bool = False


@dataclass(frozen=True)
class Tile:
    """One thing at a glance: its name, its value, a word more; ``href`` makes it a link to another page, or to a place."""

    name: str
    value: str
    state: State
    more: str = ""
    href: str = ""
    bars: tuple[Bar, ...] = ()


def tile(one: Tile) -> str:
    """Return a tile: its sign says the same as its colour."""
    inside = (
        f'<span class="sign">{SIGNS[one.state]}</span><div class="name">{escape(one.name)}</div>'
        f'<div class="value">{escape(one.value)}</div><div class="more">{escape(one.more)}</div>{_bars(one.bars)}'
    )
    if one.href:
        return f'<a class="emo-tile emo-{one.state}" href="{escape(one.href, quote=True)}">{inside}</a>'
    return f'<div class="emo-tile emo-{one.state}">{inside}</div>'


def _bars(bars: Sequence[Bar]) -> str:
    if not bars:
        return ""
    rows = "".join(
        f'<span>{escape(bar.name)}</span><i><b class="{"low" if bar.low else ""}" style="width:{100 * (bar.share or 0):.0f}%">'
        f"</b></i><span>{number(bar.share, '.0%')}</span>"
        for bar in bars
    )
    return f'<div class="emo-bars">{rows}</div>'


def tiles(several: Iterable[Tile]) -> str:
    """Return tiles beside each other."""
    return f'<div class="emo-tiles">{"".join(tile(one) for one in several)}</div>'


def row(label: str, several: Iterable[Tile]) -> str:
    """Return a row of tiles with its name before it; the name may be a :class:`Link`."""
    return f'<div class="emo-row"><div class="label">{_cell(label)}</div>{"".join(tile(one) for one in several)}</div>'


def points(title: str, lines: Sequence[str], *, nothing: str) -> str:
    """Return a list with a heading, or what to say when it is empty."""
    if not lines:
        return f"<p>{escape(nothing)}</p>"
    return f"<p><strong>{escape(title)}</strong></p><ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def pairs(values: Mapping[str, str]) -> str:
    """Return a table of names and values."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in values.items())
    return f'<table class="emo">{rows}</table>'


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, out: Iterable[int] = ()) -> str:
    """Return a table; numbers stand to the right, long text wraps, rows in ``out`` are tinted, a :class:`Link` is a link."""
    cells, marked = [[_cell(value) for value in row] for row in rows], set(out)
    kinds = [_kind([row[n] for row in cells]) for n in range(len(columns))]
    head = "".join(f"<th{kind}>{escape(name)}</th>" for kind, name in zip(kinds, columns, strict=True))
    body = "".join(
        f"<tr{' class=out' if i in marked else ''}>"
        f"{''.join(f'<td{kind}>{cell}</td>' for kind, cell in zip(kinds, row, strict=True))}</tr>"
        for i, row in enumerate(cells)
    )
    return f'<div class="emo-wide"><table class="emo"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(value: object) -> str:
    return value if isinstance(value, Link) else escape(str(value))


def _kind(cells: Sequence[str]) -> str:
    if all(_numeric(cell) for cell in cells):
        return ' class="number"'
    longest = max((len(cell) for cell in cells if not isinstance(cell, Link)), default=0)
    return ' class="words"' if longest > WORDS else ""


def _numeric(text: str) -> bool:
    return text in ("–", "") or text.strip("%+ ").replace(".", "", 1).replace("-", "", 1).isdigit()


class Link(str):
    """A link to another page that lies beside this one; already HTML."""

    __slots__ = ()

    @classmethod
    def to(cls, href: str, text: str) -> Link:
        """Return one."""
        return cls(f'<a href="{escape(href, quote=True)}">{escape(text)}</a>')


def number(value: float | None, form: str = ".0f", unit: str = "") -> str:
    """Write a number for people; a dash for what is unknown.

    Examples
    --------
    >>> number(0.5, ".1%"), number(None), number(12.34, ".1f", " s")
    ('50.0%', '–', '12.3 s')
    """
    return "–" if value is None else f"{value:{form}}{unit}"
