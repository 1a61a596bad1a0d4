"""Independent tasks on the cores of this machine, or on an existing Dask cluster: the results are the same on either.

Recordings and folds do not depend on each other. On this machine joblib runs them in processes; with the address of a Dask
scheduler they run on its workers. Every task has one thread of torch, and its own seed, so that what comes out does not depend
on who computed it when, on how many machines.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from models.bids import BidsError

T = TypeVar("T")
log = logging.getLogger(__name__)

CONNECT_S = 10.0  # for a scheduler that is not there, or has no workers


@dataclass(frozen=True)
class Where:
    """Where tasks run: `workers` processes here, or the workers of the Dask scheduler at an address (``tcp://host:8786``)."""

    workers: int = 1
    scheduler: str | None = None


def each(
    function: Callable[..., T], tasks: Sequence[tuple[Any, ...]], *, shared: Sequence[Any] = (), where: Where | None = None
) -> Iterator[tuple[int, T]]:
    """Call a function for each task and yield results as they come.

    Parameters
    ----------
    function : callable
        Of a module (it is sent to other processes): ``function(shared[task[0]], *task[1:])`` where there is something shared,
        else ``function(*task)``.
    tasks : sequence of tuple
        Arguments.
    shared : sequence
        Large things that many tasks need: each is sent once, not once a task.
    where : Where, optional
        One process here if left out.

    Yields
    ------
    (int, result)
        Number of the task and what came of it, in the order of completion.

    Raises
    ------
    BidsError
        When there is no such scheduler.
    """
    place = where or Where()
    if place.scheduler is not None:
        yield from _on_cluster(function, tasks, shared, place.scheduler)
        return
    from joblib import Parallel, delayed

    calls = (delayed(_numbered)(index, function, *_arguments(task, shared)) for index, task in enumerate(tasks))
    yield from Parallel(n_jobs=place.workers, return_as="generator_unordered")(calls)


def _arguments(task: tuple[Any, ...], shared: Sequence[Any]) -> tuple[Any, ...]:
    return (shared[task[0]], *task[1:]) if shared else task


def _numbered(index: int, function: Callable[..., T], *args: Any) -> tuple[int, T]:
    return index, function(*args)


def _on_cluster(
    function: Callable[..., T], tasks: Sequence[tuple[Any, ...]], shared: Sequence[Any], address: str
) -> Iterator[tuple[int, T]]:
    """Run tasks on a cluster; a worker that is lost has its tasks done by another."""
    from distributed import as_completed

    with _client(address) as client:
        sent = [client.scatter(part, hash=False) for part in shared]
        futures = [
            client.submit(_numbered, index, function, *_arguments(task, sent), pure=False) for index, task in enumerate(tasks)
        ]
        for future in as_completed(futures):  # type: ignore[no-untyped-call]
            yield future.result()
            future.release()


def _client(address: str) -> Any:
    """Return a client of the scheduler, or say in one line why there is none."""
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT_S)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TimeoutError) as error:
        raise BidsError(
            f"--scheduler = {address}: no Dask scheduler answers ({type(error).__name__}); start one with: dask scheduler"
        ) from None
    try:
        client.wait_for_workers(1, timeout=CONNECT_S)
    except TimeoutError:
        client.close()  # type: ignore[no-untyped-call]
        raise BidsError(
            f"--scheduler = {address}: the scheduler has no workers; start some with: dask worker {address} --nthreads 1"
        ) from None
    return client


def one_thread() -> None:
    """Let torch use one thread in this process: sums are then made in one order, whatever else runs."""
    import torch

    torch.set_num_threads(1)
