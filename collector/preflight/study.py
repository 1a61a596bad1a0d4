"""The study: clips as the table says, a plan for the participant, the consent form. The full decode is ``emo-study check``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from collector.preflight.found import Found
from protocol import schedule
from protocol.estimate import Estimate, estimate
from protocol.schedule import ScheduleError
from protocol.study import Study, StudyError
from protocol.study_files import crosscheck, manifest_path, sheet_fault
from stimuli import manifest
from stimuli.manifest import Entry, ManifestError


@dataclass(frozen=True)
class Checked:
    """A study with what is wrong between it and its clips, in one line each."""

    study: Study
    path: Path
    entries: tuple[Entry, ...]
    faults: tuple[str, ...]

    @property
    def planned(self) -> Estimate:
        """How long a session lasts and how much disk it takes."""
        return estimate(self.study, self.entries)


def read(study: Study, path: Path) -> Checked:
    """Read the table of clips and compare it with the study; the clips themselves are not looked at."""
    try:
        entries, faults = manifest.read(manifest_path(study, path))
    except ManifestError as error:
        return Checked(study, path, (), (str(error),))
    return Checked(study, path, entries, (*faults, *crosscheck(study, entries, path=path)))


def faults(checked: Checked, *, participant: str | None) -> list[str]:
    """Return everything that is wrong: clips by hash, the sheet, and the participant's plan."""
    found = list(checked.faults)
    found += [fault for entry in checked.entries if (fault := manifest.fault_of(entry))]
    if (sheet := sheet_fault(checked.study, path=checked.path)) is not None:
        found.append(sheet)
    if not found:
        try:
            schedule.plan(checked.study, checked.entries, participant or "01")
        except (ScheduleError, StudyError) as error:
            found.append(str(error))
    return found


def judge(checked: Checked, found: list[str]) -> Found:
    """Judge the study in one line: the first fault, and how many more there are."""
    if found:
        more = f" (+ {len(found) - 1})" if len(found) > 1 else ""
        return Found("study/fault", {"why": found[0], "more": more, "study": checked.path.parent})
    planned = checked.planned
    return Found(
        "study/ok",
        {
            "name": checked.study.study.name, "clips": len(checked.entries), "trials": planned.n_trials,
            "minutes": f"{planned.length_s / 60:.0f}",
        },
    )  # fmt: skip


def consent(study: Study) -> Found:
    """Say what is asked of participants; no sheet is told, because nobody can agree to what they did not read."""
    form = study.consent
    values = {"version": form.version, "scopes": ", ".join(form.scopes), "sheet": form.sheet}
    return Found("consent/ok" if form.sheet else "consent/no_sheet", values)
