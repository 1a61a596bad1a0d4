"""Messages between window, collector, page and launcher: ZeroMQ on loopback, typed, never pickles.

The launcher binds, the others connect. The token travels in the environment (:data:`TOKEN_VARIABLE`), never in ``argv``,
where every user of the machine could read it.
"""

from __future__ import annotations

import hmac
from typing import Any, Literal, get_args
from uuid import uuid4

import msgspec

from protocol.scene import Cap, Contact, Finding, GateState, Instruction, Light, Moment, Said, ScreenName, Trouble

SCHEMA = 1
TOKEN_VARIABLE = "EMOLAB_TOKEN"
ADDRESS_VARIABLE = "EMOLAB_ADDRESS"

Who = Literal["window", "collector", "page", "launch"]
Verb = Literal[
    "start", "pause", "resume", "skip", "repeat", "abort", "stop", "note", "check", "override", "keep", "withdraw"
]  # fmt: skip
NEXT = "next"  # `pause` with this argument holds the session before its next trial, `resume` with it lets go again


class MessageError(ValueError):
    """A message is malformed, of another schema, or carries the wrong token."""


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every message body."""


class Beat(Body, frozen=True):
    """A process lives; beats without flips mean a frozen window: an alarm, never a kill.

    ``state`` is what is on the screen, in the words of :func:`protocol.markers.encode`: ``clip trial=3 target=fear``.
    """

    state: str
    n_flip: int | None = None
    t_flip: float | None = None


class StreamStatus(Body, frozen=True):
    """What one stream does at this moment; ``last`` is its newest sample, ``labels`` name its values."""

    name: str
    uid: str
    kind: str
    sfreq_nominal_hz: float
    sfreq_hz: float
    age_s: float | None
    buffer_frac: float
    n: int
    n_lost: int | None = None
    last: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()


class DiskStatus(Body, frozen=True):
    """Room left on the disk that is recorded to, in bytes and in seconds of recording."""

    free_B: int
    left_s: float | None


class CameraStatus(Body, frozen=True):
    """What the camera does at this moment; ``age_s`` is that of its newest frame, None before the first."""

    fps_hz: float
    n_dropped: int
    file: str
    fps_nominal_hz: float | None = None
    age_s: float | None = None


class Alarm(Body, frozen=True):
    """Something is wrong since ``t_cause`` (LSL seconds), or no longer; ``why`` with values, for people who mend it."""

    code: str
    level: Literal["warn", "stop"]
    t_cause: float
    cleared: bool = False
    why: str = ""


class Status(Body, frozen=True):
    """What the collector does at this moment.

    ``alarms`` are those that are on: whoever missed one, or its end, learns of it here; None says nothing of them.
    """

    recording: bool
    streams: tuple[StreamStatus, ...] = ()
    disk: DiskStatus | None = None
    camera: CameraStatus | None = None
    alarms: tuple[Alarm, ...] | None = None


class Command(Body, frozen=True):
    """Something to do; sent twice with one id it is done once."""

    verb: Verb
    reason: str = ""
    arg: str = ""


class Ack(Body, frozen=True):
    """The answer to the message ``of``."""

    of: str
    ok: bool
    error: str = ""


class Press(Body, frozen=True):
    """A key of the simulated participant; accepted only under ``--twin``."""

    key: str


class Preview(Body, frozen=True):
    """A small picture of the camera, JPEG, taken at ``t`` (LSL seconds)."""

    jpeg: bytes
    t: float


class Scene(Body, frozen=True):
    """All that an operator is shown but pictures and traces; ``seq`` counts scenes of one launcher from 0.

    ``state`` is what is on the participant's screen, as the last :class:`Beat` said it; ``buttons`` are the commands that may
    be given now; ``t_s`` counts from the start of the recording.
    """

    seq: int
    screen: ScreenName
    phase: str
    light: Light
    instruction: Instruction
    study: str
    participant: str
    session: str
    run: str
    language: Literal["en", "vi"]
    simulated: bool
    t_s: float
    recording: bool
    state: str
    trial: int | None
    n_trials: int
    buttons: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    gate: GateState | None = None
    contact: Contact = Contact()
    battery: float | None = None
    battery_left_s: float | None = None
    troubles: tuple[Trouble, ...] = ()
    timeline: tuple[Moment, ...] = ()
    said: Said | None = None
    cap: Cap | None = None


TYPES: dict[str, type[Body]] = {t.__name__: t for t in (Beat, Status, Command, Ack, Alarm, Press, Preview, Scene)}


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What goes over the wire around every body."""

    token: str
    who: Who
    t_lsl: float
    type: str
    body: Any
    id: str = msgspec.field(default_factory=lambda: uuid4().hex)
    schema: int = SCHEMA


def encode(body: Body, *, token: str, who: Who, t_lsl: float, id_: str | None = None) -> bytes:
    """Wrap a body in its envelope, as JSON bytes; with ``id_`` as a message that may have been sent before."""
    if who not in get_args(Who):
        raise MessageError(f"who = {who!r}: one of {', '.join(get_args(Who))}")
    kind = type(body).__name__
    return msgspec.json.encode(Envelope(token=token, who=who, t_lsl=t_lsl, type=kind, body=body, id=id_ or uuid4().hex))


def decode(data: bytes, *, token: str) -> Envelope:
    """Read an envelope and check its token, schema, type and every field.

    Raises
    ------
    MessageError
        For anything that :func:`encode` with the same token would not have written.
    """
    try:
        raw = msgspec.json.decode(data, type=Envelope)
        if not hmac.compare_digest(raw.token.encode(), token.encode()):
            raise MessageError("wrong token")
        if raw.schema != SCHEMA:
            raise MessageError(f"schema = {raw.schema}: this version speaks {SCHEMA}")
        if raw.type not in TYPES:
            raise MessageError(f"type = {raw.type!r}: one of {', '.join(TYPES)}")
        return msgspec.structs.replace(raw, body=msgspec.convert(raw.body, TYPES[raw.type]))
    except msgspec.MsgspecError as error:
        raise MessageError(f"not a message: {error}") from error
