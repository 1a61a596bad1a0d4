"""A recording at a glance: one tile per measure, for those who look before they read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bids_export.report import verdict
from bids_export.report.measures import EegMeasures, Measures, VideoMeasures
from bids_export.report.page import Bar, State, Tile, number
from collector.quality import WORDS

LOST_SHARE = 0.10  # of the samples: with more of it lost, a recording is hardly one
SURE_S = 0.033  # an interval wider than two refreshes places nothing to the frame


def tiles(measures: Measures) -> list[Tile]:
    """Return the tiles of one recording."""
    return [
        contact(measures), *(_of_eeg(measures.eeg) if measures.eeg else ()), *_of_clips(measures), *_of_videos(measures),
        *_of_sync(measures), *_of_happenings(measures), *_of_ratings(measures),
    ]  # fmt: skip


def contact(measures: Measures) -> Tile:
    """Return the tile of the rule."""
    quality = measures.contact_quality
    states: dict[str, State] = {"keep": "good", "exclude": "bad"}
    state = states.get(quality.verdict, "unknown") if quality.value is not None else "unknown"
    more = f"at least {quality.threshold:.0%} is asked; reported for {quality.coverage:.0%} of the time"
    return Tile(WORDS[quality.metric], number(quality.value, ".1%"), state, more, "#Contact_quality_over_time")


def _of_eeg(eeg: EegMeasures) -> Iterable[Tile]:
    share = eeg.n_filled / max(1, eeg.n_samples)
    state: State = "good" if not eeg.n_filled else "look" if share < LOST_SHARE else "bad"
    lost = f"{eeg.n_filled} samples in {len(eeg.gaps)} gap{'s'[: len(eeg.gaps) != 1]} were not" if eeg.n_filled else "no gaps"
    yield Tile("EEG measured", f"{1 - share:.2%}", state, lost, "#Timeline")
    bad = eeg.bad_channels
    yield Tile(
        "bad channels", f"{len(bad)} of {eeg.n_analysed}", "good" if not bad else "look", _few(bad) or "none stands out",
        "#Bad_channels",
    )  # fmt: skip
    if eeg.mains_median_uv is not None:
        loud = eeg.mains_median_uv > verdict.MAINS_UV
        at = number(eeg.line_freq_hz, "g", " Hz")
        yield Tile(
            "mains", f"{eeg.mains_median_uv:.1f} µV", "look" if loud else "good", f"median amplitude at {at}", "#Spectra"
        )
    if eeg.gamma_share is not None:
        whole = eeg.gamma_share >= verdict.GAMMA_SHARE
        more = (
            "holds signal"
            if whole
            else "the headset's own filter"
            if eeg.edge_hz is None
            else f"filtered from {eeg.edge_hz:.0f} Hz"
        )
        yield Tile("31 to 51 Hz", f"{eeg.gamma_share:.0%}", "good" if whole else "look", more, "#Spectra")
    if eeg.alpha is not None:
        more = "closed over open eyes, over the back of the head"
        yield Tile(
            "alpha", f"× {eeg.alpha.ratio:.1f}", "good" if eeg.alpha.ratio > 1 else "look", more, "#Alpha_with_closed_eyes"
        )
    if eeg.blinks is not None:
        n, seen = eeg.blinks.n_cues, eeg.blinks.n_seen
        answered = seen >= verdict.BLINKS_SHARE * n
        yield Tile(
            "blinks on cue", f"{seen} of {n}", "good" if answered else "look", "answered, as the EEG saw it", "#Blinks_on_cue"
        )


def _few(labels: Sequence[str], n: int = 5) -> str:
    return ", ".join(labels[:n]) + (f" and {len(labels) - n} more" if len(labels) > n else "")


def _of_clips(measures: Measures) -> Iterable[Tile]:
    clips = measures.clips
    if not clips.n:
        return
    again = (
        f"to be repeated: trial {_few([str(n) for n in measures.repeat])}" if measures.repeat else "every trial has its clip"
    )
    whole = clips.n_trials - len(measures.repeat)
    yield Tile(
        "usable trials",
        f"{whole} of {clips.n_trials}",
        "look" if measures.repeat else "good",
        again,
        "#Clips_and_frames",
    )
    if clips.frames_dropped is not None:
        shown = f"of {clips.frames_shown} shown" if clips.frames_shown else ""
        state: State = "look" if clips.frames_dropped else "good"
        yield Tile("frames dropped", str(clips.frames_dropped), state, shown, "#Clips_on_the_screen")
    if clips.onset_error_max_s is not None:
        off = abs(clips.onset_error_max_s) > verdict.ONSET_ERROR_S
        yield Tile(
            "marker to flip", f"{clips.onset_error_max_s * 1e3:+.1f} ms", "look" if off else "good", "the worst clip",
            "#Clips_on_the_screen",
        )  # fmt: skip


def _of_videos(measures: Measures) -> Iterable[Tile]:
    videos = measures.videos
    if not videos:
        return
    n, found = sum(v.n_sampled for v in videos), sum(v.n_with_face for v in videos)
    share = found / n if n else None
    seen = share is not None and share >= verdict.FACE_SHARE
    rates = [v.fps for v in videos if v.fps is not None]
    more = f"{rates[0]:.1f} frames a second, {sum(v.n_late for v in videos)} late" if rates else ""
    yield Tile("face found", number(share, ".0%"), "good" if seen else "look", more, "#Face_and_camera")
    levels = [v.brightness for v in videos if v.brightness is not None]
    if levels:
        level = sum(levels) / len(levels)
        clipped = max((v.clipped for v in videos if v.clipped is not None), default=0.0)
        fine = verdict.DARK <= level <= verdict.BRIGHT and clipped <= verdict.CLIPPED
        more = f"grey level, 0 to 255; {clipped:.0%} without detail"
        yield Tile("exposure", f"{level:.0f}", "good" if fine else "look", more, "#Face_and_camera")


def _of_sync(measures: Measures) -> Iterable[Tile]:
    leg = next((leg for leg in measures.sync if leg.leg == "screen-eeg"), None)
    if leg is None:
        return
    if leg.delay_s is None or leg.interval95_s is None:
        yield Tile("screen to EEG", "not estimable", "unknown", "", "#Sync_certificate")
        return
    half = (leg.interval95_s[1] - leg.interval95_s[0]) / 2
    fine = leg.applied and 2 * half <= SURE_S
    more = f"± {half * 1e3:.0f} ms (95 %); {'events are shifted by it' if leg.applied else 'not applied'}"
    place = "#Sync_certificate"
    yield Tile("screen to EEG", f"{leg.delay_s * 1e3:.0f} ms", "good" if fine else "look", more, place)


def _of_happenings(measures: Measures) -> Iterable[Tile]:
    n = sum(h.kind == "alarm" for h in measures.happenings)
    others = len(measures.happenings) - n
    more = f"{others} other thing{'s'[: others != 1]} happened" if others else "nothing else happened"
    yield Tile("alarms", str(n), "look" if n else "good", more, "#What_happened" if measures.happenings else "#Timeline")


def _of_ratings(measures: Measures) -> Iterable[Tile]:
    said = measures.ratings
    if said.n_asked:
        yield Tile(
            "felt as meant", f"{said.n_as_target} of {said.n_asked}", "good" if 2 * said.n_as_target > said.n_asked else "look",
            "clips, by the participant's answer", "#Ratings_against_targets",
        )  # fmt: skip


def bars(measures: Measures) -> tuple[Bar, ...]:
    """Return the three shares that a small tile of a recording shows."""
    quality, eeg, videos = measures.contact_quality, measures.eeg, measures.videos
    found = [v.face_share for v in videos if v.face_share is not None]
    share = None if eeg is None else 1 - eeg.n_filled / max(1, eeg.n_samples)
    face = min(found) if found else None
    return (
        Bar("contact", quality.value, quality.value is not None and quality.verdict == "exclude"),
        Bar("EEG", share, share is not None and share < 1 - LOST_SHARE),
        Bar("face", face, face is not None and face < verdict.FACE_SHARE),
    )


def face(video: VideoMeasures) -> str:
    """Say in how many frames a face was found."""
    return f"found in {video.n_with_face} of {video.n_sampled} sampled frames ({number(video.face_share, '.0%')})"
