"""The official validator, run on a dataset: bids-validator-deno, offline."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 600  # it takes 1 to 4 s; thousands of participants take minutes


class ValidatorError(RuntimeError):
    """The validator itself did not run."""


@dataclass(frozen=True)
class Issue:
    """One kind of finding: its code, how often, and where first."""

    code: str
    severity: str
    n: int
    first: str


@dataclass(frozen=True)
class Verdict:
    """What the validator says of a dataset."""

    issues: tuple[Issue, ...]
    version: str

    @property
    def errors(self) -> tuple[Issue, ...]:
        """Findings that make the dataset invalid."""
        return tuple(issue for issue in self.issues if issue.severity == "error")

    @property
    def warnings(self) -> tuple[Issue, ...]:
        """Findings that do not."""
        return tuple(issue for issue in self.issues if issue.severity == "warning")


def validate(root: Path) -> Verdict:
    """Validate a dataset.

    Parameters
    ----------
    root : Path
        Folder with ``dataset_description.json``.

    Raises
    ------
    ValidatorError
        When the validator is missing or says nothing that can be read.
    """
    command = [_executable(), str(root), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=TIMEOUT_S, check=False)
    try:
        found = json.loads(done.stdout)["issues"]["issues"]
    except (ValueError, KeyError, TypeError):
        said = " ".join((done.stderr or done.stdout).split())[:200]
        raise ValidatorError(f"bids-validator-deno ended with {done.returncode} and no verdict: {said}") from None
    return Verdict(_counted(found), _version())


def _counted(found: list[dict[str, str]]) -> tuple[Issue, ...]:
    """Return one issue per kind, the most severe first."""
    kinds = Counter((f.get("severity", "error"), f["code"], f.get("subCode", "")) for f in found)
    first: dict[tuple[str, str, str], str] = {}
    for f in found:
        kind = f.get("severity", "error"), f["code"], f.get("subCode", "")
        said = " ".join((f.get("issueMessage") or f.get("rule") or "").split())
        first.setdefault(kind, f"{f.get('location', '')} {said}".strip())
    return tuple(
        Issue(" ".join(filter(None, (code, sub))), severity, n, first[severity, code, sub])
        for (severity, code, sub), n in sorted(kinds.items())
    )


def _executable() -> str:
    beside = Path(sys.executable).with_name("bids-validator-deno")
    found = shutil.which(str(beside)) or shutil.which("bids-validator-deno")
    if found is None:
        raise ValidatorError("bids-validator-deno: is not installed; install it with: pip install bids-validator-deno")
    return found


def _version() -> str:
    from importlib.metadata import version

    return version("bids-validator-deno")
