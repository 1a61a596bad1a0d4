"""A session of clips as the simulated devices see it."""

from collections.abc import Sequence

from collector.twin.knobs import Knobs
from collector.twin.timeline import Timeline
from protocol.markers import Marker

EMOTIONS = ("happiness", "sadness", "fear", "neutral")
T0 = 100.0  # LSL seconds of the session's start
FIRST_S, CLIP_S, EVERY_S = 10.0, 8.0, 12.0  # first clip, length of a clip, from clip to clip


def timeline(seed: int, knobs: Knobs, targets: Sequence[str]) -> Timeline:
    made = Timeline(seed, knobs)
    made.add(T0, Marker("session/start", {"participant": "01"}))
    for n, target in enumerate(targets):
        onset, keys = T0 + FIRST_S + n * EVERY_S, {"trial": str(n + 1), "block": "1", "stim_id": f"clip{n}", "target": target}
        made.add(onset, Marker("clip/onset", keys))
        made.add(onset + CLIP_S, Marker("clip/offset", {**keys, "end": "complete"}))
    return made
