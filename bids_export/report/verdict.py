"""What a recording is worth: the rule's verdict with its reasons, and findings that a person should look at. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from bids_export.events import Event
from bids_export.report.facts import Facts
from bids_export.report.words import phrase
from bids_export.timeline import REPEATED
from collector import faces
from collector.phrases import Figure, Percent, Phrase
from collector.quality import LOST_LIMIT, WORDS
from protocol.folder import Quality

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
    """What a recording is worth, in the words of :mod:`collector.verdict`, and why.

    ``repeat``: it is kept without some trials, which have to be shown again to be used. ``aborted``: what there is may be used
    where the rule on contact quality keeps it.
    """

    verdict: Literal["keep", "repeat", "exclude", "not_judged", "aborted"]
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
    again = to_repeat(facts)
    if facts.end == "aborted":
        return Verdict("aborted", (_aborted(facts), _of_contact(quality), *_again(again), *began), again)
    if quality.verdict != "keep":
        return Verdict(quality.verdict, (quality.reason, *began))
    return Verdict("repeat" if again else "keep", (_of_contact(quality), *_again(again), *began), again)


def _aborted(facts: Facts) -> Phrase:
    return phrase("aborted_why", why=facts.end_reason) if facts.end_reason else phrase("aborted")


def _of_contact(quality: Quality) -> str:
    if quality.verdict != "keep":
        return f"{quality.verdict.replace('_', ' ')}: {quality.reason}"
    value = "" if quality.value is None else f" {quality.value:.2%}"
    return f"{WORDS[quality.metric]}{value}, at least {quality.threshold:.2%} is asked"


def to_repeat(facts: Facts) -> tuple[int, ...]:
    """Return the trials that are of no use: never shown in full, or with too much of the EEG lost while they were.

    A trial that the run which goes on with this one shows in full is answered for there, however it ended here.
    """
    trials = [e for e in facts.events if e.trial is not None and e.trial_type.startswith(("clip/", "rest/"))]
    good = {e.trial for e in trials if e.end == "complete" and _lost_share(e, facts) <= LOST_LIMIT}
    elsewhere = {e.trial for e in trials if e.end == REPEATED} - {e.trial for e in trials if e.end == "complete"}
    return tuple(sorted({e.trial for e in trials if e.trial is not None} - good - elsewhere - facts.elsewhere))


def _lost_share(event: Event, facts: Facts) -> float:
    """Return which share of a clip's EEG was not measured."""
    if facts.signals is None or event.duration <= 0:
        return 0.0
    sfreq, start, stop = facts.signals.sfreq, event.onset, event.onset + event.duration
    lost = (min(stop, (g.first + g.n) / sfreq) - max(start, g.first / sfreq) for g in facts.signals.filled)
    return sum(max(0.0, seconds) for seconds in lost) / event.duration


def _again(again: Sequence[int]) -> tuple[str, ...]:
    named = ", ".join(map(str, again))
    return (f"repeat {'clip' if len(again) == 1 else 'clips'} {named}",) if again else ()


def findings(
    facts: Facts, eeg: EegMeasures | None, clips: ClipMeasures, videos: Sequence[VideoMeasures]
) -> tuple[str, ...]:  # fmt: skip
    """Return what a person should look at; none of it changes the verdict. All but a source's own notes is a phrase."""
    of_eeg = _of_eeg(eeg) if eeg else ()
    return (*_of_session(facts), *of_eeg, *_of_clips(clips), *_of_videos(facts, videos), *_of_sync(facts), *facts.notes)


def _of_sync(facts: Facts) -> list[Phrase]:
    """Say what could not be measured although the session asked for it, and what is unusually late."""
    said: list[Phrase] = []
    for name, leg in facts.sync.items():
        asked = any(e.trial_type.startswith("sync/") for e in facts.events)
        if name != "screen-camera" and asked and not leg["estimable"]:
            said.append(phrase("sync", leg=name.replace("-", " to "), why=leg["reason"]))
        elif leg["estimable"] and leg["delay_s"] > LATE_S and not leg["applied"] and name == "screen-eeg":
            said.append(phrase("eeg_late", ms=f"{leg['delay_s'] * 1e3:.0f}"))
    return said


def _of_session(facts: Facts) -> list[Phrase]:
    said: list[Phrase] = []
    if facts.end == "recovered":
        said.append(phrase("recovered"))
    if facts.end == "aborted":
        said.append(_aborted(facts))
    worst = sorted((share, label) for label, share in facts.quality.per_sensor.items() if share < POOR_SHARE)
    if worst:
        more = phrase("more", n=len(worst) - 6) if len(worst) > 6 else ""
        named = ", ".join(f"{label} {share:.0%}" for share, label in worst[:6])
        of = len(facts.quality.per_sensor)
        said.append(phrase("contact", least=Percent(POOR_SHARE), n=len(worst), of=of, named=named, more=more))
    n_alarms = sum(h.kind == "alarm" for h in facts.happenings)
    if n_alarms:
        said.append(phrase("alarm") if n_alarms == 1 else phrase("alarms", n=n_alarms))
    return said


def _of_eeg(eeg: EegMeasures) -> list[Phrase]:
    said: list[Phrase] = []
    if eeg.n_filled:
        code, seconds = "gap" if len(eeg.gaps) == 1 else "gaps", Figure(eeg.n_filled / eeg.sfreq_nominal_hz, 2)
        said.append(phrase(code, n=eeg.n_filled, seconds=seconds, gaps=len(eeg.gaps)))
    if eeg.flat_channels:
        said.append(phrase("flat", least=Percent(FLAT_SHARE), named=", ".join(eeg.flat_channels)))
    odd = [f"{c.label} ({', '.join(c.unlike)})" for c in eeg.channels if c.analysed and c.unlike]
    if odd:
        said.append(phrase("unlike", named=", ".join(odd)))
    if eeg.gamma_share is not None and eeg.gamma_share < GAMMA_SHARE:
        edge = phrase("edge", hz=f"{eeg.edge_hz:.0f}") if eeg.edge_hz is not None else ""
        said.append(phrase("gamma", share=Percent(eeg.gamma_share), edge=edge))
    if eeg.worn is not None and eeg.worn.state == "no_blinks":
        said.append(phrase("no_blinks", n=eeg.worn.n_cues))
    elif eeg.blinks is not None and eeg.blinks.n_seen < BLINKS_SHARE * eeg.blinks.n_cues:
        said.append(phrase("blinks", n=eeg.blinks.n_seen, of=eeg.blinks.n_cues))
    strong = [c.label for c in eeg.channels if c.analysed and (c.mains_uv or 0) > MAINS_UV]
    if strong:
        said.append(phrase("mains", uv=f"{MAINS_UV:g}", named=", ".join(strong)))
    if eeg.sfreq_measured_hz and abs(eeg.sfreq_measured_hz / eeg.sfreq_nominal_hz - 1) * 1e6 > RATE_PPM:
        said.append(phrase("rate", declared=f"{eeg.sfreq_nominal_hz:g}", sent=Figure(eeg.sfreq_measured_hz, 2)))
    return said


def _of_clips(clips: ClipMeasures) -> list[Phrase]:
    said: list[Phrase] = []
    if clips.n_complete < clips.n:
        said.append(phrase("clips", n=clips.n - clips.n_complete, of=clips.n))
    if clips.frames_dropped:
        said.append(phrase("clip_frames", n=clips.frames_dropped))
    if clips.onset_error_max_s is not None and abs(clips.onset_error_max_s) > ONSET_ERROR_S:
        said.append(phrase("onset", ms=f"{clips.onset_error_max_s * 1e3:+.0f}"))
    if clips.audio_offset_max_s is not None and abs(clips.audio_offset_max_s) > AUDIO_OFFSET_S:
        said.append(phrase("sound", ms=f"{clips.audio_offset_max_s * 1e3:+.0f}"))
    return said


def _of_videos(facts: Facts, videos: Sequence[VideoMeasures]) -> list[Phrase]:
    said: list[Phrase] = []
    if facts.expects_film and not videos:
        said.append(phrase("no_video"))
    films = sorted((film for film in facts.films if len(film.onsets)), key=lambda film: float(film.onsets[0]))
    for before, after in pairwise(films):
        away = float(after.onsets[0] - before.onsets[-1])
        if away > HOLE_S:
            said.append(phrase("away", seconds=Figure(away, 1)))
    for video in videos:
        if video.n_frames != video.n_rows:
            said.append(phrase("frame_times", file=video.file, n=video.n_frames, of=video.n_rows))
        if video.face_share is not None and video.face_share < FACE_SHARE:
            seen = {"n": video.n_with_face, "of": video.n_sampled}
            said.append(phrase("face", **seen, share=Percent(video.face_share)))
        if video.n_late > LATE_FRAMES_SHARE * max(1, video.n_rows):
            said.append(phrase("late", file=video.file, n=video.n_late, of=video.n_rows))
        if video.brightness is not None and not DARK <= video.brightness <= BRIGHT:
            said.append(phrase("dark" if video.brightness < DARK else "bright", level=f"{video.brightness:.0f}"))
        elif video.clipped is not None and video.clipped > CLIPPED:
            said.append(phrase("clipped", share=Percent(video.clipped)))
        if video.longest_gap_s is not None and video.longest_gap_s > HOLE_S:
            said.append(phrase("missed", seconds=Figure(video.longest_gap_s, 1)))
    return said
