"""The page about one recording: verdict and reasons first, then pictures, then numbers."""

from __future__ import annotations

from html import escape
from pathlib import Path

from bids_export.report import page, session_figures
from bids_export.report.facts import Clip, Facts
from bids_export.report.measures import Measures, VideoMeasures
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
    made = Page(f"{facts.study}: sub-{facts.participant}, ses-{facts.session}, run-{facts.run}", simulated=facts.simulated)
    made.html("Verdict", _verdict(facts, measures))
    if facts.contact is not None and len(facts.contact.times):
        made.figure(
            "Contact quality over time", session_figures.contact_over_time(facts, facts.contact),
            f"Above: {_METRIC[facts.quality.metric]}, all sensors together, as the headset reports it; the rule looks at "
            f"{_OVER[facts.quality.over]}. Below: each analysed sensor; dark is bad, grey is no reading.",
        )  # fmt: skip
    if facts.signals is not None and facts.signals.positions and facts.quality.per_sensor:
        made.figure(
            "Contact quality on the head", session_figures.contact_on_head(facts, facts.signals),
            "Seen from above, the nose up; positions are those of the montage. The number is the mean over the judged time.",
        )  # fmt: skip
    if facts.signals is not None and facts.signals.analysed:
        made.figure(
            "Spectra", session_figures.spectra(facts, facts.signals),
            "Welch's method, windows of 2 s without a lost sample. A channel that lies apart from the others is named.",
        )  # fmt: skip
    made.figure(
        "Timeline", session_figures.timeline(facts),
        "What happened when, on the EEG's own clock. A triangle marks a gap in the EEG.",
    )  # fmt: skip
    felt = session_figures.ratings(facts, measures)
    if felt is not None:
        said = measures.ratings
        made.figure(
            "Ratings against targets", felt, f"{said.n_as_target} of {said.n_asked} clips were felt as they were meant."
        )
    made.html("Clips and frames", _clips(facts.clips) + _videos(measures))
    made.html("Screen, camera and EEG against one another", _sync(measures))
    made.html("Channels", _channels(measures))
    made.save(path)


_METRIC = {"CQ": "contact quality (CQ, impedance)", "EQ": "EEG quality (EQ, the headset's own score of the signal)"}
_OVER = {
    "recording": "the time from the first baseline to the end of the last clip, without pauses",
    "clips": "the clips alone",
}


def _verdict(facts: Facts, measures: Measures) -> str:
    eeg = measures.eeg
    about = {
        "recorded": facts.began.replace("T", " ").split(".")[0].removesuffix("Z") + " UTC",
        "ended": facts.end or "–",
        "task": facts.task,
        "consent to": ", ".join(facts.scopes),
        "clips": f"{measures.clips.n_complete} of {measures.clips.n} complete",
        "EEG": f"{eeg.n_analysed} of {eeg.n_channels} channels analysed, {_clock(eeg.duration_s)}, {_rate(measures)}"
        if eeg
        else "–",
        "not measured": f"{eeg.n_filled} of {eeg.n_samples} samples" if eeg else "–",
        "mains": f"{number(eeg.mains_median_uv, '.1f', ' µV')} at {number(eeg.line_freq_hz, 'g', ' Hz')} (median)"
        if eeg
        else "–",
        "face": "; ".join(_face(video) for video in measures.videos) or "–",
        f"{facts.quality.metric} reported for": f"{facts.quality.coverage:.1%} of the judged time",
    }
    return (
        page.verdict(measures.verdict, "; ".join(measures.reasons))
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


def _face(video: VideoMeasures) -> str:
    return f"found in {video.n_with_face} of {video.n_sampled} sampled frames ({number(video.face_share, '.0%')})"


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
    columns = ("video", "frames", "frame times", "frames a second", "longest gap", "holes", "face found")
    rows = [
        (
            v.file, v.n_frames, v.n_rows, number(v.fps, ".2f"),
            "–" if v.longest_gap_s is None else f"{v.longest_gap_s * 1e3:.0f} ms", v.n_holes, _face(v),
        )
        for v in measures.videos
    ]  # fmt: skip
    out = [n for n, v in enumerate(measures.videos) if v.n_frames != v.n_rows]
    return "<p><strong>Frames of the camera</strong></p>" + page.table(columns, rows, out=out)


def _sync(measures: Measures) -> str:
    """Return the sync certificate."""
    if not any(leg.estimable for leg in measures.sync):
        why = "; ".join(dict.fromkeys(leg.reason for leg in measures.sync)) or "the dataset does not say"
        return f"<p>Not measured: {escape(why)}.</p>"
    columns = ("from, to", "later by", "95 % interval", "drift", "events", "applied")
    rows = [
        (
            leg.leg.replace("-", " to "), f"{leg.delay_s * 1e3:.1f} ms",
            "–" if leg.interval95_s is None else f"{leg.interval95_s[0] * 1e3:.1f} to {leg.interval95_s[1] * 1e3:.1f} ms",
            "–" if leg.drift_ppm is None else f"{leg.drift_ppm:+.0f} ppm", f"{leg.n_used} of {leg.n_events}",
            "yes" if leg.applied else "no",
        )
        if leg.delay_s is not None
        else (leg.leg.replace("-", " to "), "not estimable", leg.reason, "–", "–", "no")
        for leg in measures.sync
    ]  # fmt: skip
    late = measures.transport_latency_s
    told = "" if late is None else f"<p>By the headset's own clock its samples were {late * 1e3:.0f} ms on their way.</p>"
    return page.table(columns, rows) + told


def _channels(measures: Measures) -> str:
    if measures.eeg is None:
        return "<p>There is no EEG to show.</p>"
    columns = ("channel", "analysed", "good contact", "flat seconds", "mains (µV)")
    rows = [
        (c.label, "yes" if c.analysed else "no", number(c.contact, ".1%"), number(c.flat, ".1%"), number(c.mains_uv, ".1f"))
        for c in measures.eeg.channels
    ]
    out = [n for n, c in enumerate(measures.eeg.channels) if c.label in measures.eeg.flat_channels]
    return page.table(columns, rows, out=out)
