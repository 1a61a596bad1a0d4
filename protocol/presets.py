"""The study files that ``emo-study new`` writes."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.study import Study, loads


@dataclass(frozen=True)
class Sizes:
    """What a new study may be given; sizes are (width, height) in pixels."""

    clips_per_emotion: int = 3
    camera_px: tuple[int, int] = (640, 480)
    camera_fps: float = 30.0


def demo(sizes: Sizes) -> str:
    """Return the text of the demo's study file: four emotions, two to three minutes, everything explained."""
    return _DEMO.format(
        clips_per_emotion=sizes.clips_per_emotion,
        camera_width=sizes.camera_px[0],
        camera_height=sizes.camera_px[1],
        camera_fps=f"{sizes.camera_fps:g}",
    )


PRESETS = {"demo": demo}


def preset(name: str, sizes: Sizes) -> tuple[str, Study]:
    """Return a preset's text, and the study that it is."""
    text = PRESETS[name](sizes)
    return text, loads(text, name=f"the preset {name}")


_DEMO = """\
# One file, one study; a copy is frozen into every session. Every key: docs/study-file.md

[study]
name = "Demo: four emotions"
task = "emotion"                      # BIDS task label
language = "en"                       # of the participant's screens: en or vi
authors = ["Your Name", "A Colleague"]
institution = {{ name = "Your institution", address = "Its address", department = "Its department" }}
license = "CC0-1.0"
ethics_approval = "n/a"
description = "Participants watch short clips meant to elicit emotions, and rate after each what they felt."
cogatlas_id = "n/a"                   # address of your task in the Cognitive Atlas, and in CogPO: "n/a" where it has none
cogpo_id = "n/a"

[emotions]                            # 2 to 8; a HED tag for the dataset, a colour for every picture
happiness = {{ hed = "Joyful", color = "#E69F00" }}
sadness = {{ hed = "Sad", color = "#0072B2" }}
fear = {{ hed = "Fearful", color = "#CC79A7" }}
neutral = {{ hed = "Emotionally-neutral", color = "#7F7F7F" }}

[stimuli]
manifest = "clips.tsv"                # columns: file, sha256, stim_id, target, start_s, stop_s, licence, source
clips_per_emotion = {clips_per_emotion}

[design]
seed = 20261122                       # another seed, another order for each participant
never_twice_running = true

[timing]                              # seconds; a study with people wants longer ones: 60, 3, 15
baseline = 8.0
fixation = 1.0
rest = 1.0

[ratings]
sam = ["valence", "arousal"]          # 1 to 9
discrete = true                       # which of the emotions above, or another

[screen]
size_px = [1280, 720]
width_m = 0.53
distance_m = 0.60
fullscreen = true
sound = "silent"                      # "required" stops a session where no sound device is found

[eeg]
stream = {{ name = "EmotivDataStream-EEG" }}
montage = "colin27_1020"
exclude = ["FT9", "FT10", "PO9", "PO10"]
reference = "CMS at TP9"              # where yours sits: nobody can know but you
ground = "DRL at TP10"
line_freq = 50
manufacturer = "Emotiv"
model = "FLEX 2 Saline"
serial_number = "n/a"                 # what BIDS asks about the headset: fill in what yours has
software_versions = "n/a"
cap_manufacturer = "Emotiv"
cap_model = "FLEX 2 cap"
placement_scheme = "32 positions of the extended 10-20 system"
hardware_filters = "n/a"
software_filters = "n/a"

[camera]                              # or: camera = false, above [study]
source = 0                            # device number, a file, or "twin"
size_px = [{camera_width}, {camera_height}]
fps = {camera_fps}
device = "n/a"                        # make and model

[contact_quality]                     # 80 % or higher as reported by the device (Le & Nguyen 2025)
metric = "CQ"
threshold = 0.80
over = "recording"

[consent]
version = "demo-1"
scopes = ["eeg", "face", "train"]
"""
