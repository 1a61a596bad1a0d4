"""What a study had better not do: warnings, beside the faults that keep it from running. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

from protocol.study import Study
from stimuli.decode import Facts
from stimuli.manifest import Entry

FEWEST_TRIALS = 3  # with one clip of an emotion, clip and emotion are the same thing; with two, no split leaves one to train on
SHOWN = 3  # labels of a roster that are named before the last one
LOUDNESS_LU = 3.0  # between emotions: louder clips excite more, whatever they show

Clips = Sequence[tuple[Entry, Facts]]


def warnings(study: Study, clips: Clips, *, path: Path) -> list[str]:
    """Return what had better be changed, one line each.

    Parameters
    ----------
    study : Study
        The study.
    clips : sequence of (Entry, Facts)
        Of the trials, the practice and the mood repair, as far as their files could be read.
    path : Path
        The study file, for the messages.
    """
    return [
        *_few(study, path),
        *_rest(study, path),
        *_flashing(study, clips),
        *_loudness(study, clips, path),
        *_rates(study, clips),
        *_gaps(clips),
    ]


def rest_warning(study: Study) -> str | None:
    """Say what a rest that stands for an emotion cannot show; None where every emotion has clips."""
    rest = [name for name, emotion in study.emotions.items() if emotion.as_ == "rest"]
    if not rest:
        return None
    return (
        f'emotions.{rest[0]}: as = "rest": rest can be told from video without any emotion (nothing moves, nothing is heard); '
        f"do not read a recogniser's {rest[0]} as one"
    )


def stranger_warning(study: Study, participant: str) -> str | None:
    """Say that a label is not on the study's roster, and which one is like it; None where it is, or there is no roster."""
    roster = study.design.participants
    if not roster or participant in roster:
        return None
    like = meant(roster, participant)
    is_it = f"; is it {like}?" if like else ""
    return f"participant {participant} is not among those of design.participants ({few(roster)}){is_it}"


def few(roster: Sequence[str]) -> str:
    """Return a roster in one line.

    Examples
    --------
    >>> few([f"{n:02d}" for n in range(1, 16)])
    '01, 02, 03 .. 15'
    """
    return ", ".join(roster) if len(roster) <= SHOWN + 1 else f"{', '.join(roster[:SHOWN])} .. {roster[-1]}"


def meant(roster: Sequence[str], participant: str) -> str | None:
    """Return the label that was probably meant.

    Examples
    --------
    >>> meant(["06", "07", "08"], "70"), meant(["06", "07"], "7"), meant(["06", "07"], "ab")
    ('07', '07', None)
    """
    same = [one for one in roster if sorted(one) == sorted(participant) or one.lstrip("0") == participant.lstrip("0")]
    return next(iter(same or difflib.get_close_matches(participant, roster, n=1)), None)


def _few(study: Study, path: Path) -> Iterator[str]:
    n = study.stimuli.clips_per_emotion
    if n < FEWEST_TRIALS:
        yield (
            f"{path}: stimuli.clips_per_emotion = {n}: with fewer than {FEWEST_TRIALS} trials of each emotion nobody can tell "
            "the emotion from the clip; show more"
        )


def _rest(study: Study, path: Path) -> Iterator[str]:
    if text := rest_warning(study):
        yield f"{path}: {text}"


def _flashing(study: Study, clips: Clips) -> Iterator[str]:
    most = study.safety.max_flashes
    for entry, facts in clips:
        if facts.flashes > most and not study.safety.flashing:
            yield (
                f"{entry.where}: {entry.stim_id} flashes {facts.flashes} times in a second, safety.max_flashes = {most}: "
                "dangerous to some; show another clip, or set safety.flashing = true, which warns participants"
            )


def _loudness(study: Study, clips: Clips, path: Path) -> Iterator[str]:
    heard: dict[str, list[float]] = {}
    silent: dict[str, int] = {}
    for entry, facts in clips:
        if entry.target in study.emotions:
            heard.setdefault(entry.target, []).extend([facts.lufs] if facts.lufs is not None else [])
            silent[entry.target] = silent.get(entry.target, 0) + (facts.lufs is None)
    means = {emotion: sum(values) / len(values) for emotion, values in heard.items() if values}
    if means and any(silent.values()):
        most = max(silent, key=lambda name: silent[name])
        yield f"{path}: {silent[most]} clips of {most} are silent and others are not: silence would tell them apart"
    if not means:
        return
    soft, loud = min(means, key=lambda name: means[name]), max(means, key=lambda name: means[name])
    if means[loud] - means[soft] > LOUDNESS_LU:
        yield (
            f"{path}: clips of {loud} are {means[loud] - means[soft]:.1f} LU louder than those of {soft} "
            f"({means[loud]:.1f} and {means[soft]:.1f} LUFS): more than {LOUDNESS_LU:g} LU; make them equally loud"
        )


def _gaps(clips: Clips) -> Iterator[str]:
    for entry, facts in clips:
        if facts.gaps:
            at, seconds = facts.gaps[0]
            yield (
                f"{entry.where}: {entry.stim_id} stands still {len(facts.gaps)} times, first at {at:g} s for {seconds:g} s: "
                "frames are missing; take it from its source anew, unless it is meant so"
            )


def _rates(study: Study, clips: Clips) -> Iterator[str]:
    refresh = study.screen.refresh_hz
    for entry, facts in clips:
        if facts.fps > refresh * 1.01:
            yield (
                f"{entry.where}: {entry.stim_id} has {facts.fps:.4g} frames a second, screen.refresh_hz = {refresh:g}: "
                "some cannot be shown and will be counted as dropped; convert it, or use a faster screen"
            )
