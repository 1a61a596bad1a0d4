"""Open an exported dataset with other people's programs alone: MOABB, braindecode, mne-bids-pipeline.

In an environment of its own, without emolab:

    python -m venv strangers
    strangers/bin/pip install moabb braindecode mne-bids-pipeline
    strangers/bin/python docs/open_without_emolab.py bids

braindecode needs a torch and a torchaudio that were made for each other, such as torch==2.11.0 torchaudio==2.11.0.
Tried with MOABB 1.7.2, braindecode 1.8.1 and mne-bids-pipeline 1.10.1: all three open the dataset.

Prints what each of them found, and ends with 1 when one of them did not open the dataset.
"""

import argparse
import importlib.metadata
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("MNE_LOGGING_LEVEL", "ERROR")


def by_moabb(root: Path) -> str:
    """Read every session with MOABB's LocalBIDSDataset."""
    from moabb.datasets.base import LocalBIDSDataset

    emotions = {name: n for n, name in enumerate(clips(root), 1)}
    data = LocalBIDSDataset(root, events=emotions, interval=(0, 2), paradigm="imagery")
    found = data.get_data(subjects=data.subject_list[:1])
    runs = [run for sessions in found.values() for of_session in sessions.values() for run in of_session.values()]
    kinds = {str(name) for raw in runs for name in set(raw.annotations.description)}
    return f"{len(data.subject_list)} participants; the first has {len(runs)} runs with {sorted(kinds & set(emotions))}"


def by_braindecode(root: Path) -> str:
    """Read every recording with braindecode's BIDSDataset."""
    from braindecode.datasets import BIDSDataset

    data = BIDSDataset(root=root, datatypes=["eeg"], suffixes=["eeg"], preload=False)
    raw = data.datasets[0].raw
    kinds = sorted({str(name) for name in raw.annotations.description if str(name).startswith("clip/")})
    return f"{len(data.datasets)} recordings; the first has {len(raw.ch_names)} channels, {raw.times[-1]:.1f} s, {kinds}"


def by_pipeline(root: Path) -> str:
    """Cut epochs around the clips with mne-bids-pipeline, its own defaults but for what it cannot know."""
    conditions = clips(root)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.py"
        config.write_text(
            f"bids_root = {str(root)!r}\nderiv_root = {folder + '/out'!r}\ntask = {task(root)!r}\nch_types = ['eeg']\n"
            f"data_type = 'eeg'\neeg_reference = 'average'\nconditions = {conditions!r}\nepochs_tmin = 0.0\nepochs_tmax = 2.0\n"
            "baseline = None\nl_freq = 1.0\nh_freq = 40.0\nspatial_filter = None\nreject = None\nsubjects = 'all'\n"
            "on_error = 'abort'\nrun_source_estimation = False\nconcatenate_epochs = False\n",
            encoding="utf-8",
        )
        command = [str(Path(sys.executable).with_name("mne_bids_pipeline")), f"--config={config}", "--steps=init,preprocessing"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError((done.stdout + done.stderr)[-1500:])
        epochs = sorted(Path(folder, "out").rglob("*proc-clean_epo.fif")) or sorted(Path(folder, "out").rglob("*_epo.fif"))
        import mne

        read = [mne.read_epochs(path, verbose="ERROR") for path in epochs]
        return f"{len(epochs)} files of epochs, {sum(len(e) for e in read)} epochs of {conditions}"


def clips(root: Path) -> list[str]:
    """Return the kinds of clips that the events name."""
    kinds: set[str] = set()
    for path in root.glob("sub-*/ses-*/eeg/*_events.tsv"):
        header, *rows = path.read_text(encoding="utf-8").splitlines()
        column = header.split("\t").index("trial_type")
        kinds |= {row.split("\t")[column] for row in rows}
    return sorted(kind for kind in kinds if kind.startswith("clip/"))


def task(root: Path) -> str:
    """Return the dataset's task label."""
    name = next(root.glob("sub-*/ses-*/eeg/*_eeg.vhdr")).name
    return name.split("_task-")[1].split("_")[0]


def main() -> int:
    """Try all three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="the dataset that emo-export wrote")
    root = parser.parse_args().root.resolve()
    failed = 0
    for package, look in (("moabb", by_moabb), ("braindecode", by_braindecode), ("mne-bids-pipeline", by_pipeline)):
        try:
            said = look(root)
        except Exception as error:  # noqa: BLE001  (whatever a stranger's program says is what we want to know)
            failed, said = failed + 1, f"FAILED: {type(error).__name__}: {error}"
        sys.stdout.write(f"{package} {importlib.metadata.version(package)}: {said}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
