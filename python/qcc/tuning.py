"""Search for a network that is accurate and small, on Optuna."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any, Optional, Sequence, Tuple, Union

from .errors import Error
from .program import Data, Encoded, train


def _inputs(data: Data) -> int:
    import numpy as np

    if isinstance(data, (Encoded, tuple)):
        return int(np.asarray(data[0]).shape[1])
    with np.load(data) as arrays:
        for name in ("bits", "x", "data", "images", "inputs"):
            if name in arrays.files:
                return int(arrays["width"]) if "width" in arrays.files else int(arrays[name].shape[1])
    raise Error("there are no rows in the archive", file=str(data), remedy="give arrays bits and label, as qcc encode writes")


def _luts(model: Any, options: dict) -> int:
    """LUTs of the folded network by FINN's formulas."""
    return int(model.run("streamline,fold", **options).report["totals"]["LUT"])


def _study(optuna, **options):
    """optuna.create_study(**options). Processes that open an empty database at the same time all create its tables, and all but
    one fail: they try again, and find the tables there."""
    for attempt in range(10):
        try:
            return optuna.create_study(**options)
        except Exception as e:
            kinds = [kind.__name__ for error in (e, e.__cause__) for kind in type(error).__mro__]
            if attempt == 9 or not {"IntegrityError", "ProgrammingError", "OperationalError"} & set(kinds):
                raise
            time.sleep(0.1 * (attempt + 1))


def tune(data: Data, *, val: Union[float, Data, None] = None, outputs: int = 1, trials: int = 20,
         layers: Tuple[int, int] = (1, 3), widths: Sequence[int] = (8, 16, 32, 64, 128), weights: Sequence[int] = (1, 2, 3, 4),
         acts: Sequence[int] = (1, 2, 3, 4), fan_in: Sequence[Optional[int]] = (None, 6, 12), lr: Tuple[float, float] = (1e-4, 2e-2),
         epochs: Tuple[int, int] = (5, 30), target_fps: float = 1e6, storage: str = "sqlite:///qcc-tune.db",
         study_name: str = "qcc", seed: Optional[int] = None, jobs: int = 1, folder: Optional[str] = None, **options: Any):
    """Searches widths, bits of weights and activations, fan-in, learning rate and epochs with Optuna, for two objectives at
    once: the accuracy on validation rows, and the LUTs of the network folded for target_fps. Returns the Optuna study, whose
    `best_trials` are the Pareto front; a study of the same name in the same storage goes on.

    layers, lr and epochs are ranges; widths, weights, acts and fan_in (None: all inputs) are choices. storage is any URL that
    Optuna takes; several processes may share one. Where a folder is given, each network is kept there as trial-N.onnx.
    Keyword arguments are further options of `qcc train` (batch=100)."""
    try:
        import optuna
    except ImportError as e:
        raise Error("Optuna is not installed", remedy="pip install optuna") from e
    inputs = _inputs(data)
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)

    def objective(trial):
        hidden = [trial.suggest_categorical(f"width{i}", list(widths)) for i in range(trial.suggest_int("layers", *layers))]
        result = train(f"mlp({','.join(map(str, [inputs, *hidden, outputs]))})", data,
                       None if folder is None else Path(folder) / f"trial-{trial.number}.onnx", val=val,
                       weights=trial.suggest_categorical("weights", list(weights)),
                       acts=trial.suggest_categorical("acts", list(acts)),
                       fan_in=trial.suggest_categorical("fan_in", list(fan_in)),
                       lr=trial.suggest_float("lr", *lr, log=True), epochs=trial.suggest_int("epochs", *epochs),
                       seed=trial.number + 1 if seed is None else seed, **options)
        if result["val_accuracy"] is None:
            raise optuna.TrialPruned("training ended before the fan-in was reached")
        return result["val_accuracy"], _luts(result.model, {"target_fps": target_fps})

    study = _study(optuna, directions=["maximize", "minimize"], study_name=study_name, storage=storage, load_if_exists=True,
                   sampler=optuna.samplers.TPESampler(seed=seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names(["accuracy", "LUT"])
    study.optimize(objective, n_trials=trials, n_jobs=jobs, catch=())
    return study
