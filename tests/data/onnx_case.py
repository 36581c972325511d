"""How a case is made and written. See onnx_nodes.py."""

import random

import numpy as np

import onnx_layers
import onnx_operators

INF, NAN = np.inf, np.nan
cases = []


class Draw:
    """Numbers of [low, high], all different and evenly spread in random order, so that none is near a kink at 0."""

    def __init__(self, *shape, low=-2.0, high=2.0):
        self.shape, self.low, self.high = shape, low, high

    def values(self, generator):
        count = int(np.prod(self.shape))
        numbers = [round(self.low + (self.high - self.low) * (i + 0.3) / count, 3) for i in range(count)]
        generator.shuffle(numbers)
        return np.array(numbers).reshape(self.shape)


def ints(*values):
    return np.array(values, dtype=np.int64)


def floats(*values):
    return np.array(values, dtype=np.float64)


def number(value):
    return float(f"{value:.11g}") if np.isfinite(value) else str(value)  # JSON has no "nan", "inf" and "-inf"


def tensor(array):
    if array is None:
        return None
    data = [int(v) if float(v).is_integer() else number(v) for v in array.ravel().tolist()]
    return {"shape": list(array.shape), "data": data}


def case(name, op, *inputs, grad=True, **attributes):
    """`grad`: whether the gradients of all inputs in floating point are to be checked."""
    generator = random.Random(name)
    arrays = [i.values(generator) if isinstance(i, Draw) else i for i in inputs]
    module = onnx_operators if hasattr(onnx_operators, op) else onnx_layers
    with np.errstate(all="ignore"):
        outputs = getattr(module, op)(*arrays, **attributes)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    floating = [i for i, a in enumerate(arrays) if grad and a is not None and a.dtype == np.float64]
    record = {"name": name, "op": op, "inputs": [tensor(a) for a in arrays]}
    record["outputs"] = [tensor(np.asarray(o)) for o in outputs]
    if attributes:
        record["attributes"] = {k: tensor(v) if isinstance(v, np.ndarray) else v for k, v in attributes.items()}
    if floating:
        record["grad"] = floating
    assert all(c["name"] != name for c in cases), name
    cases.append(record)
