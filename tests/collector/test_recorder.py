"""The collector as a process, beside real LSL outlets."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import pyxdf
from typer.testing import CliRunner

from collector import cli, xdf
from collector.desk import Desk
from collector.video import VideoWriter
from protocol import folder
from protocol.folder import Consent, Manifest, Person, Run, Session
from protocol.journal import read
from protocol.link import Hub, Link
from protocol.messages import Ack, Alarm, Command, Status

STUDY = """
[study]
name = "test"
[emotions]
fear = { hed = "Fearful", color = "#CC79A7" }
neutral = { hed = "Emotionally-neutral", color = "#7F7F7F" }
[camera]
source = "face.mkv"
size_px = [160, 120]
fps = 30
[consent]
version = "1"
"""
DEVICES = ("eeg", "cq", "eq")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A session that is about to be recorded; its camera is a video file."""
    with VideoWriter(tmp_path / "face.mkv", (160, 120), 30) as video:
        for i in range(30):
            video.write(np.full((120, 160, 3), 8 * i, np.uint8), i / 30)
    run = folder.create(tmp_path / "data", participant="07", session="01", task="emotion")
    Session(
        uid="u1", participant="07", session="01", run=run.run, task="emotion", simulated=True, study_sha256="0", resumes=None,
        created_wall="2026-01-01T00:00:00Z", created_lsl=0.0, boot="b", person=Person(),
        consent=Consent(version="1", scopes=("eeg", "face"), t_wall="2026-01-01T00:00:00Z"), versions={},
    ).save(run.session_json)  # fmt: skip
    (tmp_path / "study.toml").write_text(STUDY)
    run.study_toml.write_text(STUDY)
    return run


class Lab:
    """Starts processes under one LSL session of their own, and ends them."""

    def __init__(self) -> None:
        self.environment = {**os.environ, "EMOLAB_LSL_SESSION": f"test-{uuid.uuid4().hex}", "OMP_NUM_THREADS": "1"}
        self.processes: list[subprocess.Popen[str]] = []

    def devices(self, *names: str) -> subprocess.Popen[str]:
        process = self.start(str(Path(__file__).with_name("fake_devices.py")), *names)
        assert process.stdout.readline() == "ready\n"
        return process

    def start(self, *args: str, **environment: str) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen([sys.executable, *args], env=self.environment | environment, **pipes)
        self.processes.append(process)
        return process

    def collector(self, run: Run, *args: str, **environment: str) -> subprocess.Popen[str]:
        study = str(run.data.parent / "study.toml")
        return self.start("-P", "-m", "collector", str(run.path), "--study", study, *args, **environment)


@pytest.fixture
def lab() -> Iterator[Lab]:
    lab = Lab()
    yield lab
    for process in lab.processes:
        process.kill()
        process.communicate()


def until(true: Callable[[], bool], *, at_most_s: float = 40.0) -> None:
    deadline = time.monotonic() + at_most_s
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def say(devices: subprocess.Popen[str], text: str) -> float:
    """Send a marker and return its stamp."""
    devices.stdin.write(f"marker {text}\n")
    devices.stdin.flush()
    return float(devices.stdout.readline())


def has_samples(path: Path, name: str, n: int) -> Callable[[], bool]:
    def look() -> bool:
        stream = xdf.by_name(xdf.read(path), name) if path.exists() and path.stat().st_size > 100 else None
        return stream is not None and len(stream.stamps) >= n

    return look


def notes(run: Run) -> list[str]:
    return [row[0] for row in xdf.by_name(xdf.read(run.xdf), "emolab-notes").values]


SESSION = [
    "session/start uid=u1", "baseline/eyes_open phase=onset", "clip/onset trial=1 stim_id=fear01 target=fear",
    "clip/offset trial=1 stim_id=fear01 target=fear end=complete", "session/end end=complete",
]  # fmt: skip


@pytest.mark.live
def test_a_session_is_recorded_without_a_loss_and_can_be_read_while_it_grows(run: Run, lab: Lab, tmp_path: Path) -> None:
    devices = lab.devices(*DEVICES, "markers")
    collector = lab.collector(run)
    until(has_samples(run.xdf, "EmotivDataStream-EEG", 128))
    sent = []
    for text in SESSION:
        sent.append(say(devices, text))
        copy = shutil.copy(run.xdf, tmp_path / "copy.xdf")
        growing = {s["info"]["name"][0]: s for s in pyxdf.load_xdf(str(copy))[0]}
        assert (np.diff(growing["EmotivDataStream-EEG"]["time_series"][:, 0]) == 1).all()
        time.sleep(0.3)
    assert collector.wait(40) == 0
    streams = xdf.read(run.xdf)
    eeg, markers = xdf.by_name(streams, "EmotivDataStream-EEG"), xdf.by_name(streams, "emolab-markers")
    assert (np.diff(eeg.values[:, 0]) == 1).all()
    np.testing.assert_allclose(np.diff(eeg.stamps), 1 / 256, atol=1e-6)
    assert [row[0] for row in markers.values] == SESSION
    assert markers.stamps.tolist() == sent
    theirs = {s["info"]["name"][0]: s for s in pyxdf.load_xdf(str(run.xdf))[0]}
    assert [row[0] for row in theirs["emolab-markers"]["time_series"]] == SESSION
    np.testing.assert_allclose(theirs["emolab-markers"]["time_stamps"], sent, atol=0.001)
    frames = xdf.by_name(streams, "emolab-frames")
    with av.open(str(run.video())) as container:
        shown = [float(f.pts * f.time_base) for f in container.decode(video=0)]
    assert dict(frames.header.desc)["file"] == run.video().name
    assert frames.values[:, 1].tolist() == pytest.approx(shown)
    wall = xdf.by_name(streams, "emolab-wallclock")
    np.testing.assert_allclose(np.diff(wall.values[:, 0]), np.diff(wall.stamps), atol=0.01)
    rtt = xdf.by_name(streams, "emolab-clock-offsets").values
    assert ((rtt[:, 2] > 0) & (np.abs(rtt[:, 1]) < 0.01)).all()
    assert xdf.check(run.xdf).damage == ()
    manifest = Manifest.load(run.manifest_json)
    assert (manifest.end, manifest.quality.verdict, manifest.quality.value) == ("complete", "keep", pytest.approx(0.95))
    assert {s.name: s.n_lost for s in manifest.streams}["EmotivDataStream-EEG"] == 0
    states = [row.name for row in read(run.journal("collector")) if row.kind == "state"]
    assert states == ["searching", "recording", "session/end", "closing", "closed", "manifest"]


@pytest.mark.live
def test_a_missing_stream_is_named_with_those_that_were_seen_and_nothing_is_written(run: Run, lab: Lab) -> None:
    lab.devices("eeg", "eq")
    _, said = (collector := lab.collector(run, "--wait", "10")).communicate(timeout=40)
    assert collector.returncode == 1
    last = said.strip().splitlines()[-1]
    assert "eeg.contact_quality_stream (name = EmotivDataStream-Contact-Quality) is not there" in last
    assert "EmotivDataStream-EEG (type EEG, 4 channels, 256 Hz" in last
    assert {p.name for p in run.path.iterdir()} == {"session.json", "study.toml", "journal-collector.jsonl"}


@pytest.mark.live
def test_two_streams_that_fit_one_description_are_refused_until_they_are_told_apart(run: Run, lab: Lab) -> None:
    lab.devices(*DEVICES, "eeg2")
    refused = lab.collector(run, "--wait", "10")
    _, said = refused.communicate(timeout=40)
    assert refused.returncode == 1
    assert "fits several streams" in said and "source_id = eeg-2" in said and "name the right one's host or source_id" in said
    run.study_toml.write_text(STUDY + '[eeg]\nstream = { name = "EmotivDataStream-EEG", source_id = "eeg-2" }\n')
    collector = lab.collector(run)
    until(has_samples(run.xdf, "EmotivDataStream-EEG", 64))
    collector.send_signal(signal.SIGTERM)
    assert collector.wait(40) == 1
    assert xdf.by_name(xdf.read(run.xdf), "EmotivDataStream-EEG").header.source_id == "eeg-2"


@pytest.mark.live
def test_a_stream_that_dies_is_noted_the_rest_goes_on_and_sigterm_ends_cleanly(run: Run, lab: Lab) -> None:
    hub = Hub(now=time.monotonic)
    devices = lab.devices(*DEVICES)
    collector = lab.collector(run, **hub.environment)
    heard = []

    def recording() -> bool:
        heard.extend(hub.receive(timeout_s=0.01))
        return any(isinstance(e.body, Status) and e.body.recording for e in heard)

    def lost() -> bool:
        heard.extend(hub.receive(timeout_s=0.01))
        return any(isinstance(e.body, Alarm) and e.body.code == "stream/lost EmotivDataStream-EEG" for e in heard)

    until(recording)
    hub.send("collector", Command(verb="note", reason="cap/wet", arg="more saline"))
    devices.stdin.write("drop eeg\n")
    devices.stdin.flush()
    until(lost)
    time.sleep(2.0)
    alarm = next(e.body for e in heard if isinstance(e.body, Alarm))
    status = [e.body for e in heard if isinstance(e.body, Status)][-1]
    cq = next(s for s in status.streams if s.kind == "contact_quality")
    assert cq.age_s < 2.0
    assert status.camera.file == run.video().name
    assert status.disk.free_B > 0
    collector.send_signal(signal.SIGTERM)
    assert collector.wait(40) == 1
    hub.close()
    streams = xdf.read(run.xdf)
    eeg, quality = (xdf.by_name(streams, f"EmotivDataStream-{kind}") for kind in ("EEG", "Contact-Quality"))
    assert alarm.t_cause == pytest.approx(eeg.stamps[-1], abs=0.5)
    assert quality.stamps[-1] > eeg.stamps[-1] + 1.5
    said = notes(run)
    assert said[0] == "recording/start"
    assert said[-1] == "recording/end"
    assert "cap/wet reason=more%20saline" in said
    assert "stream/lost stream=EmotivDataStream-EEG reason=its%20outlet%20is%20gone" in said
    assert xdf.check(run.xdf).damage == ()
    assert xdf.check(run.xdf).closed
    manifest = Manifest.load(run.manifest_json)
    assert (manifest.end, manifest.reason) == ("aborted", "SIGTERM")
    assert manifest.quality.verdict == "not_judged"


@pytest.mark.live
def test_the_recorder_alone_records_until_ctrl_c_and_tells_what_it_has(run: Run, lab: Lab, tmp_path: Path) -> None:
    lab.devices(*DEVICES)
    out = tmp_path / "pilot.xdf"
    program = "import sys; from collector.cli import main; sys.argv[0] = 'emo-record'; main()"
    nobody = lab.start("-c", program, "run", str(tmp_path / "study.toml"), "--out", str(out))
    _, said = nobody.communicate(timeout=40)
    assert nobody.returncode == 2
    assert said.startswith("--consent: not given") and len(said.splitlines()) == 1
    agreed = ("--consent", "eeg,face", "--minutes", "1")
    recorder = lab.start("-c", program, "run", str(tmp_path / "study.toml"), "--out", str(out), *agreed, "--json")
    until(has_samples(out, "EmotivDataStream-EEG", 64))
    recorder.send_signal(signal.SIGINT)
    told, _ = recorder.communicate(timeout=40)
    assert recorder.returncode == 0
    assert json.loads(told)["closed"] is True
    assert out.with_suffix(".mkv").exists()
    assert json.loads(out.with_suffix(".consent.json").read_text())["consent"]["scopes"] == ["eeg", "face"]
    again = lab.start("-c", program, "run", str(tmp_path / "study.toml"), "--out", str(out), *agreed)
    _, said = again.communicate(timeout=40)
    assert again.returncode == 2
    assert "never overwritten" in said


def a_recording(path: Path) -> Path:
    with xdf.Writer(path) as writer:
        writer.add_stream(1, xdf.header_xml(xdf.StreamHeader("eeg", "EEG", 2, 100.0, "float32")))
        writer.samples(1, np.arange(500) / 100, np.ones((500, 2), np.float32))
    return path


def check(path: Path) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, ["check", str(path)])
    return result.exit_code, result.output


def test_check_says_that_a_good_file_is_whole(tmp_path: Path) -> None:
    code, said = check(a_recording(tmp_path / "a.xdf"))
    assert code == 0
    assert "whole: 12 of 12 chunks match their checksums" in said
    assert "500" in said


def test_check_names_the_damaged_bytes_and_fails(tmp_path: Path) -> None:
    path = a_recording(tmp_path / "a.xdf")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    code, said = check(path)
    assert code == 1
    assert "does not match its checksum" in said
    assert "damaged: 1 places" in said


def test_check_tells_a_file_that_was_never_closed_from_a_damaged_one(tmp_path: Path) -> None:
    writer = xdf.Writer(tmp_path / "a.xdf")
    writer.add_stream(1, xdf.header_xml(xdf.StreamHeader("eeg", "EEG", 2, 100.0, "float32")))
    code, said = check(tmp_path / "a.xdf")
    writer.close()
    assert (code, "never closed" in said) == (0, True)


def test_check_refuses_what_is_no_recording_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.xdf").write_text("hello")
    for path, what in ((tmp_path / "a.xdf", "no XDF file"), (tmp_path / "none.xdf", "No such file")):
        result = subprocess.run(
            [sys.executable, "-c", "from collector.cli import main; main()", "check", str(path)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (result.returncode, result.stdout) == (2, "")
        assert what in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_a_launcher_that_comes_back_late_learns_which_alarms_are_on() -> None:
    """What waits for a launcher is limited, and the newest message is the one that finds no room."""
    hub = Hub(now=time.monotonic)
    address, token = hub.address, hub.token
    link = Link("collector", address=address, token=token, now=time.monotonic)
    hub.close()
    desk = Desk(link, None, now=time.monotonic)
    desk.alarm("stream/lost EEG", on=True, level="stop")
    for _ in range(1100):  # longer than any queue, at a status every half second: nine minutes
        desk.tell(lambda: Status(recording=True), at_once=True)
    desk.alarm("stream/lost EEG", on=False)
    desk.alarm("disk/low", on=True, why="80 MB left", t=12.5)
    back, said = Hub(now=time.monotonic, address=address, token=token), []

    def newest() -> tuple[Alarm, ...]:
        desk.tell(lambda: Status(recording=True), at_once=True)
        said.extend(envelope.body for envelope in back.receive(timeout_s=0.01))
        return next((body.alarms for body in reversed(said) if isinstance(body, Status)), ())

    until(lambda: [alarm.code for alarm in newest()] == ["disk/low"])
    assert newest() == (Alarm(code="disk/low", level="warn", t_cause=12.5, why="80 MB left"),)
    assert not any(isinstance(body, Alarm) and body.code == "disk/low" for body in said), "the alarm itself found no room"
    link.close()
    back.close()


def test_a_command_is_done_once_and_acknowledged_each_time_and_an_alarm_is_raised_once() -> None:
    hub = Hub(now=time.monotonic)
    link = Link("collector", address=hub.address, token=hub.token, now=time.monotonic)
    desk = Desk(link, None, now=time.monotonic)
    desk.alarm("camera/lost", on=True)
    desk.alarm("camera/lost", on=True)
    desk.alarm("camera/lost", on=False)
    said = []
    until(lambda: bool(said.extend(hub.receive(timeout_s=0.01)) or len(said) >= 2))
    assert [(e.body.code, e.body.cleared) for e in said] == [("camera/lost", False), ("camera/lost", True)]
    hub.send("collector", Command(verb="stop", reason="lunch"))
    hub.send("collector", Command(verb="skip"))
    found: list[Command] = []
    until(lambda: bool(found.extend(desk.commands()) or found))
    acks = []
    until(lambda: bool(acks.extend(hub.receive(timeout_s=0.01)) or desk.commands() or len(acks) == 2))
    assert [c.verb for c in found] == ["stop"]
    assert [(a.body.ok, isinstance(a.body, Ack)) for a in acks] == [(True, True), (False, True)]
    link.close()
    hub.close()
