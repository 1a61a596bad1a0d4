"""The paragraphs of the study files that ``emo-study new`` writes; ``{..}`` is filled in by :mod:`protocol.presets`."""

from __future__ import annotations

HEAD = """\
#:schema study.schema.json
# One file, one study; a copy is frozen into every session. Every key: docs/study-file.md
"""

STUDY = """
[study]
name = "{name}"
task = "emotion"                      # BIDS task label
language = "{language}"                       # of the participant's screens: en or vi
authors = ["Your Name", "A Colleague"]
institution = {{ name = "Your institution", address = "Its address", department = "Its department" }}
license = "{license}"
ethics_approval = "n/a"
description = "{description}"
cogatlas_id = "n/a"                   # address of your task in the Cognitive Atlas, and in CogPO: "n/a" where it has none
cogpo_id = "n/a"
"""

FOUR = """
[emotions]                            # 2 to 8; a HED tag for the dataset, a colour for every picture
happiness = {{ hed = "Joyful", color = "#E69F00" }}
sadness = {{ hed = "Sad", color = "#0072B2" }}
fear = {{ hed = "Fearful", color = "#CC79A7" }}
neutral = {{ hed = "Emotionally-neutral", color = "#7F7F7F" }}
"""

THREE_AND_REST = """
[emotions]                            # 2 to 8; a HED tag for the dataset, a colour for every picture
happiness = {{ hed = "Joyful", color = "#E69F00" }}
sadness = {{ hed = "Sad", color = "#0072B2" }}
fear = {{ hed = "Fearful", color = "#CC79A7" }}
# a cross for as long as a clip: note that rest can be told from video without any emotion
neutral = {{ hed = "Emotionally-neutral", color = "#7F7F7F", as = "rest" }}
"""

QUADRANTS = """
[emotions]                            # the four quadrants of valence and arousal
excited = {{ hed = "Excited", color = "#E69F00" }}    # pleasant, high arousal
content = {{ hed = "Content", color = "#009E73" }}    # pleasant, low arousal
stressed = {{ hed = "Stressed", color = "#CC79A7" }}  # unpleasant, high arousal
sad = {{ hed = "Sad", color = "#0072B2" }}            # unpleasant, low arousal
"""

STIMULI = """
[stimuli]
manifest = "clips.tsv"                # columns: file, sha256, stim_id, target, start_s, stop_s, licence, source
clips_per_emotion = {clips_per_emotion}
"""

MOOD = """\
mood_repair = "mood01"                # ends every session, also one that is stopped; no trial

[practice]
clips = ["practice01"]                # before the baseline; no trial

[safety]
content_warning = true                # before the consent: some clips are meant to upset; or a text of your own
max_flashes = 3                       # in any second of a clip; `emo-study check` counts them
"""

SCREEN = """
[screen]
size_px = [1280, 720]
width_m = 0.53
distance_m = 0.60
fullscreen = true
sound = "{sound}"                      # "required" stops a session where no sound device is found, "silent" does not
"""

DEVICES = """
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
"""

FORM = """
[form]                                # asked before each session; never a name
fields = ["age", "sex", "handedness", "hair", "cap_size", "head_circumference"]
screening = [
  "{epilepsy}",
  "{medicine}",
]
"""

CONSENT = """
[consent]
version = "{consent}"
scopes = ["eeg", "face", "train"]
"""
