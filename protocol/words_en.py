"""The participant's texts in English."""

from __future__ import annotations

from protocol.words_types import Scale, Words, YesNo

ENGLISH = Words(
    content_warning=(
        "Some of the clips are meant to make people sad, afraid or disgusted.\n"
        "They may show grief, danger, injury or violence.\n\n"
        "You may look away or stop at any time, and need not say why."
    ),
    flashing=(
        "Some of the clips flash.\n\n"
        "Please do not take part if you have epilepsy, or if flashing light has ever made you unwell."
    ),
    welcome=(
        "Welcome.\n\nYou will watch short film clips. After each of them we ask how you felt.\n"
        "Please sit comfortably, look at the screen and keep still while a clip plays.\n\n"
        "You may stop at any time: press Escape."
    ),
    start="Press the space bar to begin.",
    practice=(
        "First, a practice.\n\nYou will see a clip and answer the same questions as later on.\n"
        "None of it is used. If anything is unclear, please ask."
    ),
    practice_over="The practice is over.\n\nIs everything clear? If not, please ask now.",
    baseline="Please look at the cross and sit still.\n\nYou need not think of anything in particular.",
    eyes_closed=(
        "Please close your eyes when you hear a tone, and sit still.\n\nOpen them again when you hear the next tone."
    ),
    sync_blink=(
        "From time to time a ring will appear.\n\nEach time the ring appears, blink once.\n"
        "Please keep looking at the middle of the screen, and keep your head still."
    ),
    sync_flash=(
        "The screen will turn bright and dark a few times.\n\n"
        "There is nothing to do: just keep looking at the middle of the screen."
    ),
    blink="blink",
    hint="The next clip is about to begin.",
    rest_hint="No clip this time: just look at the cross.",
    scale_keys="Press a key from 1 to 9, or click.",
    choice_keys="Press the number of your answer, or click on it.",
    break_=(
        "Time for a break.\n\nRest your eyes, and stretch your shoulders if you like.\nPlease keep the cap on."
    ),
    go_on="Press the space bar when you are ready to go on.",
    pause="A short pause.\n\nPlease stay seated. We will go on in a moment.",
    hold="One moment, please.\n\nPlease stay seated.",
    back="The screen had to start again. Nothing is lost, and you did nothing wrong.",
    clip_failed="This clip cannot be shown.\n\nYou did nothing wrong. We will go on in a moment.",
    mood_repair="One last film, just to enjoy.\n\nThere are no questions about it.",
    thanks="Thank you.\n\nThe session is over. Please stay seated for a moment.",
    debrief=(
        "Thank you very much.\n\nSome clips were chosen to stir feelings, unpleasant ones too.\n"
        "These usually pass within a few minutes.\n\n"
        "If anything still troubles you, please tell the person who is here with you."
    ),
    stopped=(
        "The session has been stopped. Thank you for taking part.\n\n"
        "Please stay seated: somebody will be with you in a moment."
    ),
    stop_key="Esc: stop",
    scales={
        "valence": Scale("How pleasant was what you felt?", "very unpleasant", "neither", "very pleasant"),
        "arousal": Scale("How excited were you?", "very calm", "in between", "very excited"),
        "dominance": Scale("How much were you in control of what you felt?", "not at all", "partly", "completely"),
        "liking": Scale("How much did you like the clip?", "not at all", "so so", "very much"),
    },
    intensity=Scale("How strong was that feeling?", "barely there", "moderate", "very strong"),
    looked_away=YesNo("Did you look away or close your eyes during the clip?", "yes", "no"),
    familiarity=YesNo("Had you seen this clip before today?", "yes", "no"),
    emotion="Which of these did you feel most?",
    emotions={
        "happiness": "happiness", "sadness": "sadness", "fear": "fear", "neutral": "nothing in particular",
        "anger": "anger", "disgust": "disgust", "surprise": "surprise", "tenderness": "tenderness",
        "amusement": "amusement", "calm": "calm", "excitement": "excitement", "anxiety": "anxiety", "awe": "awe",
        "other": "something else",
    },
)  # fmt: skip
