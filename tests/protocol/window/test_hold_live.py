"""A real window holds before its first clip, shows the cues again, and goes on when it is let go."""

import time
from pathlib import Path

import pytest

from protocol import journal, trials
from protocol.link import Hub
from protocol.markers import Marker, decode, parse
from protocol.messages import NEXT, Beat, Command
from tests import display
from tests.protocol.window.test_window_live import recorder
from tests.window_runs import Sitter, begin_run, window

pytestmark = [pytest.mark.live, pytest.mark.alone]

CUES = 3


class Operator(Sitter):
    """Holds while blinks are cued, has the cues shown again, and lets go when it holds for the second time."""

    n_held = 0
    asked = False
    went_on: float | None = None

    def _see(self, beat: Beat) -> None:
        changed = beat.state not in self.states[-1:]
        super()._see(beat)
        name = decode(beat.state)[0]
        if name == "sync/cue" and not self.asked:
            self.asked = True
            self.hub.send("window", Command(verb="pause", reason="contact", arg=NEXT))
        if name == "hold" and changed:
            self.n_held += 1
            again = Command(verb="repeat") if self.n_held == 1 else Command(verb="resume", arg=NEXT)
            self.hub.send("window", again)


def test_it_holds_shows_the_cues_again_and_is_let_go(tmp_path: Path) -> None:
    run, study = begin_run(tmp_path, sound="silent", blinks=CUES)
    hub = Hub(now=time.monotonic)
    operator = Operator(hub, {"valence": "7", "arousal": "3", "emotion": "2"})
    with (
        display.laboratory(size_px=(640, 480), sound=False) as env,
        recorder(env),
        window(run, study, env | hub.environment, "--twin") as process,
    ):
        operator.follow(process, limit_s=120.0)
    hub.close()
    assert process.returncode == 0
    assert operator.n_held == 2
    rows = journal.read(run.journal("window"))
    sent = [parse(row.data["text"]) for row in rows if row.name == "marker"]
    kinds = ("sync/cue", "pause", "resume", "clip/onset")
    cue = ["sync/cue"] * CUES
    assert [m.name for m in sent if m.name in kinds] == [
        *cue, "pause", "resume", *cue, "pause", "resume", "clip/onset", "clip/onset",
    ]  # fmt: skip
    assert [m.keys["n"] for m in sent if m.name == "sync/cue"] == [str(n) for n in range(1, 2 * CUES + 1)]
    assert Marker("pause", {"reason": "contact"}) in sent
    assert [row.data["reason"] for row in rows if (row.kind, row.name) == ("command", "hold")] == ["contact", None]
    assert [(row.trial, row.attempt, row.end) for row in trials.read(run.trials_csv)] == [
        (1, 1, "complete"),
        (2, 1, "complete"),
    ]
    n_flips = [beat.n_flip or 0 for beat in operator.beats if beat.state == "hold"]
    assert n_flips[-1] > n_flips[0]  # a window that holds is no frozen one
