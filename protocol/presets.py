"""The study files that ``emo-study new`` writes: what each copies from whom stands in docs/protocol.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from protocol import preset_parts as part
from protocol.study import Study, loads
from protocol.words_types import Language


@dataclass(frozen=True)
class Sizes:
    """What a new study may be given; sizes are (width, height) in pixels; without a number of clips, the preset's."""

    clips_per_emotion: int | None = None
    camera_px: tuple[int, int] = (640, 480)
    camera_fps: float = 30.0
    language: Language = "en"


@dataclass(frozen=True)
class Preset:
    """A study to start from.

    Parameters
    ----------
    about : str
        One line for people who choose.
    clips_per_emotion : int
        Unless other sizes are asked for.
    clip_s : float
        How long the clips are meant to be, seconds; drawn stand-ins are shorter.
    emotions, middle : str
        Paragraphs of the file: the emotions; and what comes between the stimuli and the screen.
    extras : bool
        Whether there are a clip for practice, one for the mood, a warning and a form.
    """

    about: str
    clips_per_emotion: int
    clip_s: float
    emotions: str
    middle: str
    extras: bool = True


PRESETS: Mapping[str, Preset] = {
    "demo": Preset(
        "four emotions in a few minutes, to try everything out",
        3,
        6.0,
        part.FOUR,
        """
[design]
seed = 20261122                       # another seed, another order for each participant
never_twice_running = true

[timing]                              # seconds; a study with people wants longer ones: 60, 3, 15
baseline = 8.0
fixation = 1.0
rest = 1.0

[sync]                                # a study with people wants 12 of each, before and after
blinks = 6
flashes = 6
after = false

[ratings]
sam = ["valence", "arousal"]          # 1 to 9
discrete = true                       # which of the emotions above, or another
""",
        extras=False,
    ),
    "paper": Preset(
        "happiness, sadness and fear from clips, neutral as rest, 15 to 20 minutes (Le & Nguyen 2025)",
        3,
        35.0,
        part.THREE_AND_REST,
        """
[design]
seed = 20261122                       # another seed, other orders
order = "latin-square"                # balanced over every 4 participants; "random" draws each order
never_twice_running = true

[timing]                              # seconds
baseline = 60.0
fixation = 3.0
rest = 10.0

[sync]
blinks = 12
flashes = 12
onset_skip = 2.0                      # the paper discards the first 2 s of each clip: that hides an offset, it aligns nothing

[ratings]
sam = ["valence", "arousal"]          # 1 to 9
discrete = true                       # which of the emotions above, or another
looked_away = true
familiarity = true
""",
    ),
    "seed-iv": Preset(
        "24 trials: 5 s hint, clip of about 2 minutes, 45 s rating, 15 s rest (SEED-IV, Zheng et al. 2019)",
        6,
        120.0,
        part.FOUR,
        """
[design]
seed = 20261122                       # another seed, another order for each participant
blocks = 2                            # a break in the middle
never_twice_running = true

[timing]                              # seconds
baseline = 60.0
hint = 5.0
fixation = 0.0
rating = 45.0                         # all questions together; what is not answered by then is left out
rest = 15.0
break = 60.0                          # at least

[sync]
blinks = 12
flashes = 12

[ratings]
sam = ["valence", "arousal"]          # 1 to 9
discrete = true                       # which of the emotions above, or another
intensity = true
""",
    ),
    "deap": Preset(
        "40 trials: 2 min baseline, 5 s fixation, 60 s clip, four scales from 1 to 9 (DEAP, Koelstra et al. 2012)",
        10,
        60.0,
        part.QUADRANTS,
        """
[design]
seed = 20261122                       # another seed, another order for each participant
blocks = 2                            # a break after 20 trials
never_twice_running = false           # DEAP drew the order at random, without a constraint

[timing]                              # seconds
baseline = 120.0
hint = 2.0                            # DEAP showed the number of the trial; here it is a line, and dots
fixation = 5.0
rest = 0.0
break = 120.0                         # at least

[sync]
blinks = 12
flashes = 12

[ratings]
sam = ["arousal", "valence", "liking", "dominance"]  # 1 to 9
discrete = false
familiarity = true                    # DEAP asked on a scale after the experiment; here yes or no, after each clip
""",
    ),
}

_SCREENING: Mapping[Language, tuple[str, str]] = {
    "en": (
        "Have you ever had an epileptic seizure, or does flashing light make you unwell?",
        "Do you take medicine that acts on the brain, or have you been treated for a disease of it?",
    ),
    "vi": (
        "Bạn đã từng bị co giật (động kinh), hoặc khó chịu vì ánh sáng nhấp nháy chưa?",
        "Bạn có đang dùng thuốc tác động lên não, hoặc từng điều trị bệnh về não không?",
    ),
}
_DESCRIPTION = "Participants watch short clips meant to elicit emotions, and rate after each what they felt."


def preset(name: str, sizes: Sizes) -> tuple[str, Study]:
    """Return a preset's text, and the study that it is."""
    chosen, demo = PRESETS[name], name == "demo"
    epilepsy, medicine = _SCREENING[sizes.language]
    own = chosen.extras
    parts = (part.HEAD, part.STUDY, chosen.emotions, part.STIMULI, part.MOOD if own else "", chosen.middle)
    filled = "".join(
        (*parts, part.SCREEN, part.DEVICES, part.FORM if own else "", part.CONSENT)
    ).format(
        name="Demo: four emotions" if demo else f"My study (preset {name})",
        language=sizes.language, license="CC0-1.0" if demo else "n/a", description=_DESCRIPTION,
        clips_per_emotion=sizes.clips_per_emotion or chosen.clips_per_emotion, sound="silent" if demo else "required",
        camera_width=sizes.camera_px[0], camera_height=sizes.camera_px[1], camera_fps=f"{sizes.camera_fps:g}",
        epilepsy=epilepsy, medicine=medicine, consent="demo-1" if demo else "1",
    )  # fmt: skip
    return filled, loads(filled, name=f"the preset {name}")
