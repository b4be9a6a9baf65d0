"""A version as a folder that needs neither this package nor torch: ONNX models and an example.

- graph: the model as ONNX, traced by torch's exporter
- int8: a copy of a quarter of its size
- onnx_model: what onnxruntime answers
- parity: whether that is what the model answers
- models: the ONNX files, each written and compared
- folder: the files beside the models, and the whole, all at once

Imports reports and what is below it. Needs the `onnx` extra.
"""
