"""The page in a real browser, with a launcher that only shows scenes: every screen, every button, silence and death."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collector.crew import Outcome
from collector.page.commands import KEYS
from collector.phrases import said
from collector.refusals import refused
from collector.scenes import Header, Known
from collector.scenes import scene as scene_of
from collector.situation import Situation
from collector.timeline import Timeline
from collector.verdict import judge, remembered
from protocol import folder
from protocol.folder import Manifest, Quality
from protocol.messages import Command, Scene
from protocol.scene import Contact, Trouble
from tests.collector.page import scenes
from tests.collector.page.launcher import Launcher
from tests.page import SIZES, Operator

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def window(chromium, launcher: Launcher) -> Iterator[Operator]:
    launcher.show(scenes.preflight(), scenes.status())
    with Operator(chromium, launcher.url) as person:
        yield person


@pytest.fixture
def operator(window: Operator, launcher: Launcher) -> Iterator[Operator]:
    launcher.refuses = ""
    yield window
    window.page.keyboard.press("Escape")
    assert window.external == []
    assert window.errors == []


def show(operator: Operator, launcher: Launcher, scene: Scene, **changes: object) -> Scene:
    launcher.show(scene, scenes.status())
    seen = lambda o: (o.screen, o.instruction, o.light) == (scene.screen, scene.instruction.text, scene.light)  # noqa: E731
    operator.wait(seen, what=f"{scene.screen}: {scene.instruction.code}")
    operator.wait(lambda o: o.page.get_attribute("html", "lang") == scene.language)
    launcher.commands.clear()
    return scene


def sent(operator: Operator, launcher: Launcher, n: int = 1) -> list[Command]:
    operator.wait(lambda _: len(launcher.commands) >= n, what=f"command {n}")
    operator.page.wait_for_timeout(250)  # one too many would come now
    return list(launcher.commands)


def test_preflight_shows_every_finding_with_its_cure_and_start_says_why_not(operator: Operator, launcher: Launcher) -> None:
    scene = show(operator, launcher, scenes.preflight())
    assert operator.light == "red"
    assert len(operator.texts("finding")) == len(scene.findings)
    assert operator.texts("finding-cure")[:2] == [
        "Unmute it, and set it to 40 %.",
        "Only the participant may sit before the camera.",
    ]
    assert operator.buttons == {"start": False, "check": True, "abort": True}
    assert operator.text("why").startswith("START is blocked by 2 findings, first: Sound is muted")
    assert operator.obey() == "check"
    assert sent(operator, launcher) == [Command(verb="check")]


def test_an_override_is_typed_beside_its_finding(operator: Operator, launcher: Launcher) -> None:
    show(operator, launcher, scenes.preflight())
    assert operator.page.locator('[data-command="override"]').count() == 1  # muted sound cannot be overridden
    operator.press("override", reason="no", arg="camera/faces")
    assert operator.page.locator("#ask-short").inner_text() == "At least 3 characters."
    assert launcher.commands == []
    operator.page.fill("#ask-text", "the other one is a poster")
    operator.page.keyboard.press("Enter")
    assert sent(operator, launcher) == [Command(verb="override", arg="camera/faces", reason="the other one is a poster")]


def test_contacts_shows_the_gate_and_lets_start_only_when_it_may(operator: Operator, launcher: Launcher) -> None:
    show(operator, launcher, scenes.contacts())
    assert (operator.text("gate-good"), operator.text("gate-held")) == ("12 of 14 sensors good", "held 0 of 10 s")
    assert not operator.buttons["start"]
    operator.press("override", reason="hair is dense")
    assert sent(operator, launcher) == [Command(verb="override", arg="gate", reason="hair is dense")]
    show(operator, launcher, scenes.contacts(green=True))
    assert operator.obey() == "start"
    assert sent(operator, launcher) == [Command(verb="start")]


def test_record_shows_how_everything_goes(operator: Operator, launcher: Launcher) -> None:
    show(operator, launcher, scenes.record())
    assert operator.text("gauge-clip") == "clip Clip 3 of 12"
    assert operator.text("gauge-disk") == "Disk, room left 1 240 min"
    assert operator.text("gauge-battery") == "Battery, 133 min left 82 %"
    assert operator.text("gauge-rec").startswith("REC 0:06:0")
    assert operator.tiles["EEG"].health == "good"
    assert {"EEG", "Contact-Quality", "Motion", "markers", "Camera"} <= set(operator.tiles)
    assert operator.page.locator('[data-test="moment"][data-kind="clip"]').count() == 3
    assert operator.wanted == ""  # green: nothing to do


COMMANDS: tuple[tuple[str, Callable[[], Scene], str, Command], ...] = (
    ("pause", scenes.record, "", Command(verb="pause")),
    ("repeat", scenes.record, "", Command(verb="repeat")),
    ("skip", scenes.record, "", Command(verb="skip")),
    ("note", scenes.record, "moved", Command(verb="note", reason="note", arg="moved")),
    ("abort", scenes.record, "participant unwell", Command(verb="abort", reason="participant unwell")),
    ("resume", lambda: scenes.record(state="hold", buttons=("resume", "abort")), "", Command(verb="resume", arg="next")),
    ("check", lambda: scenes.record(state="hold", buttons=("check", "override")), "", Command(verb="check", arg="contact")),
    ("override", lambda: scenes.record(state="hold", buttons=("check", "override")), "seen on the trace",
     Command(verb="override", arg="contact", reason="seen on the trace")),
    ("stop", scenes.finish, "", Command(verb="stop")),
    ("keep", scenes.broken_off, "", Command(verb="keep")),
    ("withdraw", scenes.broken_off, "", Command(verb="withdraw")),
    ("start", lambda: scenes.preflight(blocked=False), "", Command(verb="start")),
)  # fmt: skip


def test_a_button_and_its_key_send_the_same_command(operator: Operator, launcher: Launcher) -> None:
    for press in (operator.press, lambda verb, reason: operator.key(KEYS[verb].lower(), reason=reason)):
        for verb, made, reason, expected in COMMANDS:
            scene = made()
            launcher.show(scene, scenes.status())
            operator.wait(lambda o, s=scene, v=verb: o.screen == s.screen and o.buttons.get(v), what=verb)  # type: ignore[misc]
            assert operator.page.locator(f'[data-command="{verb}"] kbd').first.inner_text() == KEYS[verb]
            launcher.commands.clear()
            press(verb, reason=reason)
            assert sent(operator, launcher) == [expected], verb


def test_a_double_click_is_one_command(operator: Operator, launcher: Launcher) -> None:
    show(operator, launcher, scenes.record())
    operator.page.locator('[data-command="pause"]').dblclick()
    assert sent(operator, launcher) == [Command(verb="pause")]


def test_keys_do_nothing_while_somebody_types(operator: Operator, launcher: Launcher) -> None:
    show(operator, launcher, scenes.record())
    operator.page.keyboard.press("n")
    operator.page.keyboard.type("a park, skip")
    operator.page.keyboard.press("Enter")
    assert sent(operator, launcher) == [Command(verb="note", reason="note", arg="a park, skip")]
    operator.wait(lambda o: o.text("told") == "Noted.")
    operator.page.keyboard.press("Control+p")
    operator.page.keyboard.press("n")
    operator.page.keyboard.press("Escape")
    assert len(sent(operator, launcher)) == 1


def test_enter_presses_the_highlighted_button_unless_something_else_has_the_focus(
    operator: Operator, launcher: Launcher
) -> None:
    show(operator, launcher, scenes.contacts(green=True))
    operator.page.evaluate("document.activeElement.blur()")
    operator.page.keyboard.press("Enter")
    assert sent(operator, launcher) == [Command(verb="start")]
    operator.page.locator('[data-command="check"]').focus()
    operator.page.keyboard.press("Enter")
    assert sent(operator, launcher, 2)[1:] == [Command(verb="check")]


def test_a_stream_that_is_silent_says_so_in_words(operator: Operator, launcher: Launcher) -> None:
    show(operator, launcher, scenes.lost())
    launcher.status = scenes.status(age_s=14.0)
    operator.wait(lambda o: o.tiles["EEG"].health == "bad")
    assert operator.tiles["EEG"].text.startswith("EEG bad 14 s")
    launcher.status = scenes.status()


def test_a_refusal_is_shown(operator: Operator, launcher: Launcher) -> None:
    show(operator, launcher, scenes.record())
    launcher.refuses = "no clip is on"
    operator.press("repeat")
    operator.wait(lambda o: o.text("told") == "Not done: no clip is on")


def test_finish_shows_verdict_reasons_and_what_was_verified(operator: Operator, launcher: Launcher, tmp_path) -> None:
    page = tmp_path / "sub-07_ses-01_task-emotions_run-01_report.html"
    page.write_text("<title>its report</title><script>document.title += ' ran'; document.title += document.cookie</script>")
    show(operator, launcher, scenes.finish(report=str(page)))
    assert operator.page.get_attribute('[data-test="verdict"]', "data-verdict") == "repeat"
    assert "clip 4 lost 31 % of its EEG" in operator.text("reasons")
    assert operator.text("verified") == "4 of 5 checksums verified"
    assert operator.text("next") == "emo-run study --participant 07 --repeat 4,9"
    with operator.page.expect_popup() as opened:
        operator.page.click('[data-test="report"]')
    opened.value.wait_for_load_state()
    assert opened.value.title() == "its report ran"  # its own scripts run, and may not even ask for a cookie
    opened.value.close()


def test_simulated_is_said_across_the_whole_page(operator: Operator, launcher: Launcher) -> None:
    show(operator, launcher, scenes.record())
    assert operator.text("banner") == ""
    show(operator, launcher, scenes.record(simulated=True))
    operator.wait(lambda o: o.text("banner").startswith("SIMULATED"))
    box = operator.page.locator('[data-test="banner"]').bounding_box()
    assert (box["x"], box["width"]) == (0, operator.page.viewport_size["width"])


def test_exactly_one_instruction_is_shown_when_two_things_are_wrong(operator: Operator, launcher: Launcher) -> None:
    scene = show(operator, launcher, scenes.lost())
    assert (operator.light, operator.instruction) == ("red", scene.instruction.text)
    assert operator.page.get_by_text(scene.instruction.text).count() == 1
    operator.wait(lambda o: o.text("also") == "Also: The camera gives no picture")


def test_vietnamese_studies_are_run_in_vietnamese(operator: Operator, launcher: Launcher) -> None:
    show(operator, launcher, scenes.contacts("vi"))
    assert operator.page.locator('[data-command="start"] span').inner_text() == "BẮT ĐẦU"
    assert operator.text("light") == "CHÚ Ý"
    operator.wait(lambda o: o.text("gate-good") == "12 trên 14 điện cực tốt")
    show(operator, launcher, scenes.record("vi"))
    operator.wait(lambda o: o.text("gauge-clip") == "đoạn phim Đoạn 3 trên 12")
    show(operator, launcher, scenes.record())


def english(operator: Operator) -> list[str]:
    """Return the little words of English that stand anywhere on the page."""
    text = operator.page.evaluate("() => document.body.innerText")
    return re.findall(r"\b(?:the|is|are|was|were|and|of|not|with|from|at least|overridden)\b", str(text), re.IGNORECASE)


def test_what_the_launcher_says_in_a_vietnamese_study_is_vietnamese(
    operator: Operator, launcher: Launcher, tmp_path: Path
) -> None:
    header = Header("Nghiên cứu", "07", "01", language="vi", n_trials=12)
    on = {
        "camera/lost": "no frame",
        "stream/lost Marks": "no sample for 2.3 s",
        "clock/step": "the wall clock was set by +9.0 s",
    }
    troubles = tuple(Trouble(code=code, text=why, level="warn", t_cause=0.0, t_raised=0.0) for code, why in on.items())
    line = Timeline("vi")
    for t, state in ((0.0, "baseline/eyes_open"), (20.0, "clip trial=3 target=fear")):
        line.see(state, t)
    line.add("alarm", "camera/lost", 25.0)
    during = Situation("session", state="clip trial=3 target=fear", trial=3, n_trials=12, troubles=troubles, language="vi")
    show(operator, launcher, scene_of(header, Known(during, t_s=30.0, timeline=line.moments), seq=1))
    operator.wait(lambda o: o.text("also").endswith("không có hình từ camera · Marks im lặng · đồng hồ máy tính đã bị chỉnh"))
    launcher.refuses = said(refused("not_now", "pause"), "vi")
    operator.press("pause")
    operator.wait(lambda o: o.text("told") == "Không thực hiện được: Tạm dừng: lúc này chưa làm được")
    assert english(operator) == []
    run = folder.create(tmp_path, participant="07", session="01", task="emotion")
    poor = Quality(
        metric="CQ", over="recording", threshold=0.8, value=0.61, coverage=1.0, n=9, per_sensor={}, verdict="exclude",
        reason="contact quality 61.00% is below 80.00%",
    )  # fmt: skip
    Manifest(session_uid="u", end="complete", closed_wall="2026", quality=poor).save(run.manifest_json)
    contact = Contact(state="no_blinks", n_cues=6, n_seen=1, alpha=1.5, overridden="tóc giả")
    verdict = remembered(judge(run, Outcome("complete")), contact=contact, gate_overridden="tóc khô", skipped=True)
    end = Situation("finish", n_trials=12, language="vi", said=verdict.said((), "vi"))
    show(operator, launcher, scene_of(header, Known(end), seq=2))
    operator.wait(lambda o: "ngưỡng tiếp xúc chưa đạt (tóc khô)" in o.text("reasons"))
    assert english(operator) == []
    show(operator, launcher, scenes.record())
    assert english(operator), "the look for it finds it"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["en", "vi"])
def test_record_fits_and_is_large_enough(operator: Operator, launcher: Launcher, size: str, language: str) -> None:
    width, height = SIZES[size]
    operator.page.set_viewport_size({"width": width, "height": height})
    show(operator, launcher, scenes.lost(language))
    within = "({scrollWidth: w, scrollHeight: h}) => [w, h]"
    operator.wait(
        lambda o: o.page.evaluate(f"({within})(document.documentElement)") == [width, height],
        what=f"a page of {width} x {height}",
    )
    assert operator.text("alpha").endswith(("2.3 ×", "2,3 lần"))
    for name in ("gauges", "contact_check", "tiles", "timeline"):
        w, h, cw, ch = operator.page.evaluate(
            "n => { const e = emolab.slot(n); return [e.scrollWidth, e.scrollHeight, e.clientWidth, e.clientHeight] }", name
        )
        assert (w <= cw, h <= ch) == (True, True), (name, w, cw, h, ch)
    smallest = operator.page.evaluate(
        "Math.min(...[...document.querySelectorAll('body *')].filter(e => e.offsetParent && [...e.childNodes]"
        ".some(n => n.nodeType === 3 && n.data.trim())).map(e => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert smallest >= 18


CONTRAST = """() => {
    const parse = c => (c.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
    const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
        if ((c[3] ?? 1) > .9) return c; } return [255, 255, 255]; };
    return [...document.querySelectorAll('body *')]
        .filter(e => e.offsetParent && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
        .map(e => { const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
            return [e.innerText.slice(0, 40), (a + .05) / (b + .05)]; });
}"""


@pytest.mark.parametrize("made", [scenes.preflight, scenes.contacts, scenes.lost, scenes.finish])
def test_every_text_stands_out_from_its_ground(operator: Operator, launcher: Launcher, made) -> None:
    show(operator, launcher, made())
    operator.page.wait_for_timeout(200)
    ratios = operator.page.evaluate(CONTRAST)
    assert len(ratios) > 15
    assert [one for one in ratios if one[1] < 4.5] == []  # WCAG 2, level AA


def test_focus_is_seen_and_moves_through_the_buttons_in_order(operator: Operator, launcher: Launcher) -> None:
    show(operator, launcher, scenes.record())
    operator.page.locator('[data-command="pause"]').focus()
    operator.page.keyboard.press("Tab")
    seen = "[document.activeElement.dataset.command, getComputedStyle(document.activeElement).outlineWidth]"
    assert operator.page.evaluate(seen) == ["repeat", "4px"]
    operator.page.keyboard.press("Enter")
    assert sent(operator, launcher) == [Command(verb="repeat")]


def test_a_silent_launcher_is_said_in_large_letters_and_nothing_can_be_pressed(operator: Operator, launcher: Launcher) -> None:
    show(operator, launcher, scenes.record())
    launcher.speaks = False
    operator.wait(lambda o: o.text("silent").startswith("emo-run has been silent for"))
    assert operator.light == "unknown"
    assert not any(operator.buttons.values())
    operator.page.evaluate("emolab.send('abort', 'from a page that did not notice', '')")
    operator.wait(lambda o: o.text("told") == "Not done: emo-run is silent.")
    launcher.speaks = True
    operator.wait(lambda o: o.light == "green" and o.text("silent") == "")
    assert launcher.commands == []  # what was pressed in the silence is not done after it


def test_a_killed_page_says_so_in_the_browser_and_comes_back_by_itself(operator: Operator, launcher: Launcher) -> None:
    show(operator, launcher, scenes.record())
    launcher.kill_page()
    operator.wait(lambda o: o.text("gone").startswith("This page has lost its server"))
    launcher.start_page()
    operator.wait(lambda o: o.screen == "record" and o.text("gone") == "", limit_s=30)
    launcher.commands.clear()
    operator.press("pause")
    assert sent(operator, launcher) == [Command(verb="pause")]


def test_no_update_is_skipped(operator: Operator, launcher: Launcher) -> None:
    show(operator, launcher, scenes.record())
    begun = operator.page.evaluate("emolab.log.length")
    operator.wait(lambda o: o.page.evaluate("emolab.log.length") >= begun + 30)
    seqs = [entry["seq"] for entry in operator.page.evaluate("emolab.log")]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


def test_a_second_browser_sees_the_whole_truth_at_once(chromium, operator: Operator, launcher: Launcher) -> None:
    scene = show(operator, launcher, scenes.record())
    time.sleep(0.5)
    with Operator(chromium, launcher.url) as other:
        other.wait(lambda o: o.screen == "record" and o.instruction == scene.instruction.text and "EEG" in o.tiles)
        assert other.external == []
