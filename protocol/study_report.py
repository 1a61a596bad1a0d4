"""What a check of a study prints, for people and for machines. Used by the command line alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from protocol.balance import Balance, Span
from protocol.estimate import ANSWER_S
from protocol.examine import ClipReport, StudyReport
from protocol.schedule import Trial
from stimuli.decode import Facts


def show(report: StudyReport, out: Console) -> None:
    """Print a check for people."""

    def say(text: str) -> None:
        out.print(text, highlight=False, soft_wrap=True)

    table = Table("clip", "target", "plays", "picture", "sound", "found", box=None, pad_edge=False)
    for clip in report.clips:
        table.add_row(*_cells(clip))
    out.print(table)
    if report.balance:
        show_schedules(report.schedules, report.balance, out)
    size = report.estimate
    say(
        f"{size.n_trials} trials, about {size.length_s / 60:.1f} min a session ({ANSWER_S:.0f} s an answer), "
        f"at most about {size.disk_B / 1e6:.0f} MB on the disk"
    )
    for warning in report.warnings:
        say(f"[yellow]warning: {escape(warning)}")
    for finding in report.findings:
        say(f"[red]{escape(finding)}")
    found = f"{len(report.findings)} to mend" if report.findings else "nothing to mend"
    say(f"{escape(str(report.path))}: {found}")
    if not report.findings:
        say(f"Next: emo-run {escape(str(report.path.parent))} --participant 01 (with --twin: without devices)")


def show_plan(title: str, trials: Sequence[Trial], out: Console) -> None:
    """Print one participant's order."""
    table = Table("trial", "block", "clip", "target", title=title, box=None)
    for trial in trials:
        table.add_row(str(trial.trial), str(trial.block), trial.stim_id, trial.target)
    out.print(table)


def show_schedules(schedules: Mapping[str, Sequence[Trial]], found: Balance, out: Console) -> None:
    """Print the orders of many participants, a line for each, and how balanced they are."""
    emotions = list(dict.fromkeys(t.target for trials in schedules.values() for t in trials))
    short = _short(emotions)
    out.print(", ".join(f"{short[name]} = {name}" for name in sorted(emotions)), highlight=False, soft_wrap=True)
    for label, trials in schedules.items():
        out.print(f"{label}  {_line(trials, short)}", highlight=False, soft_wrap=True)
    out.print(f"Balance over {len(schedules)} participants", highlight=False)
    for what, span in (
        ("an emotion stands at a place", found.places),
        ("an emotion comes right after another", found.follows),
        ("a clip is shown", found.clips),
    ):
        out.print(f"  {what} {_times(span)}", highlight=False, soft_wrap=True)


def as_json(report: StudyReport) -> dict[str, Any]:
    """Return a check for machines."""
    clips = [
        {
            "stim_id": clip.entry.stim_id,
            "target": clip.entry.target,
            "file": str(clip.entry.file),
            "facts": asdict(clip.facts) if clip.facts else None,
            "findings": clip.findings,
        }
        for clip in report.clips
    ]
    schedules = {label: [asdict(trial) for trial in trials] for label, trials in report.schedules.items()}
    return {
        "study": str(report.path), "findings": report.findings, "warnings": report.warnings, "clips": clips,
        **asdict(report.estimate), "schedules": schedules, "balance": asdict(report.balance) if report.balance else None,
    }  # fmt: skip


def _cells(clip: ClipReport) -> tuple[str, ...]:
    entry, facts = clip.entry, clip.facts
    found = f"[red]{len(clip.findings)} to mend" if clip.findings else "[green]good"
    named = entry.stim_id, entry.target, f"{entry.duration_s:.2f} s"
    if facts is None or not facts.n_frames:
        return *named, "-", "-", found
    return *named, _picture(facts), _sound(facts), found


def _picture(facts: Facts) -> str:
    width, height = facts.shown_px
    turned = f", turned {facts.rotation}°," if facts.rotation else ""
    rate = f"{facts.fps:.4g} Hz" if facts.constant_rate else f"about {facts.fps:.4g} Hz (variable)"
    return f"{width}x{height}{turned} {rate}, {facts.n_played} frames"


def _sound(facts: Facts) -> str:
    if facts.sound_s is None:
        return "none"
    return "silent" if facts.lufs is None else f"{facts.lufs:.1f} LUFS"


def _short(names: Sequence[str]) -> dict[str, str]:
    """Return the shortest beginnings that tell names apart."""
    longest = max(map(len, names), default=1)
    n = next((n for n in range(1, longest) if len({name[:n] for name in names}) == len(names)), longest)
    return {name: name[:n].capitalize() for name in names}


def _line(trials: Sequence[Trial], short: Mapping[str, str]) -> str:
    blocks: dict[int, list[str]] = {}
    for trial in trials:
        blocks.setdefault(trial.block, []).append(short[trial.target])
    return " | ".join(" ".join(block) for block in blocks.values())


def _times(span: Span) -> str:
    if span.fewest < span.most:
        return f"{span.fewest} to {span.most} times (even: {span.even:.3g})"
    return f"{span.most} times, always" if span.most != 1 else "once, always"
