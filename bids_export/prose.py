"""README and CHANGES of a dataset, as a person would write them. Pure."""

from __future__ import annotations

import re
import textwrap

from bids_export.survey import Survey
from protocol.labrecorder import RECORDER

_FILES = """\
## What is where

- `participants.tsv`: everybody who took part, also those who are left out, with the reason.
- `sub-*/ses-*/eeg/*_eeg.vhdr`: EEG as BrainVision, 32-bit floats in microvolts, as recorded: not filtered, not re-referenced,
  not resampled. Channels marked `bad` with "not analysed" in `channels.tsv` were recorded but are not analysed in this study.
- `*_events.tsv`: what happened when; every column is described in `*_events.json`. `target` is what a clip was chosen to
  elicit; `valence`, `arousal`, `dominance` and `rating` are what the participant answered.
{quality}{video}{stimuli}
## Time

All times are seconds from the first EEG sample on the EEG's own clock: `onset * SamplingFrequency` is the sample, at the end
of a recording too. Samples that were lost on the way are filled in, so that index and time stay one, and are marked by
`BAD_gap` events; MNE-Python leaves out what is marked so."""

_QUALITY = """\
- `*_recording-contact_physio.tsv.gz`, `*_recording-eegquality_physio.tsv.gz`: what the headset itself reported about its
  contact quality and its EEG quality. They are two different measures.
"""
_STIMULI = """\
- `stimuli/stimuli.tsv`: the clips, with the hash that says which file is meant. The clips themselves are not part of the
  dataset.
- `sourcedata/`: for each recording the study file and the clip table it was made with, and PsychoPy's table of trials.
"""
_VIDEO = """\
- `sub-*/ses-*/beh/*_recording-face_video.mkv`: the participant's face, with the time of each frame in `*_frames.tsv`. Faces
  are personal data: do not pass the videos on without the participant's consent to it (`consent` in `participants.tsv`).
  BIDS has no video yet; the names follow the draft BEP047, and `.bidsignore` lists them.
"""


_OTHERS = """\
recorded with LabRecorder, while another program showed the clips. An onset is when that program said so, which need not be when
the screen showed it: no flip was recorded, no frame counted, no delay between screen and EEG measured."""
_SHARED = """\
## What was left out to share this

No video of a face and nothing that was computed from single frames of one, no files of the recording programs, no serial
numbers. All dates of a participant are shifted by one secret offset, into the years 1903 to 1922: how far apart a participant's
sessions are is true, when they were is not. Ages above 89 years are given as 89. Times within a recording are as measured.
{unshared}"""


def readme(survey: Survey, *, has_video: bool, has_quality: bool, n_unshared: int | None = None) -> str:
    """Return the README; ``n_unshared`` are those left out of a dataset that is to be shared, None where it is not."""
    about, rule = survey.study.study, survey.study.contact_quality
    kept = sum(p.included for p in survey.participants)
    n = len(survey.participants)
    emotions = list(survey.study.emotions)
    listed = f"{', '.join(emotions[:-1])} and {emotions[-1]}"
    people = "1 participant" if n == 1 else f"{n} participants"
    parts = [f"# {about.name}"]
    if survey.simulated:
        parts.append("**Simulated data: nobody was recorded. EEG, faces and answers come from a program. Not for research.**")
    parts.append(
        f"EEG and contact quality of {people} who watched clips chosen to elicit {listed} and said after each what they felt"
        f"{'; with video of their faces' if has_video else ''}."
    )
    if about.description:
        parts.append(about.description)
    metric = "contact quality" if rule.metric == "CQ" else "EEG quality"
    parts.append(
        f"{kept} of {n} {'is' if kept == 1 else 'are'} kept for analysis: those whose {metric}, as reported by the headset, "
        f"reaches {rule.threshold:.0%} on average over the {rule.over}. The others stand in `participants.tsv` with the reason."
    )
    stimuli = _STIMULI if n_unshared is None else f"{_STIMULI.partition('- `sourcedata/`')[0]}"
    files = {"quality": _QUALITY if has_quality else "", "video": _VIDEO if has_video else "", "stimuli": stimuli}
    parts.append(_FILES.format(**files))
    if others := _of_others(survey):
        parts.append(others)
    if n_unshared is not None:
        parts.append(_SHARED.format(unshared=_unshared(n_unshared)).rstrip())
    if about.authors:
        parts.append(f"## Contact\n\n{', '.join(about.authors)}{_institution(survey)}")
    return "\n\n".join(parts) + "\n"


def _of_others(survey: Survey) -> str:
    """Say which recordings another recorder made; what each lacks is told where it was exported."""
    every = [run for person in survey.participants for session in person.sessions for run in session.runs]
    theirs = [run.session for run in every if RECORDER in run.session.versions]
    if not theirs:
        return ""
    names = ", ".join(f"sub-{s.participant} ses-{s.session} run-{s.run}" for s in theirs)
    which = "All recordings were" if len(theirs) == len(every) else f"{names} {'was' if len(theirs) == 1 else 'were'}"
    return "## Recorded with LabRecorder\n\n" + textwrap.fill(f"{which} {_OTHERS}", width=120, break_on_hyphens=False)


def _unshared(n: int) -> str:
    """Say how many did not agree; of them nothing else is told."""
    if not n:
        return ""
    return f"\n{n} further participant{'s'[: n != 1]} took part and did not agree to share {'their' if n != 1 else 'the'} data."


def _institution(survey: Survey) -> str:
    institution = survey.study.study.institution
    known = [text for text in (institution.department, institution.name, institution.address) if text]
    return f"\n\n{', '.join(known)}" if known else ""


def changes(survey: Survey) -> str:
    """Return CHANGES: one version for each day on which sessions were recorded, the newest first."""
    days: dict[str, list[str]] = {}
    for person in survey.participants:
        for session in person.sessions:
            began = min(run.session.created_wall for run in session.runs)
            days.setdefault(began[:10], []).append(f"sub-{person.label} ses-{session.session}")
    parts = []
    for n, (day, recorded) in enumerate(sorted(days.items())):
        what = "First sessions" if n == 0 else "Added"
        lines = textwrap.wrap(f"{what}: {', '.join(recorded)}.", width=110, initial_indent="  - ", subsequent_indent="    ")
        parts.append("\n".join([f"1.{n}.0 {day}", *lines]))
    return "\n".join(reversed(parts)) + "\n"


def changes_shared(survey: Survey) -> str:
    """Return CHANGES of a dataset that is to be shared: one version, on the shifted day of the latest session."""
    days = [run.session.created_wall[:10] for person in survey.participants for s in person.sessions for run in s.runs]
    n = len(survey.participants)
    return f"1.0.0 {max(days)}\n  - {n} participant{'s'[: n != 1]}. Dates are shifted, this one too: see the README.\n"


_PEOPLE = re.compile(r"(?<=EEG and contact quality of )\d+ participants?(?= who watched)")
_KEPT = re.compile(r"\d+ of \d+ (?:is|are)(?= kept for analysis)")
_CHANGED = re.compile(r"(?<=  - )\d+ participants?(?=\. Dates are shifted)")
_FURTHER = re.compile(r"\n\n\d+ further participants? took part and did not agree to share (?:their|the) data\.")


def recounted(text: str, *, n: int, kept: int, unshared: bool) -> str | None:
    r"""Return README or CHANGES of a dataset made to be shared with other numbers; None where they are not as we wrote them.

    Parameters
    ----------
    text : str
        As it is.
    n, kept : int
        Participants in the dataset, and those of them who are kept for analysis.
    unshared : bool
        Whether how many did not agree to share is true no more: the sentence goes, for nobody knows if they were all counted.

    Examples
    --------
    >>> recounted("1.0.0 1911-02-03\n  - 3 participants. Dates are shifted, ..", n=1, kept=1, unshared=False)
    '1.0.0 1911-02-03\n  - 1 participant. Dates are shifted, ..'
    """
    people = f"{n} participant{'s'[: n != 1]}"
    text, n_changed = _CHANGED.subn(people, text)
    text, n_people = _PEOPLE.subn(people, text)
    text, n_kept = _KEPT.subn(f"{kept} of {n} {'is' if kept == 1 else 'are'}", text)
    if (n_changed, n_people, n_kept) not in ((1, 0, 0), (0, 1, 1)):
        return None
    return _FURTHER.sub("", text) if unshared else text
