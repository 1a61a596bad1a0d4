"""What a recording is worth: the rule's verdict with its reasons, and findings that a person should look at. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from bids_export.events import Event
from bids_export.report.facts import Facts
from bids_export.timeline import REPEATED
from collector import faces
from collector.quality import LOST_LIMIT, WORDS

if TYPE_CHECKING:
    from bids_export.report.measures import ClipMeasures, EegMeasures, VideoMeasures

POOR_SHARE = 0.5  # half of Emotiv's scale is "poor"
FLAT_SHARE = 0.5  # a channel that is flat for half the time carries no brain
MAINS_UV = 20.0  # as large as the EEG itself
FACE_SHARE = 0.9  # of sampled frames
RATE_PPM = 1000.0  # crystals are true to 100 ppm: more is another rate than the one that was declared
ONSET_ERROR_S = 1 / 60  # one refresh of an ordinary screen
AUDIO_OFFSET_S = 0.1  # lips and voice that are further apart are noticed (ITU-R BT.1359: 45 to 125 ms)
HOLE_S = 0.5
LATE_S = 0.1
LATE_FRAMES_SHARE = 0.02  # of a camera's frames
DARK, BRIGHT, CLIPPED = faces.DARK, faces.BRIGHT, faces.CLIPPED  # of a face: the operator was told by the same
BLINKS_SHARE = 0.5  # of the cues
GAMMA_SHARE = 0.9  # of 31 to 51 Hz


@dataclass(frozen=True)
class Verdict:
    """Keep, exclude or not judged, and why; a recording that is kept may have trials that are to be repeated."""

    verdict: Literal["keep", "exclude", "not_judged"]
    reasons: tuple[str, ...]
    repeat: tuple[int, ...] = ()

    @property
    def word(self) -> str:
        """For people."""
        return self.verdict.replace("_", " ")


def judge(facts: Facts) -> Verdict:
    """Return the verdict on one recording: the rule on contact quality, where there is an EEG that may be used."""
    quality, began = facts.quality, facts.started.reasons
    if "eeg" not in facts.scopes:
        return Verdict("exclude", ("no consent to EEG",))
    if facts.signals is None and not facts.remembered:
        return Verdict("exclude", ("no EEG was recorded", *began))
    if quality.verdict == "keep":
        value = "" if quality.value is None else f" {quality.value:.2%}"
        return Verdict(
            "keep",
            (f"{WORDS[quality.metric]}{value}, at least {quality.threshold:.2%} is asked", *_again(facts), *began),
            to_repeat(facts),
        )
    return Verdict(quality.verdict, (quality.reason, *began))


def to_repeat(facts: Facts) -> tuple[int, ...]:
    """Return the trials that are of no use: never shown in full, or with too much of the EEG lost while they were.

    A trial of which only ``repeated`` rows are here was shown in full once more in the run that goes on with this one: that run
    answers for it.
    """
    trials = [e for e in facts.events if e.trial is not None and e.trial_type.startswith(("clip/", "rest/"))]
    good = {e.trial for e in trials if e.end == "complete" and _lost_share(e, facts) <= LOST_LIMIT}
    elsewhere = {e.trial for e in trials if e.end == REPEATED} - {e.trial for e in trials if e.end == "complete"}
    return tuple(sorted({e.trial for e in trials if e.trial is not None} - good - elsewhere))


def _lost_share(event: Event, facts: Facts) -> float:
    """Return which share of a clip's EEG was not measured."""
    if facts.signals is None or event.duration <= 0:
        return 0.0
    sfreq, start, stop = facts.signals.sfreq, event.onset, event.onset + event.duration
    lost = (min(stop, (g.first + g.n) / sfreq) - max(start, g.first / sfreq) for g in facts.signals.filled)
    return sum(max(0.0, seconds) for seconds in lost) / event.duration


def _again(facts: Facts) -> tuple[str, ...]:
    again = to_repeat(facts)
    named = ", ".join(map(str, again))
    return (f"repeat {'clip' if len(again) == 1 else 'clips'} {named}",) if again else ()


def findings(
    facts: Facts, eeg: EegMeasures | None, clips: ClipMeasures, videos: Sequence[VideoMeasures]
) -> tuple[str, ...]:  # fmt: skip
    """Return what a person should look at; none of it changes the verdict."""
    of_eeg = _of_eeg(eeg) if eeg else ()
    return (*_of_session(facts), *of_eeg, *_of_clips(clips), *_of_videos(facts, videos), *_of_sync(facts), *facts.notes)


def _of_sync(facts: Facts) -> list[str]:
    """Say what could not be measured although the session asked for it, and what is unusually late."""
    said = []
    for name, leg in facts.sync.items():
        asked = any(e.trial_type.startswith("sync/") for e in facts.events)
        if name != "screen-camera" and asked and not leg["estimable"]:
            said.append(f"sync {name.replace('-', ' to ')}: not estimable ({leg['reason']})")
        elif leg["estimable"] and leg["delay_s"] > LATE_S and not leg["applied"] and name == "screen-eeg":
            said.append(f"the EEG is {leg['delay_s'] * 1e3:.0f} ms later than the screen, and is not shifted")
    return said


def _of_session(facts: Facts) -> list[str]:
    said = []
    if facts.end == "recovered":
        said.append("the recording did not end as it should: a crash, or a loss of power")
    if facts.end == "aborted":
        said.append(f"the session was aborted{': ' if facts.end_reason else ''}{facts.end_reason}")
    worst = sorted((share, label) for label, share in facts.quality.per_sensor.items() if share < POOR_SHARE)
    if worst:
        more = f" and {len(worst) - 6} more" if len(worst) > 6 else ""
        named = ", ".join(f"{label} {share:.0%}" for share, label in worst[:6])
        said.append(f"contact below {POOR_SHARE:.0%} in {len(worst)} of {len(facts.quality.per_sensor)} sensors: {named}{more}")
    n_alarms = sum(h.kind == "alarm" for h in facts.happenings)
    if n_alarms:
        said.append(f"{n_alarms} alarm{'s'[: n_alarms != 1]} while it was recorded: see the timeline")
    return said


def _of_eeg(eeg: EegMeasures) -> list[str]:
    said = []
    if eeg.n_filled:
        where = "one gap" if len(eeg.gaps) == 1 else f"{len(eeg.gaps)} gaps"
        said.append(f"{eeg.n_filled} samples ({eeg.n_filled / eeg.sfreq_nominal_hz:.2f} s) in {where} were not measured")
    if eeg.flat_channels:
        said.append(f"flat for at least {FLAT_SHARE:.0%} of the time: {', '.join(eeg.flat_channels)}")
    odd = [f"{c.label} ({', '.join(c.unlike)})" for c in eeg.channels if c.analysed and c.unlike]
    if odd:
        said.append(f"unlike the other channels: {', '.join(odd)}")
    if eeg.gamma_share is not None and eeg.gamma_share < GAMMA_SHARE:
        until = f" from {eeg.edge_hz:.0f} Hz on" if eeg.edge_hz is not None else ""
        said.append(f"31 to 51 Hz: {eeg.gamma_share:.0%} of it holds signal; the headset filters{until}")
    if eeg.worn is not None and eeg.worn.state == "no_blinks":
        said.append(f"no blinks are to be seen after {eeg.worn.n_cues} cues: did somebody wear the cap?")
    elif eeg.blinks is not None and eeg.blinks.n_seen < BLINKS_SHARE * eeg.blinks.n_cues:
        said.append(f"{eeg.blinks.n_seen} of {eeg.blinks.n_cues} cues to blink were answered, as the EEG saw it")
    strong = [c.label for c in eeg.channels if c.analysed and (c.mains_uv or 0) > MAINS_UV]
    if strong:
        said.append(f"mains above {MAINS_UV:g} µV: {', '.join(strong)}")
    if eeg.sfreq_measured_hz and abs(eeg.sfreq_measured_hz / eeg.sfreq_nominal_hz - 1) * 1e6 > RATE_PPM:
        said.append(f"the headset declared {eeg.sfreq_nominal_hz:g} Hz and sent {eeg.sfreq_measured_hz:.2f} Hz")
    return said


def _of_clips(clips: ClipMeasures) -> list[str]:
    said = []
    if clips.n_complete < clips.n:
        said.append(f"{clips.n - clips.n_complete} of {clips.n} clips did not end as planned")
    if clips.frames_dropped:
        said.append(f"{clips.frames_dropped} frames of clips came too late to be shown")
    if clips.onset_error_max_s is not None and abs(clips.onset_error_max_s) > ONSET_ERROR_S:
        said.append(f"a clip began {clips.onset_error_max_s * 1e3:+.0f} ms off its flip")
    if clips.audio_offset_max_s is not None and abs(clips.audio_offset_max_s) > AUDIO_OFFSET_S:
        said.append(f"the sound of a clip began {clips.audio_offset_max_s * 1e3:+.0f} ms off its picture")
    return said


def _of_videos(facts: Facts, videos: Sequence[VideoMeasures]) -> list[str]:
    said = []
    if facts.expects_film and not videos:
        said.append("there is no face video")
    films = sorted((film for film in facts.films if len(film.onsets)), key=lambda film: float(film.onsets[0]))
    for before, after in pairwise(films):
        away = float(after.onsets[0] - before.onsets[-1])
        if away > HOLE_S:
            said.append(f"the camera was away for {away:.1f} s")
    for video in videos:
        if video.n_frames != video.n_rows:
            said.append(f"{video.file}: {video.n_frames} frames, but {video.n_rows} frame times")
        if video.face_share is not None and video.face_share < FACE_SHARE:
            said.append(f"a face was found in {video.n_with_face} of {video.n_sampled} sampled frames ({video.face_share:.0%})")
        if video.n_late > LATE_FRAMES_SHARE * max(1, video.n_rows):
            said.append(f"{video.file}: {video.n_late} of {video.n_rows} frames came late")
        if video.brightness is not None and not DARK <= video.brightness <= BRIGHT:
            said.append(
                f"the face is too {'dark' if video.brightness < DARK else 'bright'} (grey level {video.brightness:.0f})"
            )
        elif video.clipped is not None and video.clipped > CLIPPED:
            said.append(f"{video.clipped:.0%} of the face is black or white, without detail")
        if video.longest_gap_s is not None and video.longest_gap_s > HOLE_S:
            said.append(f"the camera missed up to {video.longest_gap_s:.1f} s")
    return said
