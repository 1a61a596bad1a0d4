"""Orders of emotions: drawn at random within rules, or taken from a balanced Latin square. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

_MOST_DEAD_ENDS = 20_000  # a session of 8 emotions in any usual design has far fewer; about two seconds


class ScheduleError(ValueError):
    """No order fulfils the design; the text is one line with the reason and the cure."""


@dataclass(frozen=True)
class Rules:
    """What an order must keep to.

    Parameters
    ----------
    max_running : int or None
        At most so many of one emotion running; None = any number.
    first_not, last_not : frozenset of str
        Emotions that must not begin or end the session.
    not_after : frozenset of (str, str)
        The first of each pair must not come right after the second.
    """

    max_running: int | None = 1
    first_not: frozenset[str] = frozenset()
    last_not: frozenset[str] = frozenset()
    not_after: frozenset[tuple[str, str]] = frozenset()


@dataclass
class _Place:
    """Somewhere in the session: what is left of each block, and what came last, how often running."""

    blocks: tuple[dict[str, int], ...]
    block: int = 0
    last: str | None = None
    running: int = 0
    tried: set[str] = field(default_factory=set)

    @property
    def left(self) -> dict[str, int]:
        return self.blocks[self.block]

    @property
    def key(self) -> tuple[object, ...]:
        return (self.block, tuple(self.left.values()), self.last, self.running)

    def after(self, emotion: str) -> _Place:
        left = {**self.left, emotion: self.left[emotion] - 1}
        blocks = (*self.blocks[: self.block], left, *self.blocks[self.block + 1 :])
        block = self.block if any(left.values()) or self.block + 1 == len(blocks) else self.block + 1
        return _Place(blocks, block, emotion, self.running + 1 if emotion == self.last else 1)


def order(blocks: Sequence[Mapping[str, int]], rng: np.random.Generator, rules: Rules) -> list[list[str]]:
    """Return emotions in random order, block by block, each as often as its block says.

    Each next emotion is drawn with the odds of its remaining clips, among those after which the rules still leave a way. Where
    the rules are entangled, a way may turn out to be none: then the last choice is taken back.

    Raises
    ------
    ScheduleError
        When no order keeps the rules, with the key that is to blame.
    """
    chosen = _search(blocks, rng, rules)
    if chosen is None:
        raise ScheduleError(_reason(blocks, rules))
    found, n = [], 0
    for block in blocks:
        size = sum(block.values())
        found.append(chosen[n : n + size])
        n += size
    return found


def _search(blocks: Sequence[Mapping[str, int]], rng: np.random.Generator, rules: Rules) -> list[str] | None:
    total = sum(sum(block.values()) for block in blocks)
    path = [_Place(tuple(dict(block) for block in blocks))]
    dead: set[tuple[object, ...]] = set()
    while path and len(path) <= total:
        here = path[-1]
        open_to = [e for e in _allowed(here, rules, first=len(path) == 1, last=len(path) == total) if e not in here.tried]
        open_to = [e for e in open_to if here.after(e).key not in dead]
        if not open_to:
            dead.add(here.key)
            path.pop()
            if len(dead) > _MOST_DEAD_ENDS:
                return None
            continue
        odds = np.array([here.left[e] for e in open_to], float)
        emotion = open_to[int(rng.choice(len(open_to), p=odds / odds.sum()))]
        here.tried.add(emotion)
        path.append(here.after(emotion))
    return [place.last for place in path[1:] if place.last is not None] if path else None


def _allowed(here: _Place, rules: Rules, *, first: bool, last: bool) -> Iterator[str]:
    for emotion, n in here.left.items():
        if not n or (emotion, here.last) in rules.not_after:
            continue
        if (first and emotion in rules.first_not) or (last and emotion in rules.last_not):
            continue
        if _leaves_a_way(here, emotion, rules):
            yield emotion


def _leaves_a_way(here: _Place, emotion: str, rules: Rules) -> bool:
    most = rules.max_running
    running = here.running + 1 if emotion == here.last else 1
    if most is not None and running > most:
        return False
    left = {**here.left, emotion: here.left[emotion] - 1}
    if here.block + 1 == len(here.blocks) and any(left.values()) and not any(left[e] for e in left if e not in rules.last_not):
        return False
    return most is None or too_many(left, most, last=emotion, running=running) is None


def too_many(left: Mapping[str, int], most: int, *, last: str | None = None, running: int = 0) -> str | None:
    """Return the emotion that the others cannot keep apart, if there is one.

    ``n`` others leave ``n + 1`` gaps with at most ``most`` places each; the first gap is shorter where the emotion was shown
    just before.
    """
    total = sum(left.values())
    for emotion, n in left.items():
        places = most * (total - n + 1) - (running if emotion == last else 0)
        if n > places:
            return emotion
    return None


def _reason(blocks: Sequence[Mapping[str, int]], rules: Rules) -> str:
    """Say which key of the design leaves no order."""
    emotions = {emotion for block in blocks for emotion, n in block.items() if n}
    for key in ("first_not", "last_not"):
        if emotions <= getattr(rules, key):
            return f"design.{key}: names every emotion, and one has to be there; drop one of them"
    if rules.max_running is not None:
        key = "never_twice_running = true" if rules.max_running == 1 else f"max_running = {rules.max_running}"
        for block in blocks:
            if emotion := too_many(block, rules.max_running):
                others = sum(block.values()) - block[emotion]
                apart = f"{block[emotion]} clips of {emotion} cannot be kept apart by {others} others"
                return f"design.{key}: {apart}; balance the clips, or set it to {'false' if rules.max_running == 1 else 'more'}"
    looser = {
        "first_not": replace(rules, first_not=frozenset()),
        "last_not": replace(rules, last_not=frozenset()),
        "not_after": replace(rules, not_after=frozenset()),
        "never_twice_running": replace(rules, max_running=None),
    }
    rng = np.random.default_rng(0)
    guilty = [key for key, less in looser.items() if less != rules and _search(blocks, rng, less) is not None]
    if guilty:
        return f"design.{guilty[0]}: leaves no order together with the other constraints; loosen {' or '.join(guilty)}"
    return "design: the constraints leave no order; loosen several of first_not, last_not, not_after and never_twice_running"


def williams(n: int) -> tuple[tuple[int, ...], ...]:
    """Return a Williams square of the numbers below ``n``.

    Each number stands at each place equally often, and follows each other one equally often: in ``n`` rows where ``n`` is even,
    else in ``2 n`` (Williams, 1949, Austral. J. Sci. Res. A 2, 149).

    Examples
    --------
    >>> williams(4)
    ((0, 1, 3, 2), (1, 2, 0, 3), (2, 3, 1, 0), (3, 0, 2, 1))
    """
    first = [0]
    for step in range(1, n):
        first.append((step + 1) // 2 if step % 2 else n - step // 2)
    rows = [tuple((value + shift) % n for value in first) for shift in range(n)]
    return tuple(rows if n % 2 == 0 else rows + [row[::-1] for row in rows])


def square(n: int, n_rounds: int, rng: np.random.Generator, *, apart: bool) -> tuple[tuple[int, ...], ...]:
    """Return one sequence per row of a Williams square: ``n_rounds`` rounds, each with every number below ``n`` once.

    Each round is the square again with its rows moved on, so that the rows together stay balanced at every place. How far they
    move is chosen so that the pairs where two rounds meet are as balanced as they can be.

    Parameters
    ----------
    n, n_rounds : int
        Numbers, and how often each comes.
    rng : numpy Generator
        Chooses among moves that are equally good.
    apart : bool
        No number twice running where two rounds meet.
    """
    rows = williams(n)
    moved = [_moved(len(rows), n, move) for move in range(len(rows))]
    rounds = [moved[int(rng.integers(len(moved)))]]
    met = np.zeros((n, n), int)
    for _ in range(1, n_rounds):
        candidates: list[tuple[int, int, int, NDArray[np.int_]]] = []
        for number in rng.permutation(len(moved)):
            pairs = np.zeros((n, n), int)
            for before, after in zip(rounds[-1], moved[int(number)], strict=True):
                pairs[rows[before][-1], rows[after][0]] += 1
            if not (apart and pairs.trace()):
                candidates.append((int(((met + pairs) ** 2).sum()), len(candidates), int(number), pairs))
        _, _, number, pairs = min(candidates, key=lambda c: c[:2])
        rounds.append(moved[number])
        met += pairs
    return tuple(tuple(value for round_ in rounds for value in rows[round_[row]]) for row in range(len(rows)))


def _moved(n_rows: int, n: int, move: int) -> list[int]:
    """Return for each row the one that stands in for it: shifted within its half, and with the halves exchanged."""
    halves = n_rows // n
    return [((row // n + move // n) % halves) * n + (row + move) % n for row in range(n_rows)]
