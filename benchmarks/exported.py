"""Our models as ONNX in ONNX Runtime and in OpenVINO: what a specialist would take.

`make` writes the files, in a process of its own, so that neither time nor memory of it counts.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import rows
from benchmarks.answering import CALIBRATING, ServingJob, side_by_side, timed
from classifier.commands.quiet import quiet_libraries
from classifier.data.tokenizer import FastTokenizer
from classifier.data.tokens import Tokens
from classifier.export.graph import INPUTS, quiet_exporters, write_onnx
from classifier.export.int8 import write_int8
from classifier.export.onnx_model import OnnxModel, predicted
from classifier.modeling.device import compute_dtype
from classifier.modeling.loading import load_classifier
from classifier.modeling.outputs import Outputs
from classifier.modeling.pooling import POOLINGS
from classifier.serving.packed_config import ServedConfig


def make(values: dict[str, Any]) -> dict[str, Any]:
    """Write both models of the job's version in one form, unless they are there."""
    quiet_libraries()
    job = ServingJob(**values)
    for pooling in POOLINGS:
        target = _file(job, pooling)
        plain = target.with_name(f"{pooling}.float32.onnx")
        if not plain.exists():
            write_onnx(load_classifier(Path(job.version) / pooling).eval(), plain, {})
        if target.exists():
            continue
        with quiet_exporters():
            if job.form == "blocks":
                write_int8(plain, target)
            elif job.form == "dynamic":
                _quantise_dynamically(plain, target)
            else:
                _quantise_statically(plain, target, job, pooling)
    return {}


def measure_onnxruntime(values: dict[str, Any]) -> dict[str, Any]:
    """ONNX Runtime, of which each model has half of the threads."""
    job = ServingJob(**values)
    torch.set_num_threads(_half())  # `OnnxModel` takes as many
    models = {pooling: OnnxModel(_file(job, pooling)).predict for pooling in POOLINGS}
    return timed(side_by_side(Path(job.version), models), job)


def measure_openvino(values: dict[str, Any]) -> dict[str, Any]:
    """OpenVINO, in bfloat16 where ours is; it reads int8 from the static form's QDQ nodes."""
    job = ServingJob(**values)
    models = {pooling: _OpenVino(_file(job, pooling)).predict for pooling in POOLINGS}
    return timed(side_by_side(Path(job.version), models), job)


class _OpenVino:
    """An exported model, loaded by OpenVINO on the CPU."""

    def __init__(self, file: Path) -> None:
        import openvino

        dtype = compute_dtype(torch.device("cpu"))
        settings = {
            "INFERENCE_NUM_THREADS": _half(),
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,  # it would put both models on one core
            "INFERENCE_PRECISION_HINT": "bf16" if dtype == torch.bfloat16 else "f32",
        }
        self._compiled = openvino.Core().compile_model(str(file), "CPU", settings)

    def predict(self, tokens: Tokens) -> Outputs:
        """As `OnnxModel.predict`."""
        return predicted(tokens, self._run)

    def _run(self, inputs: dict[str, Any]) -> list[Any]:
        answered = self._compiled(inputs)
        return [answered[name] for name in ("sentiment_logits", "rating_logits")]


def _half() -> int:
    return max(1, torch.get_num_threads() // len(POOLINGS))


def _file(job: ServingJob, pooling: str) -> Path:
    return Path(job.exported) / f"{pooling}.{job.form}.onnx"


def _weighted_products(file: Path) -> list[str]:
    """The products with weights, those of the heads aside: what is worth quantising."""
    import onnx

    graph = onnx.load(file, load_external_data=False).graph
    weights = {weight.name for weight in graph.initializer}
    return [
        node.name for node in graph.node if node.op_type == "MatMul" and node.input[1] in weights
    ]


def _quantise_dynamically(plain: Path, target: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        plain,
        target,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        nodes_to_quantize=_weighted_products(plain),
    )


def _quantise_statically(plain: Path, target: Path, job: ServingJob, pooling: str) -> None:
    """As QDQ nodes; the ranges of the inputs are those on reviews that aren't answered."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

    folder = Path(job.version) / pooling
    config = ServedConfig.read(folder)
    texts = [row["text"] for row in rows.load(job.others)[:CALIBRATING]]
    tokens = FastTokenizer(folder).tokens(texts, config.max_tokens, config.head_share)

    class Reviews(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._feeds = _feeds(tokens)

        def get_next(self) -> dict[str, Any] | None:
            return next(self._feeds, None)

    quantize_static(
        plain,
        target,
        Reviews(),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        nodes_to_quantize=_weighted_products(plain),
    )


def _feeds(tokens: Tokens) -> Iterator[dict[str, Any]]:
    """Each review by itself, without padding."""
    for row in range(len(tokens)):
        arrays = tokens.batch(np.array([row]), int(tokens.lengths[row]))
        yield dict(zip(INPUTS, (array.numpy() for array in arrays), strict=True))
