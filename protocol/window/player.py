"""Plays a clip: every frame at its flip, the sound on the same clock, and an account of both.

Not by PsychoPy's MovieStim (2026.2.5), measured: it chooses the frame by the wall clock at ``draw()`` and not at the flip, does
not know which one (``frameIndex`` is always 0), never shows the last, opens the sound device even with ``noAudio=True``, leaks
13 MB a clip, takes SIGTERM away from the process, and may hang at its end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Literal

from protocol.ports import Asked, Clip, Played, Stamp, Stopped
from protocol.window import layout
from protocol.window.decode import ClipError, Decoder, Format
from protocol.window.display import Display
from protocol.window.playhead import Playhead
from protocol.window.sound import LEAD_S, Speaker, Track
from protocol.window.texture import Texture

PREPARE_S = 30.0  # a clip that is not decoded by then has failed

End = Literal["complete", "skipped", "failed", "interrupted"]
OnOnset = Callable[[Stamp], None]
OnOffset = Callable[[Played], None]


@dataclass
class _Account:
    """What is known of a clip so far."""

    head: Playhead | None = None
    planned_s: Stamp = math.nan
    onset_s: Stamp | None = None
    sound_s: Stamp | None = None

    def played(self, t_offset: Stamp, *, end: End, error: str) -> Played:
        head, onset_s = self.head, self.onset_s
        heard = self.sound_s is not None and onset_s is not None
        return Played(
            t_onset=onset_s,
            t_offset=t_offset,
            shown=head.shown if head else 0,
            dropped=head.dropped if head else 0,
            repeated=head.repeated if head else 0,
            onset_error_s=None if onset_s is None else onset_s - self.planned_s,
            audio_offset_s=self.sound_s - onset_s if heard else None,  # type: ignore[operator]
            end=end,
            error=error,
            lost=tuple(head.lost) if head else (),
        )


class Player:
    """Plays clips on a display.

    Parameters
    ----------
    display : Display
        Where.
    speaker : Speaker or None
        None plays without sound.
    """

    def __init__(self, display: Display, speaker: Speaker | None) -> None:
        self._display, self._speaker = display, speaker

    def play(self, clip: Clip, *, on_onset: OnOnset, on_offset: OnOffset) -> Played:
        """Play a clip from its in point to its out point.

        The page that is on the screen stays until the first frame is decoded. A clip that cannot be decoded ends in a calm
        screen and ``Played(end="failed")``.

        Raises
        ------
        Stopped, Asked
            When the session is to end, or the clip; the sound has been stopped and, where the clip had begun, it has been taken
            off the screen and ``on_offset`` knows what was shown of it.
        """
        account = _Account()
        with_sound = self._speaker is not None
        with closing(Decoder(clip.path, start_s=clip.start_s, stop_s=clip.stop_s, with_sound=with_sound)) as decoder:
            try:
                self._show(clip, decoder, account, on_onset)
            except ClipError as failure:
                return self._clear(account, on_offset, end="failed", error=str(failure))
            except (Stopped, Asked) as wish:
                if account.onset_s is not None:
                    skipped = isinstance(wish, Asked) and wish.wish == "skip"
                    self._clear(account, on_offset, end="skipped" if skipped else "interrupted")
                raise
            return self._clear(account, on_offset, end="complete")

    def _show(self, clip: Clip, decoder: Decoder, account: _Account, on_onset: OnOnset) -> None:
        """Show the clip up to the flip before the one that clears it."""
        form = self._prepare(decoder)
        head = account.head = Playhead(decoder.take, frame_s=1 / form.fps, duration_s=clip.stop_s - clip.start_s)
        if (first := head.first()) is None:
            raise ClipError(f"{clip.path.name}: no frame between {clip.start_s} s and {clip.stop_s} s")
        with self._track(decoder) as track, closing(Texture(form.width_px, form.height_px)) as texture:
            texture.upload(first.rgb)
            account.planned_s = self._plan(track)

            def on_first(stamp: Stamp) -> None:
                account.onset_s = stamp
                on_onset(stamp)

            self._draw(texture, form)
            self._display.flip(on_first, frame=first, lit=True)
            self._follow(head, texture, form, track, account)
        if head.missing_s:
            raise ClipError(f"{clip.path.name}: ends {head.missing_s:.2f} s before its out point {clip.stop_s} s")

    def _prepare(self, decoder: Decoder) -> Format:
        """Keep the page on the screen until the clip is decoded so far that it can begin."""
        deadline_s = self._display.now() + PREPARE_S
        while not decoder.ready:
            if self._display.now() > deadline_s:
                raise ClipError(f"could not be prepared in {PREPARE_S:.0f} s")
            self._display.keep_page()
        if decoder.format is None:
            raise ClipError(decoder.error)
        return decoder.format

    @contextmanager
    def _track(self, decoder: Decoder) -> Iterator[Track | None]:
        """Hand the sound to the device; stop it however the clip ends."""
        if self._speaker is None or decoder.sound is None:
            yield None
            return
        with closing(self._speaker.load(decoder.sound)) as track:
            yield track

    def _plan(self, track: Track | None) -> Stamp:
        """Choose the flip that will bring the first frame, start the sound for it, and keep the page until then."""
        display = self._display
        n_flips = math.ceil(LEAD_S / display.period_s) if track is not None else 0
        planned_s = display.due_s + n_flips * display.period_s
        if track is not None:
            track.start(planned_s)
        while display.due_s < planned_s - display.period_s / 2:
            display.keep_page()
        return planned_s

    def _follow(self, head: Playhead, texture: Texture, form: Format, track: Track | None, account: _Account) -> None:
        """Show each frame at its flip. Pictures follow the sound where there is one, else their own onset."""
        display = self._display
        start_s = account.planned_s if track is not None or account.onset_s is None else account.onset_s
        # half a period ahead of the flip: a frame is neither early nor late for the jitter of a flip
        while not head.over(media_s := display.due_s - start_s + display.period_s / 2):
            if (frame := head.advance(media_s)) is None:
                display.keep(partial(self._draw, texture, form), frame=head.current)
            else:
                texture.upload(frame.rgb)
                self._draw(texture, form)
                display.flip(frame=frame)
            if track is not None and account.sound_s is None:
                account.sound_s = track.started_s()
        head.count_rest()

    def _draw(self, texture: Texture, form: Format) -> None:
        sheet = self._display.sheet
        width, height = layout.letterbox(form.aspect, (sheet.width_px, sheet.height_px))
        texture.draw(width / sheet.width_px, height / sheet.height_px)

    def _clear(self, account: _Account, on_offset: OnOffset, *, end: End, error: str = "") -> Played:
        """Take the clip off the screen."""
        results: list[Played] = []

        def on_cleared(stamp: Stamp) -> None:
            results.append(account.played(stamp, end=end, error=error))
            on_offset(results[0])

        self._display.clear(on_cleared)
        return results[0]
