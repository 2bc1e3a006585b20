"""The Python side of optbench: what a training script is told, and how it reports what it measures.

Five lines make a script one that ``optbench run`` can start::

    import optbench

    run = optbench.run(steps=1000, lr=0.01)              # by hand: these; under optbench: what its config says
    for t in range(run.steps):
        loss = update(lr=run.lr(t))                      # the rate of this update, with the schedule applied
        run.log(t + 1, loss)
        if run.is_due(t + 1):
            run.evaluate(t + 1, loss=val_loss, accuracy=val_accuracy)

Under optbench, the environment variable ``OPTBENCH_RUN`` names a JSON file that describes the run, and measurements go
to standard output as lines of JSON. Without it the script runs by hand: with the defaults that ``run`` was given, and
measurements printed for people. The module needs nothing but Python 3.9.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any, Mapping, NoReturn, Optional, Sequence, SupportsFloat, Tuple

__all__ = ["Choice", "Run", "run"]
__version__ = "0.1.0"

#: The environment variable that names the run file.
RUN_FILE = "OPTBENCH_RUN"
#: The environment variable that names the device that this run may use.
DEVICE = "OPTBENCH_DEVICE"
#: The exit status that says: the training diverged, which is a result.
DIVERGED = 86


class Choice:
    """An optimizer or a schedule: the label in the config, its kind, and its settings.

    ``choice["beta1"]`` is a setting, ``choice.get("beta1", 0.9)`` the same with a default.
    """

    def __init__(self, label: str, kind: str, settings: Mapping[str, Any]) -> None:
        self.label = label
        self.kind = kind
        self.settings = dict(settings)

    def __getitem__(self, key: str) -> Any:
        try:
            return self.settings[key]
        except KeyError:
            known = ", ".join(self.settings) or "none"
            raise KeyError(f"`{self.label}` has no setting `{key}`; it has: {known}") from None

    def __contains__(self, key: object) -> bool:
        return key in self.settings

    def get(self, key: str, default: Any = None) -> Any:
        """The setting, or the default where there is none."""
        return self.settings.get(key, default)

    def __repr__(self) -> str:
        return f"Choice(label={self.label!r}, kind={self.kind!r}, settings={self.settings!r})"


class Run:
    """One training run: what to train, and where its measurements go. Made by :func:`run`."""

    def __init__(self, told: Mapping[str, Any], *, by_hand: bool = False) -> None:
        #: The name of the run.
        self.name: str = told["run"]
        #: The task's label.
        self.task: str = told["task"]
        #: The seed of initial weights, data order and everything else that is random.
        self.seed: int = told["seed"]
        #: The number of updates.
        self.steps: int = told["steps"]
        #: The number of updates between two evaluations.
        self.eval_every: int = told["eval_every"]
        #: The steps to evaluate at, rising; the last one is :attr:`steps`. A step t means: after t updates.
        self.evaluations: Tuple[int, ...] = tuple(told["evaluations"])
        #: The optimizer; every setting has its value, defaults included.
        self.optimizer = _choice(told["optimizer"])
        #: The schedule.
        self.schedule = _choice(told["schedule"])
        #: The number of updates in one pass over the data, where the config says so.
        self.steps_per_epoch: Optional[int] = told.get("steps_per_epoch")
        #: Whether an interrupted run goes on from what the script kept in :attr:`out`.
        self.resume: bool = bool(told.get("resume", False))
        #: The device that optbench gave to this run, such as ``"0"``, the first GPU; ``None`` where it gave none.
        #: CUDA sees that device alone (``CUDA_VISIBLE_DEVICES``), so its name is ``cuda:0``.
        self.device: Optional[str] = os.environ.get(DEVICE) or None
        #: Whether the script was started by hand, not by optbench.
        self.by_hand = by_hand
        self._rates: Optional[Sequence[float]] = told.get("learning_rates")
        self._momentum: Optional[Sequence[float]] = told.get("momentum")
        self._due = frozenset(self.evaluations)
        self._out = Path(told["out"])
        self._report = _Text(self.eval_every) if by_hand else _Lines()

    @property
    def out(self) -> Path:
        """The folder for what the script keeps, such as checkpoints. It exists."""
        self._out.mkdir(parents=True, exist_ok=True)
        return self._out

    def lr(self, t: int) -> float:
        """The learning rate of the update that follows ``t`` updates, with the schedule applied; the first is ``lr(0)``.

        After the last update it stays at its value. Under a schedule whose rates are not known before (such as
        ``reduce_on_plateau``, or one of kind ``external``) it is the optimizer's ``lr``, and the schedule is the script's.
        """
        if self._rates:
            return _at(self._rates, t)
        peak = self.optimizer.get("lr")
        if peak is None:
            raise ValueError(f"optimizer `{self.optimizer.label}` has no `lr`: set it in the config, or as `run(lr=...)`")
        return float(peak)

    def momentum(self, t: int) -> Optional[float]:
        """The momentum of the same update, where the schedule moves it (``one_cycle``); ``None`` where it does not."""
        return _at(self._momentum, t) if self._momentum else None

    def is_due(self, step: int) -> bool:
        """Whether there is to be an evaluation after this many updates."""
        return step in self._due

    def log(
        self,
        step: int,
        loss: SupportsFloat,
        lr: Optional[SupportsFloat] = None,
        grad_norm: Optional[SupportsFloat] = None,
    ) -> None:
        """Reports the training loss of an update, the first of which is step 1. Not every update need be reported.

        Without ``lr`` the rate of the schedule is reported, where it is known.
        """
        if lr is None and self._rates and step >= 1:
            lr = _at(self._rates, step - 1)
        line = {"step": int(step), "loss": _number("loss", loss)}
        optional = {"lr": lr, "grad_norm": grad_norm}
        line.update((name, _number(name, value)) for name, value in optional.items() if value is not None)
        self._report.write(line)

    def evaluate(self, step: int, split: str = "val", **scores: SupportsFloat) -> None:
        """Reports the scores of an evaluation after ``step`` updates: ``run.evaluate(100, loss=0.4, accuracy=0.87)``.

        ``split`` is ``"val"``, on which settings are chosen, or ``"test"``, which is reported. An evaluation on ``"val"``
        after the last update is required.
        """
        if not scores:
            raise TypeError("an evaluation needs a score, such as loss=0.4")
        numbers = {name: _number(name, value) for name, value in scores.items()}
        self._report.write({"step": int(step), "split": str(split), **numbers})

    def diverged(self) -> NoReturn:
        """Ends the script: the training diverged, which is a result, not a failure. A loss of NaN says the same."""
        sys.stdout.flush()
        sys.exit(DIVERGED)

    def __repr__(self) -> str:
        return f"<optbench.Run {self.name}: {self.steps} steps of {self.optimizer.label}, seed {self.seed}>"


def run(
    steps: int = 1000,
    lr: Optional[float] = None,
    seed: int = 0,
    *,
    eval_every: Optional[int] = None,
    optimizer: str = "by_hand",
    schedule: str = "constant",
    task: str = "by_hand",
    steps_per_epoch: Optional[int] = None,
    out: str = "out",
    **settings: Any,
) -> Run:
    """The run that the script is to train.

    Under optbench it is what the config says, and the arguments mean nothing. They are for a start by hand: the number of
    updates, the learning rate, the seed, the updates between evaluations (a tenth of all), the kinds of optimizer and
    schedule, and any further settings of the optimizer.
    """
    path = os.environ.get(RUN_FILE)
    if path:
        return Run(_read(path))
    every = eval_every or max(1, steps // 10)
    given = {**({} if lr is None else {"lr": lr}), **settings}
    told = {
        "run": "by hand",
        "task": task,
        "seed": seed,
        "steps": steps,
        "eval_every": every,
        "evaluations": [*range(0, steps, every), steps],
        "optimizer": {"label": optimizer, "kind": optimizer, "settings": given},
        "schedule": {"label": schedule, "kind": schedule, "settings": {}},
        "steps_per_epoch": steps_per_epoch,
        "out": out,
    }
    return Run(told, by_hand=True)


def _read(path: str) -> Mapping[str, Any]:
    try:
        told = json.loads(Path(path).read_text(encoding="utf-8"))
        missing = [key for key in ("run", "seed", "steps", "optimizer", "schedule", "out") if key not in told]
    except (OSError, ValueError, TypeError) as error:
        raise RuntimeError(f"the run file that ${RUN_FILE} names cannot be read: {error}") from error
    if missing:
        raise RuntimeError(f"the run file {path} has no `{missing[0]}`: was it written by optbench?")
    return dict(told)


def _choice(told: Mapping[str, Any]) -> Choice:
    return Choice(told["label"], told["kind"], told["settings"])


def _at(values: Sequence[float], t: int) -> float:
    if t < 0:
        raise ValueError(f"t is {t}; expected the number of updates done, 0 before the first")
    return float(values[min(t, len(values) - 1)])


def _number(name: str, value: SupportsFloat) -> float:
    """A Python number of whatever a framework calls one: an array or tensor with one element, a numpy scalar."""
    if isinstance(value, (str, bytes)):
        raise TypeError(f"`{name}` is the text {value!r}; expected a number")
    item = getattr(value, "item", None)
    try:
        return float(item() if callable(item) else value)
    except (RuntimeError, TypeError, ValueError) as error:
        raise TypeError(f"`{name}` is not one number: {error}") from error


class _Lines:
    """Lines of JSON on the standard output that the process was started with."""

    def __init__(self) -> None:
        # A copy: whatever becomes of `sys.stdout` or of descriptor 1 afterwards, measurements arrive.
        self._output: Optional[int] = os.dup(1)
        self._lock = threading.Lock()

    def write(self, line: Mapping[str, Any]) -> None:
        # What was printed before comes before, and in one call the line cannot be torn by other threads.
        rest = (json.dumps(line) + "\n").encode()
        with self._lock:
            if sys.stdout is not None and not sys.stdout.closed:
                sys.stdout.flush()
            try:
                while rest and self._output is not None:
                    rest = rest[os.write(self._output, rest) :]
            except OSError as error:
                # Windows says "invalid argument" of a pipe that nobody reads.
                if error.errno not in (errno.EPIPE, errno.EINVAL):
                    raise
                self._output = None


class _Text:
    """The same for people, when the script is started by hand."""

    def __init__(self, every: int) -> None:
        self._every = max(1, every // 10)

    def write(self, line: Mapping[str, Any]) -> None:
        if "split" not in line and line["step"] % self._every:
            return
        words = [f"step {line['step']}"] + ([line["split"]] if "split" in line else [])
        numbers = [f"{name} {value:.6g}" for name, value in line.items() if name not in ("step", "split")]
        print("  ".join(words + numbers), flush=True)
