"""What the launcher sees by itself, under a made-up clock: frozen windows, sleep, losses, the timeline, contact, requests."""

from types import SimpleNamespace

import pytest

from collector import awake, clip_losses, refusals, vigil
from collector.awake import Awake, commands
from collector.clip_losses import ClipLosses
from collector.clocks import Reading
from collector.contacting import ContactCheck, read
from collector.diary import Diary
from collector.helper import Answer
from collector.orders import Orders, refusal
from collector.refusals import refused
from collector.timeline import KEPT, Timeline
from collector.vigil import Flips, Sleep
from protocol.messages import Ack, Beat, Command, Envelope, Status, StreamStatus
from protocol.scene import Contact

CLIP = "clip trial=1 stim_id=a target=fear"


def test_a_window_that_beats_and_does_not_flip_is_frozen_since_its_last_flip() -> None:
    flips = Flips()
    for n in range(40):  # beats every quarter of a second; the last flip is at 5.0
        t = n * 0.25
        flips.hear(Beat(state=CLIP, n_flip=min(n, 20), t_flip=min(t, 5.0)), t)
    assert flips.frozen_since(9.75) == 5.0
    flips.hear(Beat(state=CLIP, n_flip=41, t_flip=10.0), 10.0)
    assert flips.frozen_since(10.0) is None


@pytest.mark.parametrize(
    ("beat", "heard"),
    [
        (Beat(state=CLIP, n_flip=1, t_flip=10.0 - vigil.FROZEN_S), 10.0),
        (Beat(state="end", n_flip=1, t_flip=5.0), 10.0),
        (Beat(state=CLIP, n_flip=1, t_flip=5.0), 8.0),
        (Beat(state="waiting"), 10.0),
    ],
    ids=["flipped-lately", "nothing-is-shown", "it-does-not-beat-either", "never-flipped-yet"],
)
def test_a_window_is_not_called_frozen_when_it(beat: Beat, heard: float) -> None:
    flips = Flips()
    flips.hear(beat, heard)
    assert flips.frozen_since(10.0) is None


def test_a_window_that_died_is_not_frozen_when_the_next_one_opens() -> None:
    flips = Flips()
    flips.hear(Beat(state=CLIP, n_flip=7, t_flip=1.0), 1.0)
    flips.forget()
    flips.hear(Beat(state="starting"), 9.0)
    assert flips.frozen_since(9.0) is None


def test_sleep_is_found_by_the_clock_that_went_on_and_told_of_for_a_while() -> None:
    sleep = Sleep()
    assert not sleep.look(Reading(100.0, 5000.0, 100.0))
    assert sleep.look(Reading(100.1, 5600.1, 700.1))
    assert sleep.slept_s == pytest.approx(600.0)
    assert sleep.look(Reading(100.1 + vigil.SHOWN_S - 0.01, 5600.1 + vigil.SHOWN_S - 0.01, 700.1 + vigil.SHOWN_S - 0.01))
    assert not sleep.look(Reading(100.2 + vigil.SHOWN_S, 5600.2 + vigil.SHOWN_S, 700.2 + vigil.SHOWN_S))


def test_where_every_clock_goes_on_in_sleep_it_is_seen_by_the_time_in_which_nobody_looked() -> None:
    sleep = Sleep()
    assert not sleep.look(Reading(100.0, 5000.0))
    assert not sleep.look(Reading(104.0, 5004.0)), "a busy computer"
    assert sleep.look(Reading(704.0, 5604.0))
    assert (sleep.slept_s, sleep.t) == (600.0, 704.0)
    looked = [sleep.look(Reading(704.0 + t, 5604.0 + t)) for t in (4.0, 8.0, vigil.SHOWN_S + 0.1)]
    assert looked == [True, True, False], "told of for a while"
    booted = Sleep()
    booted.look(Reading(100.0, 5000.0, 100.0))
    assert not booted.look(Reading(700.0, 5600.0, 700.0)), "Linux's third clock knows that it was busy"


def test_a_clock_that_somebody_set_is_no_sleep() -> None:
    sleep = Sleep()
    sleep.look(Reading(100.0, 5000.0, 100.0))
    assert not sleep.look(Reading(100.1, 8600.1, 100.1))


# ---- what a clip lost


def eeg(*, age_s: float = 0.05, n_lost: int = 0, uid: str = "u") -> Status:
    stream = StreamStatus(
        name="EEG",
        uid=uid,
        kind="eeg",
        sfreq_nominal_hz=256.0,
        sfreq_hz=256.0,
        age_s=age_s,
        buffer_frac=0.0,
        n=9,
        n_lost=n_lost,
    )
    return Status(recording=True, streams=(stream,))


def shown(losses: ClipLosses, *, until: float = 10.0) -> None:
    """A clip from 0 to 10 s, whose losses are those of the statuses that come meanwhile."""
    losses.status(eeg(), -0.5)
    losses.beat(CLIP, 0.0)
    losses.status(eeg(), 0.5)


def test_samples_that_the_counter_misses_count_for_the_clip_in_which_they_were_lost() -> None:
    losses = ClipLosses()
    losses.status(eeg(n_lost=5000), -0.5)
    losses.beat(CLIP, 0.0)
    losses.status(eeg(n_lost=5000 + 512), 5.0)
    losses.beat("rating question=valence trial=1", 10.0)
    losses.status(eeg(n_lost=5000 + 512), 10.5)
    assert losses.last == (1, pytest.approx(0.2))
    assert clip_losses.beyond(losses.fracs, 0.1) == (1,)
    assert clip_losses.beyond(losses.fracs, 0.2) == ()


def test_a_stream_that_is_silent_to_the_end_of_the_clip_lost_the_time_since() -> None:
    losses = ClipLosses()
    shown(losses)
    losses.beat("rating question=valence trial=1", 10.0)
    losses.status(eeg(age_s=6.0), 12.0)  # the newest sample is of 6 s
    assert losses.last == (1, pytest.approx(0.4))


def test_between_two_streams_nobody_counts_and_the_time_is_lost() -> None:
    losses = ClipLosses()
    shown(losses)
    losses.status(eeg(uid="another"), 4.5)
    losses.beat("rating question=valence trial=1", 10.0)
    losses.status(eeg(uid="another"), 10.5)
    assert losses.last == (1, pytest.approx(0.4))


def test_what_is_shown_again_is_judged_anew() -> None:
    losses = ClipLosses()
    shown(losses)
    losses.status(eeg(n_lost=999), 5.0)
    assert losses.fracs[1] > 0.1
    losses.beat(f"{CLIP} attempt=2", 30.0)
    losses.status(eeg(n_lost=999), 35.0)
    assert losses.fracs[1] == 0.0


# ---- the timeline


def test_the_timeline_has_clips_with_their_lengths_and_one_moment_for_all_questions_of_one() -> None:
    line = Timeline()
    for t, state in (
        (0.0, "waiting"), (1.0, "baseline/eyes_open"), (9.0, CLIP), (15.0, "rating question=valence trial=1"),
        (18.0, "rating question=arousal trial=1"), (20.0, "rest trial=1"), (21.0, "hold"),
    ):  # fmt: skip
        line.see(state, t)
    line.add("note", "coughs", 21.5)
    found = [(m.kind, m.text, m.t_s, m.for_s) for m in line.moments]
    assert found == [
        ("baseline", "baseline eyes open", 1.0, 8.0), ("clip", "1 fear", 9.0, 6.0), ("rating", "1", 15.0, 5.0),
        ("pause", "hold", 21.0, None), ("note", "coughs", 21.5, 0.0),
    ]  # fmt: skip


def test_the_timeline_of_a_vietnamese_study_is_vietnamese() -> None:
    line = Timeline("vi")
    for t, state in ((1.0, "baseline/eyes_open"), (9.0, CLIP), (16.0, "mood_repair/told"), (20.0, "welcome")):
        line.see(state, t)
    line.add("note", "coughs", 21.0)
    line.add("alarm", "stream/lost EEG", 21.5)
    texts = ["đường nền", "1 fear", "đoạn phim thư giãn cuối", "lời chào", "coughs", "EEG im lặng"]
    assert [moment.text for moment in line.moments] == texts


def test_a_long_session_keeps_its_newest_moments() -> None:
    line = Timeline()
    for n in range(KEPT + 50):
        line.see(f"clip trial={n} target=fear", float(n))
    assert len(line.moments) == KEPT
    assert (line.moments[-1].text, line.moments[-2].for_s) == (f"{KEPT + 49} fear", 1.0)


# ---- the contact check


class Reader:
    """Answers what a test says, once it was asked."""

    def __init__(self, said: object) -> None:
        self.said, self.asked = said, 0

    def ask(self) -> None:
        self.asked += 1

    def look(self) -> Answer | None:
        return Answer(0, self.said) if self.asked else None


class Clock:
    t = 0.0

    def __call__(self) -> float:
        return self.t


def checked(said: object, *states: tuple[float, str]) -> tuple[ContactCheck, Reader]:
    clock, reader = Clock(), Reader(said)
    check = ContactCheck(reader, diary=Diary(now=clock), now=clock)  # type: ignore[arg-type]
    for t, state in states:
        clock.t = t
        check.see(state)
        check.step()
    return check, reader


CUES = ((0.0, "baseline/eyes_open"), (10.0, "sync/cue"), (14.0, "sync/cue"), (18.0, "sync/flash"))


def test_the_recording_is_read_when_the_last_cue_is_over_and_meanwhile_the_first_clip_waits() -> None:
    check, reader = checked({"state": "ok"}, *CUES[:1])
    assert not check.holds
    check, reader = checked({"state": "ok"}, *CUES[:3])
    assert (check.holds, reader.asked) == (True, 0)
    check, reader = checked(
        {"state": "ok", "n_cues": 2, "n_seen": 2, "alpha": 1.4}, *CUES, (19.6, "sync/flash"), (20.0, "hold")
    )
    assert (check.holds, reader.asked) == (False, 1)
    assert check.contact == Contact(state="ok", n_cues=2, n_seen=2, alpha=1.4)


def test_without_blinks_the_first_clip_waits_until_they_are_seen_or_somebody_says_why_not() -> None:
    check, _ = checked({"state": "no_blinks", "n_cues": 2, "n_seen": 0}, *CUES, (19.6, "hold"), (20.0, "hold"))
    assert (check.holds, check.failed) == (True, True)
    check.again()
    assert check.contact.state == "waiting"
    assert check.holds
    check, _ = checked({"state": "no_blinks"}, *CUES, (19.6, "hold"), (20.0, "hold"))
    check.override("a wig over the forehead")
    assert (check.holds, check.failed) == (False, False)


@pytest.mark.parametrize("said", [None, [], "ok", {"state": "fine"}, {"n_seen": "two"}])
def test_a_check_that_says_nothing_stops_nobody(said: object) -> None:
    assert read(Answer(3, said)).state == "not_checked"
    check, _ = checked(said, *CUES, (19.6, "hold"), (20.0, "hold"))
    assert not check.holds


def test_a_study_that_cues_nobody_is_not_checked() -> None:
    check = ContactCheck(None, diary=Diary(now=lambda: 0.0), now=lambda: 0.0)
    check.see("sync/flash")
    check.step()
    assert (check.contact.state, check.holds) == ("not_checked", False)


# ---- what may be asked for, and what keeps the computer awake


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Command(verb="pause"), ""),
        (Command(verb="skip"), "skip: not possible now"),
        (Command(verb="abort"), "abort: say why, in at least 3 letters"),
        (Command(verb="abort", reason="ill"), ""),
        (Command(verb="override", reason="ok"), "override: say why, in at least 3 letters"),
        (Command(verb="note", reason="note", arg="  "), "note: is empty"),
        (Command(verb="note", reason="note", arg="coughs"), ""),
    ],
)
def test_only_what_is_on_the_page_may_be_asked_for_and_some_of_it_with_a_reason(given: Command, said: str) -> None:
    assert refusal(given, ("pause", "abort", "override", "note")) == said


def test_a_refusal_is_english_in_the_journal_and_the_study_s_language_on_the_page() -> None:
    class Wire:
        def __init__(self) -> None:
            self.sent: list[Ack] = []

        def send(self, to: str, body: Ack) -> None:
            self.sent.append(body)

    class Book:
        def __init__(self) -> None:
            self.rows: list[dict[str, object]] = []

        def write(self, kind: str, name: str, data: dict[str, object]) -> None:
            self.rows.append(data)

    wire, book = Wire(), Book()
    orders = Orders(wire, book, "vi")  # type: ignore[arg-type]
    given = [Command(verb="skip"), Command(verb="abort", reason="x"), Command(verb="override", arg="gate", reason="dry hair")]
    for one in given:
        envelope = Envelope(token="t", who="page", t_lsl=0.0, type="Command", body=one, id=one.verb)
        orders.take(envelope, ("abort", "override"), lambda it: refused("nothing_there", it.verb, arg=it.arg))
    assert [row["error"] for row in book.rows] == [
        "skip: not possible now", "abort: say why, in at least 3 letters",
        "override gate: there is nothing of this name that could be overridden",
    ]  # fmt: skip
    assert [ack.error for ack in wire.sent] == [
        "Bỏ đoạn này: lúc này chưa làm được", "Hủy buổi ghi: hãy nêu lý do, ít nhất 3 chữ",
        "Bỏ qua gate: không có mục nào tên này có thể bỏ qua",
    ]  # fmt: skip
    assert refusals.WORDS["en"].keys() == refusals.WORDS["vi"].keys()


def test_a_system_that_keeps_nobody_awake_is_no_fault() -> None:
    assert commands(7, platform="linux", found=["systemd-inhibit"]) == ()
    assert all("--pid=7" in argv for argv in commands(7, platform="linux", found=["systemd-inhibit", "tail"]))
    assert commands(7, platform="freebsd", found=["tail"]) == ()


def test_where_the_lid_is_not_for_us_to_keep_sleep_is_kept_away_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Crew:
        """Children that end at once, as long as they ask for the lid."""

        def __init__(self) -> None:
            self.asked: list[str] = []
            self.children = {"awake": SimpleNamespace(why=lambda: "ended with exit code 1")}

        def start(self, who: str, argv: tuple[str, ...]) -> None:
            self.asked.append(argv[1])

        def runs(self, who: str) -> bool:
            return who == "collector" or "lid" not in self.asked[-1]

    rows: list[dict[str, str]] = []
    crew, diary = Crew(), SimpleNamespace(write=lambda kind, name, data: rows.append(data))
    monkeypatch.setattr(awake.sys, "platform", "linux")
    monkeypatch.setattr(awake.shutil, "which", lambda name: f"/bin/{name}")
    keeps = Awake(crew, diary)  # type: ignore[arg-type]
    keeps.keep(while_lives=7)
    for _ in range(3):
        keeps.look()
    assert crew.asked == [f"--what={what}" for what in awake.KEPT]
    assert [row["by"] for row in rows] == [f"systemd-inhibit --what={what}" for what in awake.KEPT]
    assert rows[1]["why"] == "systemd-inhibit --what=sleep:idle:handle-lid-switch ended with exit code 1"
    monkeypatch.setattr(crew, "runs", lambda who: who == "collector")
    keeps.look()
    keeps.look()
    assert [row["by"] for row in rows[2:]] == ["nothing"]
