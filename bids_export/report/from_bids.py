"""The facts of an exported recording: read from the dataset alone, as anybody could."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import mne
import numpy as np

from bids_export import eeg, happenings, physio, receipts, tables, video
from bids_export import events as event_table
from bids_export.alignment import Gap
from bids_export.arrays import Floats
from bids_export.events import Event
from bids_export.report import faces
from bids_export.report.facts import Contact, Facts, Film, Point, ReportError, Signals, Span
from bids_export.report.from_run import clips
from bids_export.started import of_columns
from bids_export.timeline import BAD_GAP, in_full
from collector.quality import CQ_LEVELS, EQ_LEVELS, judge, without
from protocol import folder
from protocol.folder import Quality

Row = dict[str, str]
_NAME = re.compile(
    r"sub-(?P<sub>\w+)_ses-(?P<ses>\w+)_task-(?P<task>\w+)_run-(?P<run>\w+)_eeg\.vhdr".replace(r"\w", "[A-Za-z0-9]")
)
_NO_REASON = "the dataset does not say why"


@dataclass(frozen=True)
class Rule:
    """The rule on contact quality that a dataset was made by."""

    metric: Literal["CQ", "EQ"]
    over: Literal["recording", "clips"]
    threshold: float


@dataclass(frozen=True)
class Dataset:
    """A BIDS dataset that ``emo-export`` made."""

    root: Path

    @cached_property
    def description(self) -> dict[str, Any]:
        """``dataset_description.json``."""
        return _json(self.root / "dataset_description.json")

    @property
    def name(self) -> str:
        """Name of the study."""
        return str(self.description.get("Name", self.root.name))

    @property
    def simulated(self) -> bool:
        """Whether nobody was recorded."""
        return self.description.get("Simulated") is True

    @cached_property
    def people(self) -> list[Row]:
        """Rows of ``participants.tsv``."""
        path = self.root / "participants.tsv"
        rows = read_tsv(path)
        if rows and "included" not in rows[0]:
            raise ReportError(f"{path}: has no column 'included': this dataset was not made by emo-export")
        return rows

    @cached_property
    def emotions(self) -> dict[str, str]:
        """The study's emotions with their colours, as the first recording tells them; none without a recording."""
        first = next(iter(self.recordings), None)
        return {} if first is None else _json(_beside(first, "_events.json")).get("target", {}).get("Colors", {})

    @cached_property
    def rule(self) -> Rule:
        """Which rule decided who is in."""
        path = self.root / "participants.json"
        said = _json(path).get("included", {}).get("Rule")
        try:
            return Rule(said["metric"], said["over"], float(said["threshold"]))
        except (TypeError, KeyError, ValueError):
            raise ReportError(f"{path}: included.Rule = {said!r}: is missing; export the dataset again") from None

    @cached_property
    def recordings(self) -> list[Path]:
        """The EEG header of every recording, in order."""
        return [p for p in sorted(self.root.glob("sub-*/ses-*/eeg/*_eeg.vhdr")) if _NAME.fullmatch(p.name)]


def load(dataset: Dataset, vhdr: Path) -> Facts:
    """Read one recording of a dataset.

    Parameters
    ----------
    dataset : Dataset
        Where it lies.
    vhdr : Path
        One of its ``recordings``.

    Raises
    ------
    ReportError, RecordingError, EventsError, TrialsError
        One line: file, key, value, cure.
    """
    who = _NAME.fullmatch(vhdr.name)
    if who is None:
        raise ReportError(f"{vhdr}: is not named sub-.._ses-.._task-.._run-.._eeg.vhdr")
    stem = vhdr.name.removesuffix("_eeg.vhdr")
    events = event_table.read(_beside(vhdr, "_events.tsv"))
    spans = judged(events, dataset.rule.over)
    signals = _signals(vhdr, events)
    contact = _contact(_beside(vhdr, f"_recording-{physio.RECORDING[dataset.rule.metric]}_physio.tsv.gz"), dataset.rule)
    scan = _scan(vhdr)
    emotions = _json(_beside(vhdr, "_events.json")).get("target", {}).get("Colors", {})
    person = next((row for row in dataset.people if row["participant_id"] == f"sub-{who['sub']}"), {})
    source = dataset.root / "sourcedata" / f"sub-{who['sub']}" / f"ses-{who['ses']}" / f"run-{who['run']}"
    about = _json(_beside(vhdr, "_eeg.json"))
    line_freq = about.get("PowerLineFrequency")
    scopes = tuple(person.get("consent", "").split("+"))
    return Facts(
        source="bids", study=dataset.name, task=who["task"], participant=who["sub"], session=who["ses"], run=who["run"],
        simulated=dataset.simulated, began=scan.get("acq_time", ""), end=_known(scan.get("ended")), end_reason="",
        scopes=scopes,
        emotions=emotions, line_freq=line_freq if isinstance(line_freq, int | float) else None,
        quality=_quality(scan, dataset.rule, contact, spans, signals.analysed), judged=spans, signals=signals, contact=contact,
        events=tuple(events), clips=clips(events, source / f"{stem}_trials.csv"), films=_films(vhdr, stem),
        expects_film="face" in scopes, sync=about.get("SyncCertificate", {}),
        latency_s=about.get("TransportLatency", {}).get("median_s"),
        happenings=happenings.read(source / f"{stem}_notes.tsv"), started=of_columns(scan),
        elsewhere=_elsewhere(vhdr, who["run"]),
    )  # fmt: skip


def remembered(dataset: Dataset, labels: Sequence[str] = ()) -> list[Facts]:
    """Return the runs whose recordings were left out of a dataset: what the export remembers of them.

    That is who it was, how the run ended, and what the rule made of it; nothing that needs the recording.
    """
    there = {tuple(_NAME.fullmatch(p.name).group("sub", "ses", "run")) for p in dataset.recordings}  # type: ignore[union-attr]
    found = []
    for (participant, session), receipt in receipts.load_all(dataset.root).items():
        for run in receipt.runs:
            if (participant, session, run.session.run) not in there and (not labels or participant in labels):
                found.append(_remembered(dataset, run))
    return found


def _remembered(dataset: Dataset, run: receipts.RunFacts) -> Facts:
    said = run.session
    sensors = next((_positions(p.parent) for p in dataset.recordings), {})  # one study, one montage
    wanted = "face" in said.consent.scopes
    return Facts(
        source="receipt", study=dataset.name, task=said.task, participant=said.participant, session=said.session, run=said.run,
        simulated=said.simulated, began=said.created_wall, end=run.end, end_reason="", scopes=said.consent.scopes, emotions={},
        line_freq=None, quality=run.quality, judged=(),
        signals=None, contact=None, events=(), clips=(), films=(),
        expects_film=wanted and not run.has_video, remembered=run.has_eeg, positions=sensors,
        notes=("the recording was left out of the dataset; this page shows what the export remembers of it",),
    )  # fmt: skip


def _beside(vhdr: Path, suffix: str) -> Path:
    return vhdr.with_name(vhdr.name.replace("_eeg.vhdr", suffix))


def judged(events: Sequence[Event], over: Literal["recording", "clips"]) -> tuple[Span, ...]:
    """Return the time that the rule looked at, seconds."""
    trials = [e for e in events if e.trial_type.startswith(("clip/", "rest/"))]
    spans = [(e.onset, e.onset + e.duration) for e in trials]
    pauses = [(e.onset, e.onset + e.duration) for e in events if e.trial_type == "pause"]
    if spans and over == "recording":
        first = min(e.onset for e in (*trials, *(e for e in events if e.trial_type.startswith("baseline/"))))
        spans = [(first, max(stop for _, stop in spans))]
    return tuple(without(spans, pauses))


def _signals(vhdr: Path, events: Sequence[Event]) -> Signals:
    raw = mne.io.read_raw_brainvision(vhdr, preload=True, verbose="ERROR")
    sfreq = float(raw.info["sfreq"])
    rows = read_tsv(_beside(vhdr, "_channels.tsv"))
    raw.pick([name for name in raw.ch_names if name not in {row["name"] for row in rows if row.get("type") == "MISC"}])
    out = {row["name"] for row in rows if row.get("status_description") == eeg.NOT_ANALYSED}
    gaps = [Gap(round(e.onset * sfreq), round(e.duration * sfreq)) for e in events if e.trial_type == BAD_GAP]
    return Signals(
        labels=tuple(raw.ch_names), volts=raw.get_data(), sfreq=sfreq, sfreq_measured=None, filled=tuple(gaps), n_lost=None,
        analysed=tuple(label for label in raw.ch_names if label not in out), positions=_positions(vhdr.parent),
    )  # fmt: skip


def _positions(folder: Path) -> dict[str, Point]:
    rows = [row for path in sorted(folder.glob("*_electrodes.tsv"))[:1] for row in read_tsv(path)]
    return {row["name"]: (float(row["x"]), float(row["y"]), float(row["z"])) for row in rows if row["x"] != tables.NA}


def _contact(path: Path, rule: Rule) -> Contact | None:
    if not path.exists():
        return None
    about = _json(path.with_name(path.name.replace(".tsv.gz", ".json")))
    values = np.genfromtxt(path, delimiter="\t", missing_values=tables.NA, filling_values=np.nan, ndmin=2)
    names: list[str] = about["Columns"]
    levels = CQ_LEVELS if rule.metric == "CQ" else EQ_LEVELS
    sensors = {name.removeprefix("sensor_"): n for n, name in enumerate(names) if name.startswith("sensor_")}
    return Contact(
        times=about["StartTime"] + np.arange(len(values)) / about["SamplingFrequency"],
        overall=values[:, names.index("overall")] if "overall" in names else np.full(len(values), np.nan),
        sensors={label: np.clip(values[:, n] / levels, 0, 1) for label, n in sensors.items()},
    )


def _scans(vhdr: Path) -> list[Row]:
    path = next(iter(sorted(vhdr.parents[1].glob("*_scans.tsv"))), None)
    return read_tsv(path) if path else []


def _scan(vhdr: Path) -> Row:
    return next((row for row in _scans(vhdr) if row["filename"] == f"eeg/{vhdr.name}"), {})


def _elsewhere(vhdr: Path, run: str, *, seen: tuple[str, ...] = ()) -> frozenset[int]:
    """Return the trials that the runs which go on with a run, one after the other, show in full."""
    found: set[int] = set()
    for row in _scans(vhdr):
        name = _NAME.fullmatch(Path(row["filename"]).name)
        if name is None or row.get("resumes") != f"run-{run}" or name["run"] in (run, *seen):
            continue
        later = vhdr.with_name(name[0])
        found |= set(in_full(event_table.read(_beside(later, "_events.tsv"))))
        found |= _elsewhere(later, name["run"], seen=(run, *seen))
    return frozenset(found)


def _quality(
    scan: Row, rule: Rule, contact: Contact | None, spans: Sequence[Span], analysed: Sequence[str]
) -> Quality:  # fmt: skip
    """Return the verdict that stands in the dataset; coverage and means per sensor are those of its readings."""
    told = np.isfinite(contact.overall) if contact is not None else np.zeros(0, dtype=bool)
    again = judge(
        contact.times[told] if contact is not None else np.zeros(0),
        contact.overall[told] if contact is not None else np.zeros(0),
        spans=spans, threshold=rule.threshold, metric=rule.metric, over=rule.over,
        per_sensor={name: s[told] for name, s in contact.sensors.items() if name in analysed} if contact is not None else {},
    )  # fmt: skip
    reason, value = _known(scan.get("exclusion_reason")), _known(scan.get("contact_quality"))
    verdict = "keep" if scan.get("included") == "yes" else "exclude"
    if verdict == "exclude" and (reason is None or reason.startswith("not judged")):
        verdict, reason = "not_judged", (reason or _NO_REASON).removeprefix("not judged: ")
    said = {"value": float(value) if value else None, "verdict": verdict, "reason": reason or ""}
    return again.model_copy(update=said)


def _films(vhdr: Path, stem: str) -> tuple[Film, ...]:
    films = []
    for path in sorted((vhdr.parents[1] / "beh").glob(f"{stem}_recording-face*_video.mkv")):
        onsets: Floats = np.array([float(row["onset"]) for row in read_tsv(frames_table(path))])
        pts_s = video.probe(path).pts_s
        n = min(len(pts_s), len(onsets))
        films.append(Film(name=path.name, n_frames=len(pts_s), onsets=onsets, faces=faces.look(path, pts_s[:n], onsets[:n])))
    return tuple(films)


def frames_table(path: Path) -> Path:
    """Return the table of frame times beside a video."""
    return path.with_name(path.name.replace("_video.mkv", "_frames.tsv"))


def read_tsv(path: Path) -> list[Row]:
    """Read a table.

    Raises
    ------
    ReportError
        When it is missing.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [
                {k: v or tables.NA for k, v in row.items() if k is not None}
                for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            ]
    except FileNotFoundError:
        raise ReportError(f"{path}: is missing; name a dataset that emo-export made") from None


def _json(path: Path) -> dict[str, Any]:
    try:
        content = tables.read_json(path)
    except FileNotFoundError:
        raise ReportError(f"{path}: is missing; name a dataset that emo-export made") from None
    except ValueError as error:
        raise ReportError(f"{path}: is not JSON ({error}); export the dataset again") from None
    return content if isinstance(content, dict) else {}


def _known(cell: str | None) -> str | None:
    return None if cell in (None, "", tables.NA) else cell


def select(dataset: Dataset, labels: Sequence[str]) -> list[Path]:
    """Return the recordings of some participants, or of all.

    Raises
    ------
    ReportError
        When a participant is unknown, or there is no recording at all.
    """
    known = {row["participant_id"].removeprefix("sub-") for row in dataset.people}
    if absent := [label for label in labels if label not in known]:
        have = ", ".join(sorted(known))
        raise ReportError(f"--participant-label = {absent[0]!r}: {dataset.root} does not have it; it has {have}")
    found = [p for p in dataset.recordings if not labels or p.name.split("_")[0].removeprefix("sub-") in labels]
    if not dataset.recordings:
        raise ReportError(f"{dataset.root}: holds no recording; nobody was kept, or it was not made by emo-export")
    return found


def left_out(dataset: Dataset, data: Path, labels: Sequence[str] = ()) -> list[folder.Run]:
    """Return the runs of a data folder that belong to the dataset's participants and were left out of it.

    Raises
    ------
    ReportError
        When a run is not the one that the dataset knows under its name.
    """
    known = receipts.load_all(dataset.root)
    found = []
    for facts in remembered(dataset, labels):
        run = data / f"sub-{facts.participant}" / f"ses-{facts.session}" / f"run-{facts.run}"
        if not (run / "session.json").exists():
            continue
        uid = folder.Session.load(run / "session.json").uid
        asked = {r.session.run: r.session.uid for r in known[facts.participant, facts.session].runs}[facts.run]
        if uid != asked:
            raise ReportError(f"{run}: uid = {uid!r}: the dataset knows another recording ({asked!r}) under this name")
        found.append(folder.open_run(run))
    return found
