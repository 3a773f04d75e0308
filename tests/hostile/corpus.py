"""Bad inputs of every kind that the commands take, made from a seed: ``cases(folder)``."""

import pathlib
import random

from tests.hostile import bad_data, bad_models
from tests.hostile.common import LENET, folder_in
from tests.hostile.worker import Case

SETTINGS = (
    *("", "=", "=1", "epochs", "epochs=", "epochs=0", "epochs=-1", "epochs=1.5", "epochs=1e3", "epochs=9999999999999"),
    *("epochs=nan", "epochs=\u0661\u0660e", "speed=1", "seed=-1", "seed=2147483648", "batch_size=0", "batch_size=x"),
    *("learning_rate=0", "learning_rate=-1", "learning_rate=nan", "learning_rate=inf", "learning_rate=1e400"),
    *("learning_rate=1e-40", "momentum=2", "weight_decay=-1", "warmup=1.1", "ema=1", "test_crops=3", "loss=mse"),
    *("optimizer=adam", "optimizer=__import__('os')", "schedule=none", "schedule=steps", "mean=median"),
    *("augmentation=../x", "__class__=1"),
    *("label_smoothing=1", "colour_noise=nan", "min_images=-5", "patience=0", "epochs=1\x1b[31m", "x" * 100_000 + "=1"),
)
RATES = ("rate_steps=1", "rate_steps=1:0,0:1", "rate_steps=" + "1:0.5," * 10_000, "rate_steps=nan:1", "rate_steps=1:x")
CLUSTERS = (
    *("{", "[]", "1", "null", '"x"', "{}", '{"cluster": 1, "task": 2}', '{"cluster": {}, "task": {}}', "nope"),
    '{"cluster": {"worker": ["a:1", "b:2"]}}',
    '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 7}}',
    '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": -1}}',
    '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": "x"}}',
    '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "nobody", "index": 0}}',
    '{"cluster": {"worker": "a:1"}, "task": {"type": "worker", "index": 0}}',
    '{"cluster": {"worker": [1, 2]}, "task": {"type": "worker", "index": 0}}',
    '{"cluster": {"worker": ["a", "b"]}, "task": {"type": "worker", "index": 0}}',
    '{"cluster": {"worker": ["localhost:99999", "b:1"]}, "task": {"type": "worker", "index": 0}}',
    '{"cluster": ' + "[" * 100_000,
)


def cases(folder):
    """All ``Case``s, whose files are written to ``folder``; the same ones in every run."""
    folder = pathlib.Path(folder)
    found = []
    for seed, make in enumerate((*bad_models.MAKERS, *bad_data.MAKERS)):
        found += make(folder_in(folder, make.__name__), random.Random(seed))
    found += [Case(f"--set {setting[:40]!r}", "train.lenet", ("--set", setting, *LENET)) for setting in SETTINGS]
    found += [
        Case("--set=--", "train.lenet", ("--set=--", *LENET)),
        Case("--weights=--", "train.lenet", ("--weights=--", *LENET)),
        Case("--explain=--", "export.predict", ("model.tflite", "3.png", "--explain=--")),
    ]
    found += [
        Case(f"--set {rate[:40]}", "train.lenet", ("--set", "schedule=steps", "--set", rate, *LENET)) for rate in RATES
    ]
    found += [
        Case(f"TF_CONFIG {said}"[:200], "train.lenet", ("--strategy", "multiworker", *LENET), {"TF_CONFIG": said})
        for said in CLUSTERS
    ]
    return found
