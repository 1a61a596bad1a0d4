"""Contacts, traces and the camera's picture in a real browser, against a headset over real LSL."""

from collections.abc import Iterator
from typing import Any

import pytest

from protocol import lsl
from tests.page import Operator

from . import scenes
from .lab import HUM, Headset
from .launcher import Launcher

pytestmark = pytest.mark.live
N = 28  # sensors on the head: 32 less those that the study leaves out


@pytest.fixture(scope="module")
def room(chromium: Any) -> Iterator[tuple[Launcher, Headset, Operator]]:
    import secrets

    try:
        lsl.configure(f"test-{secrets.token_hex(8)}")
    except lsl.LslError:
        lsl.configure()  # another test of this process has set LSL up
    with Launcher() as launcher, Headset(launcher) as headset:
        launcher.show(headset.scene(scenes.contacts()))
        with Operator(chromium, launcher.url) as operator:
            operator.wait(lambda o: len(sensors(o)) == N, what="the head")
            yield launcher, headset, operator


def sensors(operator: Operator) -> dict[str, dict[str, Any]]:
    """Read the head as it is drawn."""
    found = operator.page.evaluate("""[...document.querySelectorAll('[data-test=sensor]')].map(g => {
        const shape = g.querySelector('.dot > :first-child'), box = g.querySelector('.dot').getBoundingClientRect();
        return [g.dataset.name, {state: g.dataset.state, letter: g.querySelector('.dot text')?.textContent ?? '',
          shape: shape.tagName, x: box.x + box.width / 2, y: box.y + box.height / 2, said: g.getAttribute('aria-label')}]})""")
    return dict(found)


def traces(operator: Operator) -> dict[str, Any]:
    return dict(
        operator.page.evaluate(
            "({...emolab.traces.state(), n: [...(emolab.traces.columns() ?? [])].filter(v => v >= 0).length})"
        )
    )


def test_every_sensor_is_a_dot_in_its_place_with_a_shape_and_a_letter(room) -> None:
    _, headset, operator = room
    head = sensors(operator)
    assert [(head[n]["state"], head[n]["letter"]) for n in ("Cz", "O1", "P8", "T8")] == [
        ("good", "G"), ("fair", "F"), ("poor", "P"), ("none", ""),
    ]  # fmt: skip
    assert len({head[n]["shape"] for n in ("Cz", "O1", "T8")}) == 3
    assert head["T7"]["x"] < head["C3"]["x"] < head["Cz"]["x"] < head["C4"]["x"] < head["T8"]["x"]
    assert head["Fp1"]["y"] < head["Cz"]["y"] < head["Oz"]["y"]
    assert head["O1"]["said"] == "O1: fair, 50 %"
    assert operator.text("overall") == "76 % Contact quality wanted 80 %" and operator.text("count") == "good 25 of 28"
    assert operator.text("advice") == "Wet first: T8, P8, O1"
    marks = {what: operator.page.locator(f"[data-test=mark-{what}] text").text_content() for what in ("reference", "ground")}
    assert marks == {"reference": "R", "ground": "Gd"}
    headset.levels = {}
    operator.wait(lambda o: o.text("advice") == "No sensor needs more saline.", what="wet sensors")
    assert {s["state"] for s in sensors(operator).values()} == {"good"}


def test_blinks_are_seen_live(room) -> None:
    _, _, operator = room
    operator.wait(lambda o: o.text("blink").startswith("Blink seen"), what="a blink")


def test_a_sensor_is_looked_at_closely_by_mouse_and_by_keyboard(room) -> None:
    _, _, operator = room
    operator.page.locator(f'[data-test=sensor][data-name="{HUM}"]').click(force=True)
    operator.wait(
        lambda o: any("Mains 50 Hz" in text and "too much" in text for text in o.texts("mains")), what="the mains bar"
    )
    operator.wait(lambda o: 35 < float(o.page.get_attribute("[data-test=mains]", "data-uv")) < 50, what="a whole window of it")
    operator.page.locator(f'[data-test=sensor][data-name="{HUM}"]').focus()
    operator.page.keyboard.press("ArrowRight")
    focused = operator.page.evaluate("document.activeElement.dataset.name")
    assert focused in ("C3", "CP5", "FC5")
    operator.page.keyboard.press("Enter")
    operator.wait(lambda o: o.page.get_attribute("[data-test=detail]", "data-name") == focused, what="the other sensor")
    operator.wait(lambda o: all("too much" not in text for text in o.texts("mains")), what="its own mains")
    operator.page.keyboard.press("Escape")
    operator.wait(lambda o: not o.page.locator("[data-test=detail]").count(), what="all traces")


def test_the_picture_has_a_box_round_the_face_and_tells_of_a_second_one(room) -> None:
    _, headset, operator = room
    operator.wait(lambda o: o.text("face") == "one face", what="a face")
    assert operator.text("camera-facts").startswith("30.0 frames/s")
    # both at one moment: they are drawn anew five times a second
    middle, height = operator.page.evaluate("""(() => {
        const [box, picture] = ['box', 'picture'].map(n => document.querySelector(`[data-test=${n}]`).getBoundingClientRect());
        return [(box.x + box.width / 2 - picture.x) / picture.width, box.height / picture.height]})()""")
    assert 0.35 < middle < 0.65 and 0.2 < height < 0.8
    headset.second_face = True
    operator.wait(lambda o: o.text("face") == "2 faces", what="the second face")
    headset.second_face, headset.pictures = False, False
    operator.wait(lambda o: o.text("face") == "no picture of the camera", what="that the camera is gone")
    assert not operator.page.locator("[data-test=picture]").is_visible()


def test_traces_scroll_hold_and_come_back_after_a_loss(room) -> None:
    launcher, headset, operator = room
    launcher.show(headset.scene(scenes.record()))
    operator.wait(lambda o: o.screen == "record" and traces(o)["names"][:2] == ["Cz", "Fz"], what="traces")
    operator.wait(lambda o: traces(o)["n"] > 3 * 80, what="the seconds before")
    assert len(traces(operator)["names"]) == N
    headset.mark("clip/onset trial=3 target=fear")
    operator.wait(
        lambda o: o.page.evaluate("emolab.newest.traces.marks.map(m => m[1])") == ["clip/onset trial=3 target=fear"],
        what="the marker",
    )
    canvas = operator.page.locator("canvas[data-test=traces]")
    canvas.focus()
    operator.page.keyboard.press("Space")
    operator.page.keyboard.press("+")
    state = traces(operator)
    assert (state["held"], operator.text("trace-scale")) == (True, "↕ 20 µV")
    operator.page.keyboard.press("Space")
    assert not traces(operator)["held"]
    headset.silent = True
    operator.wait(lambda o: o.text("trace-text").startswith("No EEG for"), what="that EEG is gone")
    headset.plug_again()
    headset.silent = False
    operator.wait(lambda o: not o.text("trace-text"), what="EEG of the outlet that came back")
    assert operator.errors == [] and operator.external == []


def test_a_filter_that_is_switched_off_shows_the_mains(room) -> None:
    _, _, operator = room
    hum = f"Math.max(...emolab.newest.traces.high[emolab.newest.traces.names.indexOf('{HUM}')] ?? [0])"
    operator.wait(lambda o: 0 < o.page.evaluate(hum) < 250, what="T7 without mains")
    operator.page.locator("[data-test=trace-notch]").click()
    operator.wait(lambda o: o.page.evaluate(hum) > 400, what="T7 with 60 uV of mains, in tenths")
    assert operator.page.get_attribute("[data-test=trace-notch]", "aria-pressed") == "false"
