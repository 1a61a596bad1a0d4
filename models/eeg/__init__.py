"""The recognisers of the EEG: each is one file, and a line in :data:`models.eeg.table.MODELS`.

**How a model plugs in.** A file has a frozen dataclass of its configuration, the network with its shapes in comments, and one
function that returns a :class:`~models.eeg.recogniser.Model`::

    def model() -> Model:
        return Model(name="itnet", title="EEG-ITNet", takes="windows", features="raw", build=_build, learning=settings_for)

    def _build(task: Task) -> Recogniser:
        config = Config(n_channels=task.shape[0], n_times=task.shape[1], n_classes=task.n_classes)
        return training.Learner(lambda: ItNet(config), task, settings_for(task.n_windows))

``takes`` says what the model is given, as float32:

``"windows"``
    Raw windows, shape (n, n_channels, 600): microvolts at 200 Hz, mains notched, 1 to 51 Hz, not scaled. ``prepare``, where the
    model has one, turns them into what it learns from, window by window, without a look at another window or a label: it runs
    once per recording, and what it returns is cached on disk (it must be a module-level function; its file and the libraries
    that it names are part of the key). Then ``task.shape`` is the shape of one prepared window.
``"features"``
    What a frozen extractor makes of the three pictures of every channel, shape (n, n_channels, n_features); which extractor,
    says ``--features`` (imagenet, seeded, pool96).

``build(task)`` returns an untrained :class:`~models.eeg.recogniser.Recogniser`, which has ``fit(x, y, validation=(x, y))``,
``predict_proba(x)``, ``prior``, ``tensors()`` and ``restore(tensors)``. Everything that is learnt from data (scaling, weights,
when to stop) is learnt in ``fit``: from ``x`` and ``y``, and by the validation windows. Tested windows never come near it.

``learning(n_windows)`` says how a network learns from so many windows; what is not as in its paper is said before it begins.

Networks of torch need nothing of this: :class:`models.eeg.training.Learner` has it all for any ``nn.Module`` that maps
(n, ...) to logits (n, n_classes). Two methods of the module are called where it has them:
``standardise_by(x)`` with the training windows before the first step (keep what it finds in buffers, so that it is saved), and
``constrain()`` after every step (max-norm). Models of scikit-learn: see :mod:`models.eeg.nearest`.
"""
