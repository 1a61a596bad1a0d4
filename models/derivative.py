"""The derivative dataset of fused labels: tables of :mod:`models.labels` as files that the BIDS validator accepts."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from models import label_words, labels
from models.bids import BidsError, RecordingFiles, read_json
from models.face.crops import FaceData
from models.face.video import videos
from models.labels import Floats, Predictions, Row

NAME = "emolab"
BIDS_VERSION = "1.11.1"  # the newest that the validator knows
EVENTS, FRAMES = "_desc-fused_events", "_desc-face_beh"
PICTURES = "emo-train --faces"  # what writes a folder of ours without labels
CACHE = "cache"  # folder of features; a run that was stopped leaves nothing else
IGNORED = f"{CACHE}\nfigures\nmodels\nmetrics.json\nscores.json\n*.html\n"
_CARRIED = (  # what a behavioural table says of its task: copied from the EEG's sidecar, never invented
    "TaskName", "TaskDescription", "Instructions", "CogAtlasID", "CogPOID",
    "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where labels come from; stands in every sidecar.

    Parameters
    ----------
    split : str
        How training and test data were kept apart.
    leaky : bool
        Whether that split inflates scores.
    labels : str
        What the recognisers learnt: ``target``, ``rating`` or ``agreeing``.
    models, features : mapping of str to str
        By modality: the model (with its id, where one is kept) and the kind of its features.
    rule : str
        Of the fusion.
    seed : int
        Of training.
    data_sha256 : str
        Of the source recordings.
    abstain_below : float
        Smallest probability that gets a label.
    learnt_from : str
        SHA-256 of the recordings that the models have learnt from, where they are others than these.
    folds : mapping of str to mapping
        What made the labels of each fold: SHA-256 of its models' tensors, and the numbers of its fusion; a recording's sidecar
        has those of its own folds.
    sync : mapping of str to object
        What the source says of the clocks of screen, camera and EEG, by the key of its sidecar; filled in by :func:`write`.
    """

    split: str
    leaky: bool
    labels: str
    models: Mapping[str, str]
    features: Mapping[str, str]
    rule: str
    seed: int
    data_sha256: str
    abstain_below: float = 0.0
    learnt_from: str = ""
    folds: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    sync: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Faces:
    """What is known of single frames, in the order of the windows.

    Parameters
    ----------
    data : FaceData
        Which frames were looked at.
    frame_p : ndarray, shape (n_windows, n_frames, n_classes)
        Their probabilities, out of fold; NaN without a face.
    """

    data: FaceData
    frame_p: Floats


def check(out: Path, *, by: str = NAME) -> None:
    """Refuse a folder that holds anything but a derivative of ours, of the same kind.

    Parameters
    ----------
    out : Path
        Where to write.
    by : str
        What is going to write: :data:`PICTURES` writes over what it made itself, all others over labels and their models.

    Raises
    ------
    BidsError
        One line.
    """
    if not out.exists() or (out.is_dir() and all(path.name == CACHE for path in out.iterdir())):
        return
    made_by = read_json(out / "dataset_description.json").get("GeneratedBy") if out.is_dir() else None
    first = made_by[0] if isinstance(made_by, list) and made_by else {}
    if not isinstance(first, dict) or first.get("Name") != NAME:
        raise BidsError(f"{out}: holds something that {NAME} did not make; name another folder with --out")
    if (first.get("Description") == PICTURES) != (by == PICTURES):
        made = "what was learnt from pictures alone" if by != PICTURES else "labels of a dataset, and the models behind them"
        raise BidsError(f"{out}: holds {made}; name another folder with --out")


def write(
    out: Path,
    *,
    root: Path,
    recordings: Sequence[RecordingFiles],
    predictions: Predictions,
    provenance: Provenance,
    faces: Faces | None = None,
    made_by: str = "emo-train",
) -> tuple[Path, ...]:
    """Write the labels of all recordings as a BIDS derivative; tables of an earlier run are replaced.

    Parameters
    ----------
    out : Path
        Folder of the derivative, such as ``ROOT/derivatives/emolab``; made when it does not exist.
    root : Path
        The source dataset.
    recordings : sequence of RecordingFiles
        Where the windows come from.
    predictions : Predictions
        Out of fold, of all recordings.
    provenance : Provenance
        Where they come from.
    faces : Faces, optional
        For the tables of frames; left out for recordings where no frame was looked at.
    made_by : str
        The command.

    Returns
    -------
    tuple of Path
        The tables.

    Raises
    ------
    BidsError
        When the folder holds something else.
    """
    check(out)
    out.mkdir(parents=True, exist_ok=True)
    for old in (path for stem in (EVENTS, FRAMES) for path in sorted(out.glob(f"sub-*/**/*{stem}.*"))):
        old.unlink()
    _write_top(out, root, predictions.emotions, provenance, made_by)
    tables: list[Path] = []
    for files in recordings:
        mine = [i for i, w in enumerate(predictions.windows) if _of(files, (w.participant, w.session, w.run))]
        part = predictions.of(mine)
        folds = {name: said for name, said in provenance.folds.items() if name in part.fold}
        of_files = replace(provenance, sync=_sync(files), folds=folds)
        if any(part.fold):
            tables.append(_write_events(out, root, files, part, of_files))
        if faces is not None and (faces.data.frame[mine] >= 0).any():
            tables.append(_write_frames(out, root, files, part, faces, mine, of_files))
    return tuple(tables)


def write_folder(out: Path, source: Path, *, made_by: str) -> None:
    """Mark a folder as one of ours that holds models and scores, but no labels; `source` is what they were learnt from."""
    _write_json(
        out / "dataset_description.json",
        {
            "Name": f"{source.name}: recognisers",
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": "derivative",
            "GeneratedBy": [{"Name": NAME, "Version": version(NAME), "Description": made_by}],
        },
    )
    _write_text(out / ".bidsignore", IGNORED)


def _sync(files: RecordingFiles) -> dict[str, object]:
    """Return what the sidecars of a recording say of its clocks: offset, method, whether it was applied."""
    described = {**read_json(files.sibling("_eeg.json")), **read_json(files.sibling("_events.json"))}
    return {name: value for name, value in described.items() if name.lower().startswith("sync")}


def _of(files: RecordingFiles, who: tuple[str, str, str]) -> bool:
    return (files.participant, files.session, files.run) == who


def _write_events(out: Path, root: Path, files: RecordingFiles, part: Predictions, provenance: Provenance) -> Path:
    rows = labels.rows(part, split=provenance.split, abstain_below=provenance.abstain_below)
    path = out / _folder(files, root) / "eeg" / f"{files.stem}{EVENTS}.tsv"
    _write_table(path, labels.columns(part.emotions), rows)
    presentation = read_json(files.sibling("_events.json")).get("StimulusPresentation")
    sidecar = {
        "Description": "Emotions by EEG, by face and by both fused, for every clip and every window of 3 s",
        "Sources": [_uri(files.eeg, root)],
        "Provenance": asdict(provenance),
        **label_words.describe(part.emotions),
        **({} if presentation is None else {"StimulusPresentation": presentation}),
    }
    _write_json(path.with_suffix(".json"), sidecar)
    return path


def _write_frames(
    out: Path,
    root: Path,
    files: RecordingFiles,
    part: Predictions,
    faces: Faces,
    mine: Sequence[int],
    provenance: Provenance,
) -> Path:
    frame: NDArray[np.int64] = faces.data.frame[mine]
    rows = labels.frame_rows(
        faces.data.frame_s[mine], frame, faces.frame_p[mine], emotions=part.emotions, fold=part.fold,
        n_faces=None if faces.data.n_faces is None else faces.data.n_faces[mine],
        video=None if faces.data.video is None else faces.data.video[mine], videos=[path.name for path in videos(files)],
    )  # fmt: skip
    path = out / _folder(files, root) / "beh" / f"{files.stem}{FRAMES}.tsv"
    _write_table(path, labels.frame_columns(part.emotions), rows)
    described = read_json(files.sibling("_eeg.json"))
    sidecar = {
        "Description": "Emotions by the face recogniser for every frame that was looked at",
        **{name: described[name] for name in _CARRIED if name in described},
        "Sources": [_uri(video, root) for video in videos(files)],
        "Provenance": asdict(provenance),
        **label_words.describe_frames(part.emotions),
    }
    _write_json(path.with_suffix(".json"), sidecar)
    return path


def _folder(files: RecordingFiles, root: Path) -> PurePath:
    return files.eeg.parent.parent.relative_to(root)


def _uri(path: Path, root: Path) -> str:
    return f"bids:raw:{path.relative_to(root).as_posix()}"


def _write_top(out: Path, root: Path, emotions: Sequence[str], provenance: Provenance, made_by: str) -> None:
    source = read_json(root / "dataset_description.json")
    simulated = source.get("Simulated") is True
    raw = PurePath(os.path.relpath(root.resolve(), out.resolve())).as_posix()
    carried: dict[str, object] = {name: source[name] for name in ("License", "Authors") if name in source}
    _write_json(
        out / "dataset_description.json",
        {
            "Name": f"{source.get('Name', root.name)}: fused emotion labels",
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": "derivative",
            **carried,
            **({"Simulated": True} if simulated else {}),
            "GeneratedBy": [{"Name": NAME, "Version": version(NAME), "Description": made_by}],
            "SourceDatasets": [{"URL": raw}],
            "DatasetLinks": {"raw": raw},
        },
    )
    _write_text(out / ".bidsignore", IGNORED)
    _write_text(out / "README.md", _readme(str(source.get("Name", root.name)), emotions, provenance, simulated=simulated))
    described = (("fused", "emotions by EEG, by face and by both fused"), ("face", "emotions of single video frames"))
    _write_table(
        out / "descriptions.tsv",
        ("desc_id", "description"),
        [{"desc_id": f"desc-{name}", "description": text} for name, text in described],
    )
    _write_json(
        out / "descriptions.json",
        {
            "Description": "What the desc entities of file names mean",
            "desc_id": {"Description": "The entity"},
            "description": {"Description": "Its meaning"},
        },
    )


def _readme(name: str, emotions: Sequence[str], provenance: Provenance, *, simulated: bool) -> str:
    watermark = "**The source data are simulated: nothing here says anything about people.**\n\n" if simulated else ""
    leak = " This split leaks: its labels look better than they are." if provenance.leaky else ""
    apart = (
        f"Every label is out of fold (split `{provenance.split}`): the recognisers behind it were trained without the data "
        f"that the split keeps apart.{leak}"
        if not provenance.learnt_from
        else "The labels are of kept models, which have learnt from other recordings; where `out_of_fold` says `no`, from this "
        "one too, and the label looks better than it is; where `participant_seen` says `yes`, from the same person. `n/a`: it "
        "cannot be known."
    )
    missing = (
        "A window without a face has the label of the EEG, one without usable EEG (lost, disturbed, too few electrodes) that "
        "of the face, and is flagged; without both it has none. Only windows with EEG are learnt from and scored."
        if len(provenance.models) > 1
        else "Windows for which that recogniser has nothing to look at have no label, or no row."
    )
    features = ", ".join(f"{modality}: {kind}" for modality, kind in provenance.features.items())
    return f"""# Fused emotion labels of {name}

{watermark}`sub-*/**/*{EVENTS}.tsv` says for every clip and every window of 3 s what the EEG recogniser, the face recogniser and
their fusion found ({", ".join(emotions)}), with how far to trust it. `*{FRAMES}.tsv` has single video frames.

- `target` is what the clip was chosen to elicit, `rating` is what the participant said, `label` is what the machine says. They
  are three things.
- {apart} The recognisers learnt `{provenance.labels}`.
- Features: {features}. `seeded` and `pool96` are no pretrained networks; scores in `metrics.json` say what they are worth.
- EEG is scaled, and the face without a pretrained network centred, on the whole of each recording, those of tested participants
  included and no label looked at: the scores hold for recordings that are complete, not for a live stream.
- {missing}
- A label is a guess of a model about a stimulus, not a finding about a person.
"""


def _write_table(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    lines = ["\t".join(columns), *("\t".join(row[name] for name in columns) for row in rows)]
    _write_text(path, "\n".join(lines) + "\n")


def _write_json(path: Path, value: Mapping[str, object]) -> None:
    _write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _write_text(path: Path, text: str) -> None:
    """Write beside the final name and rename: no half-written file under its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    temporary.replace(path)
