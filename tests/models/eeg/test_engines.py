"""Engines of InceptionV3: the same features, no report to anybody."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from models.eeg import engines

SMALL = torch.nn.Sequential(
    torch.nn.Conv2d(3, 4, 7, stride=7), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
)


def pictures(n: int) -> np.ndarray:
    return np.random.default_rng(0).random((n, 3, 229, 229)).astype(np.float32)


def test_torch_sees_pictures_from_minus_one_to_one_in_batches() -> None:
    images = pictures(engines.BATCH + 2)
    with torch.inference_mode():
        expected = SMALL.eval()(torch.from_numpy(images) * 2 - 1).numpy()
    np.testing.assert_allclose(engines.runner(SMALL)(images), expected, atol=1e-5)


def test_openvino_computes_the_same_in_fp32_and_nearly_in_bf16(tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="the extra 'fast' is not installed")
    code = f"""
import numpy as np, torch
from tests.models.eeg.test_engines import SMALL, pictures
from models.eeg import engines
images = pictures(3)
said = {{name: engines.runner(SMALL.eval(), name)(images) for name in engines.ENGINES}}
np.savez({str(tmp_path / "said.npz")!r}, **said)
"""
    # in a process of its own, in a home of its own: what it writes there is seen
    environment = os.environ | {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    torch.save(SMALL.state_dict(), tmp_path / "weights")
    code = code.replace("images = ", f"SMALL.load_state_dict(torch.load({str(tmp_path / 'weights')!r}))\nimages = ", 1)
    root = Path(__file__).parents[3]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], check=True, cwd=root, env=environment | {"PYTHONPATH": str(root)}
    )
    said = np.load(tmp_path / "said.npz")
    np.testing.assert_allclose(said["openvino-fp32"], said["torch"], atol=1e-5)
    np.testing.assert_allclose(said["openvino-bf16"], said["torch"], atol=0.02)
    assert np.abs(said["openvino-bf16"] - said["torch"]).max() > 0  # it is another precision
    assert {path.name for path in tmp_path.iterdir()} == {"said.npz", "weights"}  # no id for a report to its maker


def test_a_machine_without_openvino_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(engines.EngineError, match=r"openvino-bf16: OpenVINO is not installed; pip install 'emolab\[fast\]'"):
        engines.runner(SMALL, "openvino-bf16")
