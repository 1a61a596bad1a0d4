"""What the operator reads, and the hands of the simulated participant."""

import io

import msgspec
import numpy as np
import pytest
from rich.console import Console

from collector import console
from collector.crew import Picture
from collector.sitter import AGAIN_S, Sitter
from protocol.messages import CameraStatus, DiskStatus, Status, StreamStatus

STATUS = Status(
    recording=True,
    streams=(
        StreamStatus(
            name="EmotivDataStream-EEG", uid="u", kind="EEG", sfreq_nominal_hz=256.0, sfreq_hz=255.9, age_s=0.04,
            buffer_frac=0.0, n=900, n_lost=3,

        ),
        StreamStatus(
            name="emolab-markers", uid="m", kind="Markers", sfreq_nominal_hz=0.0, sfreq_hz=0.0, age_s=9.0, buffer_frac=0.0, n=7
        ),
    ),
    disk=DiskStatus(free_B=10**9, left_s=7230.0),
    camera=CameraStatus(fps_hz=29.7, n_dropped=2, file="f.mkv"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("clip trial=3 stim_id=fear02 target=fear", "clip 3 of 12, fear"),
        ("rating question=valence trial=3 stim_id=fear02 target=fear", "rating of valence after clip 3 of 12, fear"),
        ("fixation trial=1 stim_id=a target=neutral", "cross before clip 1 of 12, neutral"),
        ("baseline/eyes_open", "baseline, eyes open"),
        ("welcome", "welcome"),
        ("", "the window opens"),
    ],
)
def test_the_line_says_where_the_participant_is(state: str, said: str) -> None:
    assert console.line(Picture("session", state, None, 3725.0), n_trials=12) == f"62:05  {said}"


def test_the_line_names_every_stream_with_rate_and_losses() -> None:
    text = console.line(Picture("closing", "thanks", STATUS, 0.0), n_trials=12)
    assert text == (
        "00:00  closing the files  |  EEG 256 Hz, 3 LOST  |  markers 7  |  camera 30/s, 2 dropped  |  disk for 120 min"
    )


def test_a_stream_that_fell_silent_has_no_rate_any_more() -> None:
    silent = msgspec.structs.replace(STATUS, streams=(msgspec.structs.replace(STATUS.streams[0], age_s=9.2),))
    assert "EEG SILENT for 9 s, 3 LOST  |" in console.line(Picture("session", "", silent, 0.0), n_trials=12)


def test_the_line_is_read_whole_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = io.StringIO()
    with console.view(Console(file=out, force_terminal=True, width=60), n_trials=12) as view:
        view.show(Picture("session", "clip trial=3 target=fear", STATUS, 0.0))
    assert "disk for 120 min" in out.getvalue()


def test_a_terminal_that_shows_nothing_that_moves_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    out = io.StringIO()
    with console.view(Console(file=out, force_terminal=True, width=60), n_trials=12) as view:
        view.show(Picture("session", "clip trial=3 target=fear", None, 0.0))
    assert out.getvalue() == "00:00  clip 3 of 12, fear\n"


def test_without_a_terminal_there_are_lines_for_what_is_new_alone() -> None:
    out = io.StringIO()
    with console.view(Console(file=out), n_trials=2) as view:
        for t_s in np.arange(0, 10, 0.1):
            state = "clip trial=1 target=fear" if t_s < 5 else "clip trial=2 target=neutral"
            view.show(Picture("session", state, None, float(t_s)))
        view.say("ALARM: [collector/lost]")
    assert out.getvalue().splitlines() == ["00:00  clip 1 of 2, fear", "00:05  clip 2 of 2, neutral", "ALARM: [collector/lost]"]


def test_a_key_is_pressed_after_a_while_once_per_screen_and_again_if_nothing_happened() -> None:
    sitter = Sitter(lambda question: ("fear",), rng=np.random.default_rng(1))
    sitter.see("baseline/eyes_open", 0.0)
    assert sitter.press(1e3) is None
    sitter.see("rating question=emotion trial=1 stim_id=a target=fear", 10.0)
    sitter.see("rating question=emotion trial=1 stim_id=a target=fear", 10.2)
    assert sitter.press(10.3) is None
    assert sitter.press(20.0) == "1"
    assert sitter.press(20.1) is None
    assert sitter.press(20.0 + AGAIN_S) == "1"
    sitter.see("rest trial=1 stim_id=a target=fear", 30.0)
    assert sitter.press(1e3) is None
    sitter.see("welcome waits=space", 40.0)
    assert sitter.press(60.0) == "space"


def test_answers_follow_the_targets_norm() -> None:
    sitter = Sitter(lambda question: tuple("123456789"), rng=np.random.default_rng(2))
    means = {}
    for target in ("happiness", "sadness"):
        keys = []
        for n in range(40):
            sitter.see(f"rating question=valence trial={n} stim_id=a target={target}", 100.0 * n)
            keys.append(int(sitter.press(100.0 * n + 50) or "0"))
        means[target] = np.mean(keys)
    assert means["happiness"] > 6 > 4 > means["sadness"]
