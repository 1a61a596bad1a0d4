"""When a recording ends, under a clock that nobody waits for."""

import pytest

from collector.ending import End, Facts, ending

OVER = Facts(session_end=End("complete"), t_session_end=100.0, t_alive=100.0)


@pytest.mark.parametrize(("now", "end"), [(100.0, None), (100.9, None), (101.0, End("complete")), (500.0, End("complete"))])
def test_after_the_sessions_end_a_second_is_drained(now: float, end: End | None) -> None:
    assert ending(OVER, now) == end


@pytest.mark.parametrize(("now", "over"), [(159.9, False), (160.0, False), (160.1, True)])
def test_sixty_seconds_without_window_and_launcher_end_it(now: float, over: bool) -> None:
    end = ending(Facts(t_alive=100.0), now)
    assert (end is not None) == over
    assert end is None or (end.end == "aborted" and "lost" in end.reason)


def test_where_there_never_was_a_window_nobody_is_lost() -> None:
    assert ending(Facts(), 1e9) is None


def test_a_signal_or_command_ends_it_at_once() -> None:
    assert ending(Facts(asked="SIGTERM", t_alive=100.0), 100.0) == End("aborted", "SIGTERM")


def test_a_command_after_the_sessions_end_does_not_make_it_aborted() -> None:
    asked = Facts(session_end=End("complete"), t_session_end=100.0, asked="SIGTERM")
    assert ending(asked, 100.1) == End("complete")


def test_a_full_disk_ends_it_and_says_why() -> None:
    assert ending(Facts(fault="a.xdf: No space left on device", t_alive=1.0), 1.0) == End(
        "aborted", "a.xdf: No space left on device"
    )
