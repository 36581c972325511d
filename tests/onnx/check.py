#!/usr/bin/python3
"""Checks ONNX files that the tests write: the schema, and the numbers of whichever other programs are installed.

usage: check.py TESTS, a program that has the test case "ONNX files for other programs". Ends with 77 where python3-onnx
is missing: the test is skipped.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
except ImportError as error:
    print(f"skipped: {error}; on Debian: apt-get install python3-onnx")
    sys.exit(77)

# OpenCV reads a part of what ONNX has: these are to be in it.
cv2_models = {"mlp", "lenet", "residual", "transposed convolution", "without bias", "relu", "tanh", "sigmoid"}


def runners():
    """Other programs that run a model: for the name of each, a function of the file and the inputs, by name."""
    found = {}
    try:
        from onnx.reference import ReferenceEvaluator

        found["onnx.reference"] = lambda path, inputs: ReferenceEvaluator(path).run(None, inputs)
    except ImportError:
        pass
    try:
        import onnxruntime

        def run(path, inputs):
            return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, inputs)

        found["onnxruntime"] = run
    except ImportError:
        pass
    try:
        import cv2

        def forward(path, inputs):
            net = cv2.dnn.readNetFromONNX(path)
            net.setInput(inputs["input"])
            return [net.forward()]

        found["cv2.dnn"] = forward
    except ImportError:
        pass
    return found


def read_numbers(path, dtype):
    """The inputs and the outputs: each a line with the shape, and one with the elements."""
    lines = path.read_text().split("\n")
    shapes = [[int(size) for size in line.split()] for line in lines[:-1:2]]
    return [np.array(line.split(), dtype=dtype).reshape(shape) for line, shape in zip(lines[1::2], shapes)]


failed = 0
available = runners()
with tempfile.TemporaryDirectory() as folder:
    environment = {**os.environ, "XGRAD_ONNX_FOLDER": folder}
    command = [sys.argv[1], "-tc=ONNX files for other programs"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    files = sorted(pathlib.Path(folder).glob("*.onnx"))
    assert len(files) > 40, f"expected more than 40 files, got {len(files)}"
    for file in files:
        model = onnx.load(str(file))
        onnx.checker.check_model(model, full_check=True)  # with shapes and types, as far as they can be inferred
        float64 = model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.DOUBLE
        numbers = read_numbers(file.with_suffix(".txt"), np.float64 if float64 else np.float32)
        inputs = {value.name: number for value, number in zip(model.graph.input, numbers)}
        expected = numbers[len(inputs) :]
        assert len(expected) == len(model.graph.output), file
        for name, run in available.items():
            if name == "cv2.dnn" and (float64 or file.stem not in cv2_models):
                continue
            try:
                outputs = run(str(file), inputs)
                assert len(outputs) == len(expected), f"{len(outputs)} outputs, expected {len(expected)}"
                for got, right in zip(outputs, expected):
                    assert got.shape == right.shape, f"the shape {got.shape}, expected {right.shape}"
                    wrong = np.max(np.abs(got - right) / np.maximum(1, np.abs(right)), initial=0)
                    assert wrong < 1e-5, f"differs by {wrong}"
            except Exception as error:
                failed += 1
                print(f"{file.stem}, {name}: {str(error)[:300]}")
print(f"{len(files)} files checked, run by {', '.join(available) or 'no other program'}, {failed} failed")
sys.exit(failed > 0)
