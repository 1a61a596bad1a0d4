"""The page about one recording: verdict and reasons first, then pictures, then numbers."""

from __future__ import annotations

from html import escape
from pathlib import Path

from bids_export.report import device_figures, glance, page, session_figures, signal_figures
from bids_export.report.facts import Clip, Facts, Signals
from bids_export.report.measures import EegMeasures, Measures
from bids_export.report.page import Page, number


def write(path: Path, facts: Facts, measures: Measures) -> None:
    """Write the page of one recording.

    Parameters
    ----------
    path : Path
        The ``.html``.
    facts : Facts
        What was recorded.
    measures : Measures
        What it is worth.
    """
    made = _page(facts)
    made.html("Verdict", _verdict(facts, measures))
    if not facts.remembered:
        made.figure("Timeline", session_figures.timeline(facts), _TIMELINE)
    if facts.happenings:
        made.html("What happened", _happened(measures))
    _add_contact(made, facts)
    if facts.signals is not None and measures.eeg is not None and facts.signals.analysed:
        _add_signals(made, facts, facts.signals, measures.eeg)
    if facts.films:
        made.figure("Face and camera", device_figures.camera(facts), _CAMERA)
    shown = device_figures.screen(facts.clips)
    if shown is not None:
        made.figure("Clips on the screen", shown, _SCREEN)
    if measures.sync:
        made.figure("Sync certificate", device_figures.sync(measures.sync), _SYNC + _late(measures))
    felt = session_figures.ratings(facts, measures)
    if felt is not None:
        said = measures.ratings
        made.figure(
            "Ratings against targets", felt, f"{said.n_as_target} of {said.n_asked} clips were felt as they were meant."
        )
    if not facts.remembered:
        made.html("Clips and frames", _clips(facts.clips) + _videos(measures))
        made.html("Channels", _channels(measures))
    made.save(path)


def write_first(path: Path, facts: Facts, measures: Measures) -> None:
    """Write the page with the verdict alone: somebody waits for it, and pictures take their time."""
    made = _page(facts)
    made.html("Verdict", _verdict(facts, measures) + f"<p>{_WAIT}</p>")
    made.save(path)


def _page(facts: Facts) -> Page:
    return Page(f"{facts.study}: sub-{facts.participant}, ses-{facts.session}, run-{facts.run}", simulated=facts.simulated)


_WAIT = "The pictures are being drawn: open this page again in a moment."


def _add_contact(made: Page, facts: Facts) -> None:
    if facts.contact is not None and len(facts.contact.times):
        made.figure(
            "Contact quality over time", session_figures.contact_over_time(facts, facts.contact),
            f"Above: {_METRIC[facts.quality.metric]}, all sensors together, as the headset reports it; the rule looks at "
            f"{_OVER[facts.quality.over]}. Below: each analysed sensor; dark is bad, grey is no reading.",
        )  # fmt: skip
    if facts.where and facts.quality.per_sensor:
        made.figure(
            "Contact quality on the head", session_figures.contact_on_head(facts),
            "Seen from above, the nose up; positions are those of the montage. The number is the mean over the judged time.",
        )  # fmt: skip


def _add_signals(made: Page, facts: Facts, eeg: Signals, measured: EegMeasures) -> None:
    made.html("Bad channels", _bad(measured))
    made.figure("Spectra", signal_figures.spectra(facts, eeg, measured), _SPECTRA)
    if measured.alpha is not None:
        ratios = {c.label: c.alpha_ratio for c in measured.channels if c.alpha_ratio is not None}
        made.figure("Alpha with closed eyes", signal_figures.alpha(facts, eeg, measured.alpha, ratios), _ALPHA)
    answers = signal_figures.blinks(facts, eeg)
    if answers is not None and measured.blinks is not None:
        said = measured.blinks
        after = "" if said.after_s is None else f", {said.after_s:.2f} s after the cue (median)"
        made.figure("Blinks on cue", answers, f"{said.n_seen} of {said.n_cues} cues were answered{after}. {_BLINKS}")


_METRIC = {"CQ": "contact quality (from impedance)", "EQ": "EEG quality (the headset's own score of the signal)"}
_OVER = {
    "recording": "the time from the first baseline to the end of the last clip, without pauses",
    "clips": "the clips alone",
}
_TIMELINE = (
    "What happened when, on the EEG's own clock. A clip drawn hollow did not end as planned, or was shown again; numbers are "
    "those of the list below; a triangle pointing down marks a gap in the EEG."
)
_SPECTRA = (
    "Welch's method, windows of 2 s without a lost sample. A channel that lies apart from the others is named. Whether 31 to "
    "51 Hz holds signal is read from the fall of the spectrum from 15 to 30 Hz: 6 dB below it, a filter is at work."
)
_ALPHA = (
    "Over the back of the head. Closed eyes raise alpha in most people, some twofold or more; where they do in no channel, "
    "see that these electrodes lie where they should, and that the eyes were closed. Some people have little alpha."
)
_BLINKS = "A blink lifts frontal EEG by 50 to 300 µV. Where the eyes answer and the EEG does not, the two are not on one clock."
_CAMERA = (
    "Sixty frames, evenly spread, are looked at. Late frames are those that come more than 1.5 periods after the one before."
)
_SCREEN = "A marker is stamped with the flip of its clip's first frame. Frames that come too late are dropped, not shown late."
_SYNC = "Only screen to EEG may shift events, only camera to EEG the video; screen to camera leads to the third."
_WHY = {
    "loud": "far more amplitude than the others", "quiet": "far less amplitude than the others",
    "noisy": "far more noise above 50 Hz", "alone": "like no other channel in more than half of the time",
}  # fmt: skip


def _late(measures: Measures) -> str:
    late = measures.transport_latency_s
    return "" if late is None else f" By the headset's own clock its samples were {late * 1e3:.0f} ms on their way."


def _bad(measured: EegMeasures) -> str:
    rows = [
        (c.label, "; ".join([*(["flat"] if c.label in measured.flat_channels else []), *(_WHY.get(w, w) for w in c.unlike)]))
        for c in measured.channels
        if c.label in measured.bad_channels
    ]
    how = f"<p>Looked for: flat channels; {escape(measured.compared_by)}. Nothing is left out of the data for it.</p>"
    if not rows:
        return f"<p><strong>None of {measured.n_analysed} analysed channels stands out.</strong></p>{how}"
    return page.table(("channel", "why"), rows) + how


def _happened(measures: Measures) -> str:
    rows = [(n, _clock(h.onset_s), h.kind, h.text) for n, h in enumerate(measures.happenings, 1)]
    out = [n for n, h in enumerate(measures.happenings) if h.kind == "alarm"]
    return page.table(("", "at", "kind", "what"), rows, out=out)


def _begun(measures: Measures) -> str:
    began = measures.started
    if began.contact is None:
        return "–"
    seen = f"blinks seen after {began.n_seen} of {began.n_cues} cues" if began.n_cues else "blinks seen"
    return {"ok": seen, "no_blinks": "no blinks were seen"}.get(began.contact, "blinks were not looked for")


def _verdict(facts: Facts, measures: Measures) -> str:
    eeg = measures.eeg
    about = {
        "recorded": facts.began.replace("T", " ").split(".")[0].removesuffix("Z") + " UTC",
        "ended": facts.end or "–",
        "task": facts.task,
        "consent to": ", ".join(facts.scopes),
        "EEG": f"{eeg.n_analysed} of {eeg.n_channels} channels analysed, {_clock(eeg.duration_s)}, {_rate(measures)}"
        if eeg
        else "–",
        "before the first clip": _begun(measures),
    }
    return (
        page.verdict(measures.verdict, "; ".join(measures.reasons))
        + page.tiles(glance.tiles(measures))
        + page.points("Look at", measures.findings, nothing="Nothing else stands out.")
        + page.pairs({name: said for name, said in about.items() if said != "–"})
    )


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{seconds % 60:04.1f} min"


def _rate(measures: Measures) -> str:
    eeg = measures.eeg
    if eeg is None:
        return "–"
    measured = "" if eeg.sfreq_measured_hz is None else f", measured {eeg.sfreq_measured_hz:.3f} Hz"
    return f"{eeg.sfreq_nominal_hz:g} Hz{measured}"


def _clips(clips: tuple[Clip, ...]) -> str:
    if not clips:
        return "<p>No clip was played.</p>"
    columns = (
        "trial", "clip", "target", "felt", "valence", "arousal", "dominance", "shown", "dropped", "repeated", "onset error",
        "sound offset", "end",
    )  # fmt: skip
    rows = [
        (
            *(_text(v) for v in (e.trial, e.stim_id, e.target, e.rating, e.valence, e.arousal, e.dominance)),
            *(_text(v) for v in (e.frames_shown, e.frames_dropped, clip.repeated)),
            _milliseconds(clip.onset_error_s), _milliseconds(clip.audio_offset_s), _text(e.end),
        )
        for clip in clips
        for e in (clip.event,)
    ]  # fmt: skip
    out = [n for n, clip in enumerate(clips) if clip.event.end != "complete" or clip.event.frames_dropped]
    said = [n for n in range(len(columns)) if any(row[n] != "–" for row in rows)]  # a column of dashes says nothing
    table = page.table([columns[n] for n in said], [[row[n] for n in said] for row in rows], out=out)
    return "<p><strong>Frames of the clips on the screen</strong></p>" + table


def _text(value: object) -> str:
    return "–" if value is None else str(value)


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value * 1e3:+.1f} ms"


def _videos(measures: Measures) -> str:
    if not measures.videos:
        return "<p>There is no face video.</p>"
    columns = ("video", "frames", "frame times", "frames a second", "longest gap", "late", "brightness", "face found")
    rows = [
        (
            v.file, v.n_frames, v.n_rows, number(v.fps, ".2f"),
            "–" if v.longest_gap_s is None else f"{v.longest_gap_s * 1e3:.0f} ms", v.n_late, number(v.brightness),
            glance.face(v),
        )
        for v in measures.videos
    ]  # fmt: skip
    out = [n for n, v in enumerate(measures.videos) if v.n_frames != v.n_rows]
    return "<p><strong>Frames of the camera</strong></p>" + page.table(columns, rows, out=out)


def _channels(measures: Measures) -> str:
    if measures.eeg is None:
        return "<p>There is no EEG to show.</p>"
    columns = (
        "channel",
        "analysed",
        "good contact",
        "flat seconds",
        "mains (µV)",
        "alpha, closed over open",
        "unlike the others",
    )
    rows = [
        (
            c.label, "yes" if c.analysed else "no", number(c.contact, ".1%"), number(c.flat, ".1%"), number(c.mains_uv, ".1f"),
            number(c.alpha_ratio, ".2f"), ", ".join(c.unlike) or "–",
        )
        for c in measures.eeg.channels
    ]  # fmt: skip
    out = [n for n, c in enumerate(measures.eeg.channels) if c.label in measures.eeg.bad_channels]
    return page.table(columns, rows, out=out)
