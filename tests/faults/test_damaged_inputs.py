"""Inputs that somebody edited, or a disk damaged: only our own exceptions, with the place; bounded in memory and time."""

import json
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from collector import xdf
from collector.xdf import XdfError
from protocol import journal, markers, trials
from protocol import study as study_file
from protocol.folder import FolderError, Manifest, Session
from protocol.journal import Journal, JournalError
from protocol.markers import Marker, MarkerError
from protocol.presets import Sizes, preset
from protocol.study import StudyError
from protocol.trials import TrialRow, TrialsError, TrialTable
from stimuli import manifest as clip_table
from stimuli.manifest import ManifestError
from tests.collector.recordings import record
from tests.faults.counts import count

SEED = 5
FULL_OF_ALL = 100_000
MEMORY_B = 64 << 20  # nothing that a damaged length asks for is made; an XML parser stops entities that multiply at 8 MB
CPU_S = 5.0  # processor time, not the clock on the wall

# what a careless hand, another program or an attacker puts into a file
NUMBERS = [b"0", b"-1", b"1e999", b"nan", b"inf", b"1e-320", b"4294967296", b"9" * 400, b"0x10", "½٣".encode(), b"1_000"]
WORDS = [b"", b"null", b"true", b"[]", b"{}", b'"', b"\0", b"..", b"../../etc/passwd", b"\xff\xfe", "🙂é".encode(), b"A" * 5000]
STRUCTURE = [
    b"\n",
    b"\t",
    b"\r\n",
    b"=",
    b"[[",
    b"]]",
    b"<",
    b"&x;",
    b"</info>",
    b"XDF:",
    b"[" * 200,
    b"<a>" * 300,
    b"\xff" * 9,
]
XML = b'<!DOCTYPE info [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">'.encode() for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
TOKENS = [*NUMBERS, *WORDS, *STRUCTURE, XML + b"]><info>&i;</info>"]


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Return the bytes with one to four damages of a random kind."""
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(0, len(data) + 1))
        upto = min(len(data), at + int(rng.choice([1, 2, 8, 64, 1024])))
        kind = int(rng.integers(0, 7))
        if kind == 0:
            data = data[:at]
        elif kind == 1:
            data = data[:at] + data[upto:]
        elif kind == 2:
            data = data[:at] + data[at:upto] * int(rng.integers(2, 5)) + data[upto:]
        elif kind == 3:
            data = data[:at] + rng.bytes(upto - at) + data[upto:]
        elif kind == 4:
            data = data[:at] + bytes(upto - at) + data[upto:]
        elif kind == 5:
            data = data[:at] + TOKENS[int(rng.integers(len(TOKENS)))] + data[upto:]
        else:
            data = _other_value(data, rng)
    return data


def _other_value(data: bytes, rng: np.random.Generator) -> bytes:
    """Put something else where a value stands: behind = or : or > or a tab, up to the end of it."""
    places = [i for i, byte in enumerate(data) if byte in b"=:>\t"]
    if not places:
        return data
    at = int(rng.choice(places)) + 1
    upto = next((i for i in range(at, len(data)) if data[i] in b"\n\t<,}"), len(data))
    return data[:at] + TOKENS[int(rng.integers(len(TOKENS)))] + data[upto:]


@dataclass(frozen=True)
class Kind:
    """A kind of input: how one is made, what reads it, and what that may raise."""

    suffix: str
    make: Callable[[Path], None]
    read: Callable[[Path], object]
    own: tuple[type[Exception], ...]


def _xdf(path: Path) -> None:
    record(path, seconds=0.25, crc=False)


def _with_crc(path: Path) -> None:
    record(path.with_name("whole.xdf"), seconds=0.25)
    path.write_bytes(path.with_name("whole.xdf.crc").read_bytes())


def _read_xdf(path: Path) -> None:
    out = path.with_name("recovered.xdf")
    for made in (out, xdf.crc_path(out)):
        made.unlink(missing_ok=True)
    xdf.check(path)
    xdf.read(path)
    xdf.mend(path, out)
    assert xdf.check(out).damage == ()


def _read_crc(path: Path) -> None:
    whole = path.with_name("whole.xdf")
    xdf.crc_path(whole).write_bytes(path.read_bytes())
    xdf.check(whole)
    xdf.read(whole)


def _study(path: Path) -> None:
    path.write_text(preset("demo", Sizes())[0], encoding="utf-8")


def _clips(path: Path) -> None:
    known = {
        "file": "clips/{0}01.mp4", "sha256": "0" * 64, "target": "{0}", "start_s": "0.0", "stop_s": "3.0",
        "licence": "CC0-1.0", "source": "made", "stim_id": "{0}01",
    }  # fmt: skip
    rows = ["\t".join(known[c].format(name) for c in clip_table.COLUMNS) for name in ("fear", "happiness", "sadness")]
    path.write_text("\n".join(["\t".join(clip_table.COLUMNS), *rows, ""]), encoding="utf-8")


def _session(path: Path) -> None:
    path.write_text(json.dumps({
        "schema": 1, "uid": "u", "participant": "07", "session": "01", "run": "01", "task": "emotion", "simulated": True,
        "study_sha256": "0", "resumes": None, "created_wall": "2026-01-01T00:00:00Z", "created_lsl": 1.0, "boot": "b",
        "person": {"age_y": 24.0, "sex": "F", "handedness": "R", "hair": None, "cap_size": None, "head_circumference_cm": 56.0},
        "consent": {"version": "1", "signed_ref": None, "scopes": ["eeg"], "t_wall": "2026-01-01T00:00:00Z"},
        "versions": {"psychopy": "2026.2"},
    }, indent=2))  # fmt: skip


def _manifest(path: Path) -> None:
    path.write_text(json.dumps({
        "schema": 1, "session_uid": "u", "end": "complete", "reason": "", "closed_wall": "2026-01-01T00:00:00Z",
        "files": [{"path": "session.json", "size_B": 100, "sha256": "0" * 64}],
        "streams": [{"name": "eeg", "id": 1, "n": 100, "n_lost": 0, "t_first": 1.0, "t_last": 2.0}], "quality": None,
    }, indent=2))  # fmt: skip


def _markers(path: Path) -> None:
    path.write_text(str(Marker("clip/onset", {"trial": "3", "block": "1", "stim_id": "fear 02", "target": "fear"})))


def _read_markers(path: Path) -> None:
    markers.parse(path.read_bytes().decode("utf-8", "replace"))


def _journal(path: Path) -> None:
    with Journal(path, now=lambda: 1.0) as written:
        for n in range(5):
            written.write("note", "something", {"n": n, "why": "a reason"})


def _trials(path: Path) -> None:
    table = TrialTable(path)
    table.append(_row())


def _row() -> TrialRow:
    from dataclasses import fields

    return TrialRow(**{f.name: _value(str(f.type)) for f in fields(TrialRow)})


def _value(kind: str) -> object:
    return "text" if "str" in kind else 1.5 if "float" in kind else 3 if "int" in kind else ()


KINDS = {
    "XDF": Kind(".xdf", _xdf, _read_xdf, (XdfError,)),
    "XDF checksums": Kind(".crc", _with_crc, _read_crc, (XdfError,)),
    "study file": Kind(".toml", _study, study_file.load, (StudyError,)),
    "table of clips": Kind(".tsv", _clips, clip_table.load, (ManifestError,)),
    "session.json": Kind(".json", _session, Session.load, (FolderError,)),
    "manifest.json": Kind(".json", _manifest, Manifest.load, (FolderError,)),
    "marker": Kind(".txt", _markers, _read_markers, (MarkerError,)),
    "journal": Kind(".jsonl", _journal, journal.read, (JournalError,)),
    "trial table": Kind(".csv", _trials, trials.read, (TrialsError,)),
}
SHARE = {"XDF": 0.4, "study file": 0.2}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numpy, about stamps that are no numbers
def test_damaged_inputs_raise_our_exceptions_alone(name: str, tmp_path: Path, fault_row: Callable[..., None]) -> None:
    kind = KINDS[name]
    path, rng = tmp_path / f"input{kind.suffix}", np.random.default_rng(SEED)
    kind.make(path)
    kind.read(path)  # whole, it is read
    whole, n = path.read_bytes(), count(60, round(FULL_OF_ALL * SHARE.get(name, 0.4 / (len(KINDS) - len(SHARE)))))
    bad, refused, slowest_s = [], 0, 0.0
    tracemalloc.start()
    for case in range(n):
        path.write_bytes(content := damaged(whole, rng))
        began = time.process_time()
        try:
            kind.read(path)
        except kind.own as error:
            refused += 1
            if not _placed(str(error), path, name):
                bad.append((case, f"no place: {error}"))
        except Exception as error:  # noqa: BLE001 - what this test looks for
            bad.append((case, f"{type(error).__name__}: {error}"))
        slowest_s = max(slowest_s, time.process_time() - began)
        if bad and bad[-1][0] == case:
            (tmp_path / f"bad-{case}{kind.suffix}").write_bytes(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    note = f"{refused} refused, {n - refused} read; at most {peak / 1e6:.1f} MB"
    fault_row(test=f"damaged inputs: {name}", n=n, passed=n - len(bad), note=note)
    assert bad == []
    assert peak < MEMORY_B
    assert slowest_s < CPU_S


def _placed(text: str, path: Path, name: str) -> bool:
    """Tell whether a message is one line that names the place; a marker is its own place."""
    return "\n" not in text and len(text) < 1000 and (name == "marker" or path.name in text or "whole.xdf" in text)
