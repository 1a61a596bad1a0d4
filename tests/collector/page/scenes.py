"""Scenes as a launcher sends them: one for every screen, in both languages."""

from __future__ import annotations

from typing import Any

import msgspec

from protocol.messages import Beat, CameraStatus, DiskStatus, Scene, Status, StreamStatus
from protocol.scene import Cap, Contact, File, Finding, GateState, Instruction, Moment, Said, Trouble

SENSORS = ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")
NONE = Instruction(code="", text="")

BASE = Scene(
    seq=0, screen="preflight", phase="preflight", light="green", instruction=NONE, study="emotions-2026", participant="07",
    session="01", run="01", language="en", simulated=False, t_s=0.0, recording=False, state="", trial=None, n_trials=12,
    cap=Cap(montage="colin27_1005", channels=SENSORS, reference="CMS", ground="DRL"),
)  # fmt: skip

_LINES = {
    "en": (
        ("Sound is muted: PulseAudio sink “Built-in Audio” is at 0 %.", "Unmute it, and set it to 40 %."),
        ("The camera shows two faces.", "Only the participant may sit before the camera."),
        ("The headset's battery lasts 31 min, the session takes 44 min.", "Charge it, or change the headset."),
    ),
    "vi": (
        ("Âm thanh đang tắt: “Built-in Audio” ở mức 0 %.", "Bật âm thanh lên và đặt ở mức 40 %."),
        ("Camera thấy hai khuôn mặt.", "Chỉ người tham gia được ngồi trước camera."),
        ("Pin của mũ đủ cho 31 phút, buổi ghi cần 44 phút.", "Sạc pin, hoặc đổi mũ khác."),
    ),
}
_GOOD = (
    ("study/valid", "Study: 12 clips, all decode; needs 8.4 GB."),
    ("graphics/opengl", "Graphics: OpenGL 4.6, 60.0 Hz, 1920x1080."),
    ("audio/latency", "Sound: PTB, 12 ms."), ("lsl/local", "LSL: a stream of this machine is found in 0.2 s."),
    ("eeg/flowing", "EEG: 256.0 Hz, 14 sensors, double64, counter running."), ("quality/flowing", "Contact quality: 2 Hz."),
    ("camera/fps", "Camera: 640x480, 30.0 frames/s."),
    ("disk/room", "Disk: 212 GB free, written at 310 MB/s."),
    ("clock/wall", "Clock: synchronised, 3 ms off."),
    ("sleep/inhibited", "Sleep is inhibited."), ("consent/found", "Consent: version 3."),
)  # fmt: skip


def preflight(language: str = "en", *, blocked: bool = True) -> Scene:
    (muted, unmute), (two, one), (battery, charge) = _LINES[language]
    blocks = blocked
    findings = [
        Finding(code="audio/muted", light="red", text=muted, cure=unmute, blocks=blocks),
        Finding(code="camera/faces", light="red", text=two, cure=one, blocks=blocks, may_override=True),
        Finding(code="battery/short", light="amber", text=battery, cure=charge),
    ]
    good = [Finding(code=code, light="green", text=text) for code, text in _GOOD]
    say = (
        {"en": "Press Check.", "vi": "Nhấn Kiểm tra."}[language]
        if blocked
        else {"en": "Press START.", "vi": "Nhấn BẮT ĐẦU."}[language]
    )
    return scene(
        language, light="red" if blocked else "amber",
        instruction=Instruction(
            code="preflight/blocked" if blocked else "preflight/start", text=f"{unmute} {say}" if blocked else say,
            button="check" if blocked else "start",
        ),
        buttons=("check", "override", "abort") if blocked else ("start", "check", "abort"),
        findings=tuple(findings if blocked else findings[2:]) + tuple(good),
    )  # fmt: skip


def contacts(language: str = "en", *, green: bool = False) -> Scene:
    texts = {
        "en": ("Wet T7 and P8.", "Contacts are good. Press START."),
        "vi": ("Làm ướt T7 và P8.", "Tiếp xúc tốt. Nhấn BẮT ĐẦU."),
    }
    return scene(
        language, screen="contacts", phase="contacts", light="green" if green else "amber", recording=True, t_s=48.0,
        instruction=Instruction(
            code="contacts/start" if green else "contacts/required", text=texts[language][green],
            button="start" if green else "",
        ),
        buttons=("start", "check", "note", "abort") if green else ("check", "override", "note", "abort"),
        gate=GateState(
            metric="CQ", threshold=0.8, hold_s=10.0, held_s=10.0 if green else 0.0, overall=0.94 if green else 0.72,
            good=14 if green else 12, n=14, green=green, required=True,
        ),
        battery=86.0, battery_left_s=8400.0,
    )  # fmt: skip


def record(language: str = "en", **changes: Any) -> Scene:
    text = {"en": "Nothing to do: clip 3 of 12.", "vi": "Không cần làm gì: đoạn phim 3 trên 12."}[language]
    moments = [Moment(t_s=10, kind="baseline", text="eyes open", for_s=60), Moment(t_s=75, kind="sync", text="sync", for_s=40)]
    for n in range(3):
        moments.append(Moment(t_s=130 + 100 * n, kind="clip", text=f"{n + 1}", for_s=60 if n < 2 else None))
        if n < 2:
            moments.append(Moment(t_s=190 + 100 * n, kind="rating", text="", for_s=30))
    moments += [Moment(t_s=262, kind="note", text="coughed"), Moment(t_s=210, kind="pause", text="pause", for_s=18)]
    shown = {
        "screen": "record", "phase": "session", "light": "green", "instruction": Instruction(code="session/clip", text=text),
        "recording": True, "t_s": 362.0, "state": "clip trial=3 target=fear", "trial": 3, "timeline": tuple(moments),
        "buttons": ("pause", "skip", "repeat", "note", "abort"), "battery": 82.0, "battery_left_s": 7980.0,
        "contact": Contact(state="ok", n_cues=5, n_seen=5, alpha=2.3),
    }  # fmt: skip
    return scene(language, **{**shown, **changes})


def lost(language: str = "en") -> Scene:
    """A recording in which EEG is gone: the session holds."""
    text = {
        "en": "No EEG for 14 s. Switch the headset on and bring it near its receiver.",
        "vi": "Mất tín hiệu EEG đã 14 giây. Bật mũ điện não và đưa lại gần bộ thu.",
    }[language]
    other = {"en": "The camera gives no picture", "vi": "Camera không có hình"}[language]
    before = record(language)
    return record(
        language, light="red", instruction=Instruction(code="eeg/lost", text=text), state="hold",
        buttons=("note", "abort"), timeline=(*before.timeline, Moment(t_s=348, kind="alarm", text="stream/lost EEG")),
        troubles=(
            Trouble(code="stream/lost", text=text, level="stop", t_cause=1.0, t_raised=2.0),
            Trouble(code="camera/lost", text=other, level="warn", t_cause=1.0, t_raised=2.0),
        ),
    )  # fmt: skip


def finish(language: str = "en", *, report: str = "") -> Scene:
    typed = "emo-run study --participant 07 --repeat 4,9"
    texts = {
        "en": (f"Clips 4, 9 again: ask the participant to stay, press Finish, then type: {typed}", "repeat clips 4, 9",
               "clip 4 lost 31 % of its EEG", "clip 9: the participant left the picture for 12 s",
               "the cap check was overridden: 'trial run'"),
        "vi": (f"Ghi lại đoạn phim 4, 9: mời người tham gia ngồi lại, nhấn Hoàn tất, rồi gõ lệnh: {typed}", "ghi lại đoạn 4, 9",
               "đoạn 4 mất 31 % EEG", "đoạn 9: người tham gia ra khỏi hình 12 giây",
               "đã bỏ qua kiểm tra mũ: 'chạy thử'"),
    }[language]  # fmt: skip
    stem = "sub-07_ses-01_task-emotions_run-01"
    sizes = {f"{stem}_eeg.xdf": 41_231_114, f"{stem}_recording-face_video.mkv": 812_004_551, f"{stem}_trials.csv": 18_204,
             "journal-launch.jsonl": 40_911, "session.json": 812}  # fmt: skip
    files = tuple(File(name=n, size_B=b, verified=True if i < 4 else None) for i, (n, b) in enumerate(sizes.items()))
    said = Said(exit=1, verdict="repeat", text=texts[1], reasons=texts[2:], repeat=(4, 9), report=report, files=files,
                next=typed)  # fmt: skip
    return scene(
        language, screen="finish", phase="finish", light="amber", said=said, buttons=("stop",), t_s=2710.0,
        instruction=Instruction(code="finish/repeat", text=texts[0], button="stop"),
    )  # fmt: skip


def broken_off(language: str = "en") -> Scene:
    said = Said(exit=1, verdict="aborted", text="aborted: Escape was pressed", choice="open")
    text = "Ask the participant: keep or withdraw what was recorded? Press what they say."
    return scene(
        language, screen="finish", phase="finish", light="amber", said=said, buttons=("keep", "withdraw"),
        instruction=Instruction(code="finish/aborted", text=text),
    )  # fmt: skip


def scene(language: str, **changes: Any) -> Scene:
    return msgspec.structs.replace(BASE, language=language, **changes)


def status(*, age_s: float = 0.1, lost_eeg: int = 12) -> Status:
    def stream(name: str, sfreq: float, n: int, n_lost: int | None = None, age: float = 0.1) -> StreamStatus:
        return StreamStatus(name=name, uid=f"u-{name}", kind=name, sfreq_nominal_hz=sfreq, sfreq_hz=sfreq, age_s=age,
                            buffer_frac=0.01, n=n, n_lost=n_lost)  # fmt: skip

    return Status(
        recording=True,
        streams=(
            stream("EmotivDataStream-EEG", 256.0, 92_672, lost_eeg, age_s),
            stream("EmotivDataStream-Contact-Quality", 2.0, 724),
            stream("EmotivDataStream-EEG-Quality", 2.0, 724), stream("EmotivDataStream-Motion", 32.0, 11_584, 0),
            stream("emolab-markers", 0.0, 61, age=42.0), stream("emolab-frames", 30.0, 10_860),
            stream("emolab-wallclock", 1.0, 362),
            stream("emolab-notes", 0.0, 1, age=100.0),
        ),
        disk=DiskStatus(free_B=212_000_000_000, left_s=74_400.0),
        camera=CameraStatus(fps_hz=30.0, n_dropped=0, file="face.mkv", fps_nominal_hz=30.0, age_s=0.03),
    )  # fmt: skip


BEAT = Beat(state="clip trial=3 target=fear", n_flip=100, t_flip=1.0)
