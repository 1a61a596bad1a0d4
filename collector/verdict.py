"""What a session came to: keep, repeat clips, exclude, not judged, and why; one line for people, and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from collector import verdict_words as words
from collector.crew import Outcome
from collector.phrases import said
from collector.told import Told
from protocol import commands
from protocol.folder import Manifest, Quality, Run
from protocol.scene import Choice, Contact, File, Finding, Said
from protocol.words_types import Language

Name = Literal["keep", "repeat", "exclude", "not_judged", "aborted", "fault"]


@dataclass(frozen=True)
class Verdict:
    """What a session came to.

    Parameters
    ----------
    code : int
        Exit code: 0 kept, 1 excluded, not judged or aborted, 3 fault.
    name : str
        In one word.
    text : str
        For people, one line; English in files, and on the page in the study's language where it is a phrase.
    run : Run
        Where it lies.
    outcome : Outcome
        How it ended.
    quality : Quality or None
        The rule's verdict, where there is a manifest.
    reasons : tuple of str
        As ``text``. What else has to be known of it: overrides, a contact check that was not passed, what the report found.
    repeat : tuple of int
        Trials whose clips have to be shown again to be used.
    page : str
        Where the report lies.
    choice : {"", "open", "keep", "withdraw"}
        What the participant wants of a recording that was broken off; ``open`` until somebody has asked.
    rerun, withdrawal : str
        What starts this session once more, and what removes the participant's data, typed into a terminal.
    """

    code: int
    name: Name
    text: str
    run: Run
    outcome: Outcome
    quality: Quality | None
    reasons: tuple[str, ...] = ()
    repeat: tuple[int, ...] = ()
    page: str = ""
    choice: Choice = ""
    rerun: str = ""
    withdrawal: str = ""

    @property
    def next(self) -> str:
        """What is to be typed next; empty where nothing is."""
        if self.name == "repeat" and self.rerun:
            return f"{self.rerun} --repeat {','.join(map(str, self.repeat))}"
        return self.withdrawal if self.choice == "withdraw" else ""

    def record(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        files = sorted(path.name for path in self.run.path.iterdir())
        return {
            "schema": 1, "exit": self.code, "verdict": self.name, "message": self.text, "reasons": list(self.reasons),
            "repeat": list(self.repeat), "next": self.next, "choice": self.choice, "run": str(self.run.path),
            "participant": self.run.participant, "session": self.run.session, "number": self.run.run,
            "end": self.outcome.end, "reason": self.outcome.reason, "fault": self.outcome.fault,
            "quality": self.quality.model_dump() if self.quality else None, "files": files,
        }  # fmt: skip

    def said(self, files: Sequence[File] = (), language: Language = "en") -> Said:
        """Return what a page shows of it."""
        return Said(
            exit=self.code, verdict=self.name, text=said(self.text, language),
            reasons=tuple(said(one, language) for one in self.reasons), repeat=self.repeat, report=self.page,
            next=self.next, choice=self.choice, files=tuple(files),
        )  # fmt: skip


def judge(run: Run, outcome: Outcome) -> Verdict:
    """Turn the end of a session and its manifest into a verdict."""
    manifest = Manifest.load(run.manifest_json) if run.manifest_json.exists() else None
    quality = manifest.quality if manifest else None
    if outcome.fault:
        crashed = manifest is None and run.xdf.exists()
        text = words.broke(outcome.fault, outcome.reason, run=run.path if crashed else None)
        return Verdict(commands.FAULT, "fault", text, run, outcome, quality)
    # the window may have ended well and the recording not: the recording counts
    if outcome.end == "aborted" or (manifest is not None and manifest.end != "complete"):
        reason = (manifest.reason if manifest else "") or outcome.reason
        text = words.ended(reason)
        choice: Choice = "open" if run.recording.exists() else ""
        return Verdict(commands.CHECK_FAILED, "aborted", text, run, Outcome("aborted", reason), quality, choice=choice)
    if quality is None:
        text = words.phrase("not_judged", why=words.phrase("no_verdict"))
        return Verdict(commands.CHECK_FAILED, "not_judged", text, run, outcome, None)
    code = commands.SUCCESS if quality.verdict == "keep" else commands.CHECK_FAILED
    return Verdict(code, quality.verdict, words.ruled(quality), run, outcome, quality)


def reported(verdict: Verdict, told: Told | None) -> Verdict:
    """Add what the quality report says."""
    if told is None:
        return verdict
    reasons = (*verdict.reasons, *told.findings)
    return repeated(replace(verdict, reasons=reasons, page=told.page), told.repeat)


def verified(verdict: Verdict, files: Sequence[File]) -> Verdict:
    """Make a fault of a recording whose files are not what was recorded: nothing else that is said of it holds any more."""
    differing = [file.name for file in files if file.verified is False]
    if not differing:
        return verdict
    fault = words.phrase("differing", files=", ".join(differing))
    text = words.phrase("fault_copy", why=fault)
    outcome = replace(verdict.outcome, fault=str(fault))
    reasons = (words.without(verdict.text), *verdict.reasons)
    return replace(verdict, code=commands.FAULT, name="fault", text=text, outcome=outcome, reasons=reasons)


def unverified(verdict: Verdict) -> Verdict:
    """Say that somebody left before the files were read."""
    return replace(verdict, reasons=(*verdict.reasons, words.phrase("unread")))


def repeated(verdict: Verdict, repeat: Sequence[int]) -> Verdict:
    """Name the clips that have to be shown again; a recording that is kept is kept without them."""
    clips = tuple(sorted({*verdict.repeat, *repeat}))
    if not clips:
        return verdict
    if verdict.name not in ("keep", "repeat"):
        return replace(verdict, repeat=clips)
    return replace(verdict, name="repeat", repeat=clips, text=words.again(clips, verdict.text))


def remembered(
    verdict: Verdict, *, contact: Contact, gate_overridden: str = "", findings: Sequence[Finding] = (), skipped: bool = False
) -> Verdict:  # fmt: skip
    """Repeat in the verdict what was known before the first clip and passed over: whoever reads it must know."""
    reasons = words.passed(findings)
    if skipped:
        reasons.append(words.phrase("no_preflight"))
    if gate_overridden:
        reasons.append(words.phrase("gate", why=gate_overridden))
    reasons += words.contact_check(contact)
    return replace(verdict, reasons=(*reasons, *verdict.reasons))
