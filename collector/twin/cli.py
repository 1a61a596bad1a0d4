"""``emo-twin``: a laboratory without hardware."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from joblib import Parallel, delayed
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from collector.twin import knobs as settings
from collector.twin import told
from collector.twin.cohort import CohortError, Participant, plan, record_participant
from collector.twin.knobs import Faults, Knobs, seed_of
from collector.twin.told import ToldError
from protocol import commands, folder
from protocol.folder import FolderError, Manifest, Run
from protocol.lsl import LslError, configure
from protocol.schedule import ScheduleError
from protocol.study import StudyError
from protocol.study import load as load_study_file
from protocol.study_files import StudyFiles, load_study
from stimuli.manifest import ManifestError

app = typer.Typer(
    help="A laboratory without hardware: simulated headset, camera and participants.",
    no_args_is_help=True, rich_markup_mode=None, add_completion=False,
)  # fmt: skip
out, err = Console(), Console(stderr=True)

BAD_INPUT = (StudyError, ManifestError, ScheduleError, FolderError, CohortError, LslError, ToldError)

Effect = Annotated[float, typer.Option(min=0, max=10, help="How strongly EEG and face carry the emotion; 0 = not at all.")]
KnobTexts = Annotated[
    list[str] | None,
    typer.Option(
        "--knob", metavar="NAME=VALUE",
        help="What shows, as often as needed: trial=1, stimulus=1, participant=0, eeg_emotions=sadness,fear, "
        "face_emotions=happiness, eeg_absent=0.1, face_absent=0.15, blinks_missed=0.1, blinks_false=0.1.",
    ),
]  # fmt: skip
FaultsFile = Annotated[
    Path | None, typer.Option(help="What goes wrong: a TOML file of latencies, drops, gaps .. (docs/collector.md).")
]


@app.command(short_help="Be a headset over LSL.", epilog="Example: emo-twin live my-study --participant-seed 1")
def live(
    study: Annotated[Path, typer.Argument(help="Study file or folder, or a run's folder with its session.json.")],
    participant_seed: Annotated[
        int | None, typer.Option(min=0, help="Which simulated participant; for a run's folder its own.")
    ] = None,
    effect: Annotated[float | None, typer.Option(min=0, max=10, help="How strongly the EEG carries the emotion.")] = None,
    session_id: Annotated[
        str | None, typer.Option(help="LSL session to be found in; others neither see nor disturb it.")
    ] = None,
    faults: FaultsFile = None,
    knob: KnobTexts = None,
) -> None:
    """Be an Emotiv FLEX 2 over LSL until the session ends (marker session/end) or SIGTERM arrives."""
    where = configure(session_id)
    plan = load_study_file(study)
    seed, strength = _whom(study, participant_seed, effect)
    shown, broken = told.from_environment(effect=strength)
    shown, broken = told.knobs(knob or (), base=shown), told.faults(faults) if faults else broken
    from collector.twin import headset

    stop = threading.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        signal.signal(which, lambda *_: stop.set())
    seen = f"LSL session {where}" if where else "LSL's default session: recorders on the whole network see it"
    err.print(f"simulated headset: participant seed {seed}, effect {shown.effect:g}; {seen}", highlight=False, soft_wrap=True)
    sent = headset.run(plan, seed=seed, knobs=shown, faults=broken, stop=stop)
    err.print(f"simulated headset: ended after {sent.eeg} EEG samples", highlight=False)


@app.command(
    short_help="Simulate whole sessions.",
    epilog="Example: emo-twin cohort my-study --out data --participants 15 --seed 1 --below 8",
)
def cohort(
    study: Annotated[Path, typer.Argument(help="Study file, or the folder in which study.toml lies.")],
    data: Annotated[Path, typer.Option("--out", help="Data folder for the sessions.")],
    participants: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 15,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same cohort.")] = 1,
    effect: Effect = 1.0,
    below: Annotated[int, typer.Option(min=0, help="How many miss the contact-quality rule.")] = 0,
    knob: KnobTexts = None,
    faults: FaultsFile = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0 = one per core.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Simulate whole sessions, faster than real time, through the session and the writers of real ones."""
    shown, broken = told.knobs(knob or (), base=Knobs(effect=effect)), told.offline_faults(faults) if faults else Faults()
    files = load_study(study)
    people = plan(files, data, n=participants, seed=seed, below=below)
    runs = _simulate(files, data, people, shown, broken, workers=workers or os.cpu_count() or 1, quiet=as_json)
    sessions = [_summary(run) for run in runs]
    if as_json:
        typer.echo(json.dumps({"sessions": sessions}))
        return
    kept = sum(one["verdict"] == "keep" for one in sessions)
    out.print(f"{data}: {len(sessions)} simulated sessions; contact quality keeps {kept}", markup=False, highlight=False)
    out.print(f"Next: emo-export {data} BIDS_ROOT --simulated", markup=False, highlight=False)


def _whom(path: Path, seed: int | None, effect: float | None) -> tuple[int, float]:
    """Return seed and effect: as asked, else as the launcher says, else of the run's participant."""
    told_seed, told_effect = settings.from_environment()
    if seed is None and settings.SEED_VARIABLE not in os.environ and (path / "session.json").exists():
        seed = seed_of(folder.open_run(path).participant)
    return (told_seed if seed is None else seed), (told_effect if effect is None else effect)


def _simulate(
    files: StudyFiles, data: Path, people: tuple[Participant, ...], knobs: Knobs, faults: Faults, *, workers: int, quiet: bool
) -> list[Run]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    jobs = (delayed(record_participant)(files, data, person, knobs=knobs, faults=faults) for person in people)
    with Progress(*columns, console=err, disable=quiet) as progress:
        task = progress.add_task("simulating sessions", total=len(people))
        runs = []
        for run in Parallel(n_jobs=min(workers, len(people)), return_as="generator_unordered")(jobs):
            runs.append(run)
            progress.advance(task)
    return sorted(runs, key=lambda run: run.participant)


def _summary(run: Run) -> dict[str, str | float | None]:
    manifest = Manifest.load(run.manifest_json)
    quality = manifest.quality
    return {
        "run": str(run.path),
        "participant": run.participant,
        "end": manifest.end,
        "verdict": quality.verdict if quality else "not_judged",
        "contact_quality": quality.value if quality else None,
    }


def main() -> NoReturn:
    """Run ``emo-twin``."""
    commands.run(app, BAD_INPUT)
