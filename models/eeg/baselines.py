"""What any network has to beat: differential entropy with a linear model or a support vector machine; the commonest class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.eeg import de
from models.eeg.recogniser import Floats, Floats32, Ints, Model, Task, Tensors, equal_shares

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # of which validation chooses one; beyond, nothing changed on simulated people
MIN_SD = 1e-6  # a feature that varies less carries nothing


def logistic() -> Model:
    """Return the entry of the table: logistic regression."""
    return Model(
        name="de-logistic", title="DE + logistic", takes="windows", features="de", build=Logistic, prepare=de.bands,
        settings={"strengths": STRENGTHS},
    )  # fmt: skip


def svm() -> Model:
    """Return the entry of the table: a support vector machine."""
    return Model(
        name="de-svm", title="DE + SVM", takes="windows", features="de", build=Svm, prepare=de.bands, kept=False,
        settings={"strengths": SVM_STRENGTHS},
    )  # fmt: skip


def majority() -> Model:
    """Return the entry of the table: the commonest class."""
    return Model(name="majority", title="commonest class", takes="windows", features="none", build=Majority, prepare=nothing)


def nothing(windows: Floats32) -> Floats32:
    """Return one zero a window: who always says the same needs to see nothing."""
    return np.zeros((len(windows), 1), np.float32)


class Majority:
    """Always says what was commonest in training.

    Parameters
    ----------
    task : Task
        What it is for.
    """

    prior: tuple[float, ...]

    def __init__(self, task: Task) -> None:
        self.task = task

    def fit(self, x: Floats32, y: Ints, *, validation: tuple[Floats32, Ints]) -> Self:
        """Count; there is nothing to stop early, so the windows of validation count, too."""
        counts = np.bincount(np.concatenate([y, validation[1]]), minlength=self.task.n_classes) + 1.0
        self.prior = tuple(float(share) for share in counts / counts.sum())
        return self

    def predict_proba(self, x: Floats32) -> Floats:
        """Return the shares of the classes, for every window the same."""
        return np.tile(np.array(self.prior), (len(x), 1))

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the shares."""
        return {"prior": np.array(self.prior)}

    def restore(self, tensors: Tensors) -> Self:
        """Take what :meth:`tensors` returned."""
        self.prior = tuple(float(share) for share in _of_shape(tensors, "prior", (self.task.n_classes,)))
        return self


class Logistic:
    """Multinomial logistic regression on standardised features; validation chooses how strongly it is held back.

    Parameters
    ----------
    task : Task
        What it is for.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.prior = equal_shares(task.n_classes)

    def fit(self, x: Floats32, y: Ints, *, validation: tuple[Floats32, Ints]) -> Self:
        """Learn; every class counts the same."""
        from sklearn.linear_model import LogisticRegression

        self._mean, self._sd = _scales(x)
        fitted = _best(
            lambda c: LogisticRegression(C=c, class_weight="balanced", max_iter=2000), STRENGTHS, self._flat(x), y,
            (self._flat(validation[0]), validation[1]),
        )  # fmt: skip
        weights, biases = fitted.coef_, fitted.intercept_
        if len(fitted.classes_) == 2:  # scikit-learn keeps one row for two classes
            weights, biases = np.vstack([-weights / 2, weights / 2]), np.concatenate([-biases / 2, biases / 2])
        self._weights = np.zeros((self.task.n_classes, weights.shape[1]))
        self._biases = np.full(self.task.n_classes, -np.inf)  # a class that was never seen is never said
        self._weights[fitted.classes_], self._biases[fitted.classes_] = weights, biases
        return self

    def predict_proba(self, x: Floats32) -> Floats:
        """Return probabilities, shape (n, n_classes)."""
        from scipy.special import softmax

        out: Floats = softmax(self._flat(x) @ self._weights.T + self._biases, axis=1)
        return out

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return weights and scales."""
        return {"mean": self._mean, "sd": self._sd, "weights": self._weights, "biases": self._biases}

    def restore(self, tensors: Tensors) -> Self:
        """Take what :meth:`tensors` returned.

        Raises
        ------
        ValueError
            When it is of another model.
        """
        n, k = int(np.prod(self.task.shape)), self.task.n_classes
        self._mean, self._sd = _of_shape(tensors, "mean", (n,)), _of_shape(tensors, "sd", (n,))
        self._weights, self._biases = _of_shape(tensors, "weights", (k, n)), _of_shape(tensors, "biases", (k,))
        return self

    def _flat(self, x: Floats32) -> Floats:
        return (x.reshape(len(x), -1) - self._mean) / self._sd


SVM_STRENGTHS = (0.01, 0.1, 1.0, 10.0)


class Svm:
    """A support vector machine with a radial kernel, the customary baseline of SEED-IV.

    Scored and not kept: it is made of its training data.

    Parameters
    ----------
    task : Task
        What it is for.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.prior = equal_shares(task.n_classes)

    def fit(self, x: Floats32, y: Ints, *, validation: tuple[Floats32, Ints]) -> Self:
        """Learn; every class counts the same; validation chooses the strength."""
        from sklearn.svm import SVC

        self._mean, self._sd = _scales(x)
        self._machine = _best(
            lambda c: SVC(C=c, class_weight="balanced", decision_function_shape="ovr"), SVM_STRENGTHS, self._flat(x), y,
            (self._flat(validation[0]), validation[1]),
        )  # fmt: skip
        return self

    def predict_proba(self, x: Floats32) -> Floats:
        """Return the softmax of the machine's decision values: an order, not calibrated probabilities."""
        from scipy.special import softmax

        values = self._machine.decision_function(self._flat(x))
        if values.ndim == 1:  # two classes have one value
            values = np.stack([-values, values], axis=1)
        out = np.zeros((len(x), self.task.n_classes))
        out[:, self._machine.classes_] = softmax(values, axis=1)
        return out

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Refuse: its support vectors are people's EEG."""
        raise TypeError("a support vector machine is not kept: it is made of its training data")

    def restore(self, tensors: Tensors) -> Self:
        """Refuse, as :meth:`tensors`."""
        raise TypeError("a support vector machine is not kept: it is made of its training data")

    def _flat(self, x: Floats32) -> Floats:
        return (x.reshape(len(x), -1) - self._mean) / self._sd


def _best(
    make: Callable[[float], Any], strengths: tuple[float, ...], x: Floats, y: Ints, validation: tuple[Floats, Ints]
) -> Any:
    """Return the model, of those fitted with each strength, that is most often right on validation; the first of equals."""
    from sklearn.metrics import recall_score

    def score(one: Any) -> float:
        said, true = one.predict(validation[0]), validation[1]
        return float(recall_score(true, said, labels=np.unique(true), average="macro"))

    return max([make(strength).fit(x, y) for strength in strengths], key=score)


def _scales(x: Floats32) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of each feature, shape (n_features,)."""
    flat = x.reshape(len(x), -1)
    mean, sd = flat.mean(axis=0, dtype=np.float64), flat.std(axis=0, dtype=np.float64)
    return mean, np.where(sd > MIN_SD, sd, 1)


def _of_shape(tensors: Tensors, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return one tensor.

    Raises
    ------
    ValueError
        When it is not there, or of another shape.
    """
    if name not in tensors or tensors[name].shape != shape:
        raise ValueError(f"{name}: is not there in the shape {shape}")
    return np.array(tensors[name])
