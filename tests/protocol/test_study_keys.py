"""Every key of the study file that came with a default: what it takes, and what it refuses in one line."""

from __future__ import annotations

import pytest

from protocol.study import StudyError, loads

HEAD = 'study.name = "s"\nconsent = { version = "1" }\n'
EMOTIONS = 'emotions.fear = { hed = "Fearful", color = "#CC79A7" }\nemotions.joy = { hed = "Joyful", color = "#E69F00" }\n'


def refusal(text: str) -> str:
    with pytest.raises(StudyError) as refused:
        loads(text, name="study.toml")
    return str(refused.value)


BAD = [
    ("study.debrief = ''", "study.debrief = ''"),
    ("stimuli.mood_repair = 'a b'", "stimuli.mood_repair = 'a b'"),
    ("safety.content_warning = 3", "safety.content_warning"),
    ("safety.content_warning = ''", "safety.content_warning"),
    ("safety.max_flashes = -1", "safety.max_flashes = -1"),
    ("safety.flashing = 'yes, often'", "safety.flashing = 'yes, often'"),
    ("design.order = 'latin'", "design.order = 'latin'"),
    ("design.blocks = 0", "design.blocks = 0"),
    ("design.blocks = 2", "design.blocks = 2: 3 clips of each emotion do not divide evenly; choose one of 1, 3"),
    ("design.max_running = 0", "design.max_running = 0"),
    ("design.max_running = 2", "design.max_running = 2: never_twice_running is true; set that to false"),
    ("design.first_not = ['awe']", "design.first_not: 'awe' is none of fear, joy"),
    ("design.last_not = ['awe']", "design.last_not: 'awe' is none of fear, joy"),
    ("design.not_after = [['fear', 'awe']]", "design.not_after: 'awe' is none of fear, joy"),
    ("design.not_after = [['fear']]", "design.not_after.0.1: is missing"),
    ("design = { order = 'latin-square', first_not = ['fear'] }", "design.first_not: a Latin square puts every emotion"),
    ("design = { order = 'latin-square', not_after = [['fear', 'joy']] }", "design.not_after: a Latin square puts every"),
    ("design.participants = '07'", "design.participants = '07'"),
    ("design.participants = ['0 7']", "design.participants.0 = '0 7'"),
    ("design.participants = ['07', '08', '07']", "design.participants: '07' stands there twice; name each once"),
    (
        "design = { order = 'latin-square', participants = ['1', 'anna'] }",
        "design.participants: 'anna': order = \"latin-square\"",
    ),
    ("design = { order = 'latin-square', participants = ['P00'] }", "design.participants: 'P00': order = \"latin-square\""),
    ("timing.eyes_closed = -1", "timing.eyes_closed = -1"),
    ("timing.hint = 8000", "timing.hint = 8000"),
    ("timing.rating = 'long'", "timing.rating = 'long'"),
    ("timing.break = inf", "timing.break = inf"),
    ("timing.break_ = 3", "timing.break_: unknown key; known here: baseline, eyes_closed, hint, fixation, rating, rest, break"),
    ("practice.clips = 'fear01'", "practice.clips = 'fear01'"),
    ("practice.clips = ['a b']", "practice.clips.0 = 'a b'"),
    ("sync.after = 2", "sync.after = 2"),
    ("sync.onset_skip = -2", "sync.onset_skip = -2"),
    ("ratings.sam = ['valence', 'valence']", "ratings.sam: names a scale twice"),
    ("ratings.sam = ['love']", "ratings.sam.0 = 'love'"),
    ("ratings = { intensity = true, discrete = false }", "ratings.intensity = true: is asked of the emotion that was chosen"),
    ("ratings.familiarity = 5", "ratings.familiarity = 5"),
    ("eeg.sfreq = 0", "eeg.sfreq = 0"),
    ("gate.metric = 'SNR'", "gate.metric = 'SNR'"),
    ("gate.threshold = 80", "gate.threshold = 80"),
    ("gate.hold = -1", "gate.hold = -1"),
    ("gate.min_sensors = 0", "gate.min_sensors = 0"),
    ("gate.required = 'perhaps'", "gate.required = 'perhaps'"),
    ("form.fields = ['name']", "form.fields.0 = 'name'"),
    ("form.fields = ['age', 'age']", "form.fields: asks something twice"),
    ("form.screening = ['']", "form.screening.0 = ''"),
    ("export.funding = 'a grant'", "export.funding = 'a grant'"),
    ("export.references = 3", "export.references = 3"),
    ("export.acknowledgements = 3", "export.acknowledgements = 3"),
]


@pytest.mark.parametrize(("line", "said"), BAD)
def test_a_bad_value_is_one_line_with_file_key_value_and_reason(line: str, said: str) -> None:
    text = refusal(HEAD + EMOTIONS + line)
    assert text.startswith(f"study.toml: {said}")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("fear", "said"),
    [
        ('as = "pause"', "emotions.fear.as = 'pause'"),
        ("duration = 60", 'emotions.fear.duration = 60: a clip has its own; remove it, or set as = "rest"'),
        ('as = "rest", duration = 0', "emotions.fear.duration = 0"),
        ('as_ = "rest"', "emotions.fear.as_: unknown key"),
    ],
)
def test_a_bad_emotion_is_one_line(fear: str, said: str) -> None:
    emotions = EMOTIONS.replace('color = "#CC79A7"', f'color = "#CC79A7", {fear}')
    assert refusal(HEAD + emotions).startswith(f"study.toml: {said}")


def test_rest_for_every_emotion_is_refused() -> None:
    text = refusal(HEAD + EMOTIONS.replace(" }", ', as = "rest" }'))
    assert text == "study.toml: emotions: all of them are shown as rest; at least one needs clips"


def test_the_clip_for_the_mood_is_none_of_the_practice() -> None:
    text = refusal(HEAD + EMOTIONS + "stimuli.mood_repair = 'a'\npractice.clips = ['a']")
    assert text.startswith("study.toml: stimuli.mood_repair = 'a': is a clip of the practice")


def test_a_study_of_the_first_kind_stays_what_it_was() -> None:
    """What a study file says that was written before these keys: nothing new is shown or asked."""
    study = loads(HEAD + EMOTIONS)
    assert (study.design.order, study.design.blocks, study.practice.clips, study.stimuli.mood_repair) == ("random", 1, (), None)
    assert (study.timing.hint, study.timing.rating, study.timing.eyes_closed, study.sync.onset_skip) == (0, 0, 0, 0)
    assert not (study.ratings.intensity or study.ratings.looked_away or study.ratings.familiarity)
    assert not (study.safety.content_warning or study.safety.flashing or study.gate.required)
    assert all(emotion.as_ == "clip" for emotion in study.emotions.values())


def test_every_key_is_read() -> None:
    study = loads(
        HEAD
        + EMOTIONS.replace('color = "#CC79A7"', 'color = "#CC79A7", as = "rest", duration = 45')
        + "timing = { hint = 5, rating = 45, break = 60 }\ndesign = { blocks = 3, not_after = [['fear', 'joy']] }\n"
        + "safety.content_warning = 'Blood.'\ncamera = false\nratings.sam = ['liking', 'arousal']"
    )
    assert (study.emotions["fear"].as_, study.emotions["fear"].duration) == ("rest", 45)
    assert (study.timing.hint, study.timing.rating, study.timing.break_) == (5, 45, 60)
    assert (study.design.blocks, study.design.not_after) == (3, (("fear", "joy"),))
    assert (study.safety.content_warning, study.camera, study.ratings.sam) == ("Blood.", None, ("liking", "arousal"))
