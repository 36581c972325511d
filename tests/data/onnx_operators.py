"""What the operators of ONNX compute, in float64, from the definitions in the operator specification.

Each function has the operator's name, its inputs in order (None for one that is left out) and its attributes by their
names. Here are the operators on elements, shapes, indices and matrices; onnx_layers.py has the others.
"""

import math

import numpy as np


def elementwise(function):
    return lambda x: np.vectorize(function, otypes=[float])(x) if x.size else x


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def truth(function):
    return lambda *inputs: function(*inputs).astype(float)


Abs, Neg, Exp, Log, Sqrt, Reciprocal = np.abs, np.negative, np.exp, np.log, np.sqrt, np.reciprocal
Sin, Cos, Tan, Sinh, Cosh, Tanh = np.sin, np.cos, np.tan, np.sinh, np.cosh, np.tanh
Asin, Acos, Atan, Asinh, Acosh, Atanh = np.arcsin, np.arccos, np.arctan, np.arcsinh, np.arccosh, np.arctanh
Sign, Ceil, Floor, Round, Sigmoid, Softplus = np.sign, np.ceil, np.floor, np.rint, sigmoid, softplus
Add, Sub, Mul, Div, Pow = np.add, np.subtract, np.multiply, np.divide, np.power
And, Or, Xor, Not = map(truth, (np.logical_and, np.logical_or, np.logical_xor, np.logical_not))
Equal, Greater, GreaterOrEqual = map(truth, (np.equal, np.greater, np.greater_equal))
Less, LessOrEqual, IsNaN = map(truth, (np.less, np.less_equal, np.isnan))
Erf = elementwise(math.erf)


def Identity(x):
    return x


def IsInf(x, detect_negative=1, detect_positive=1):
    return ((detect_negative * (x == -np.inf) + detect_positive * (x == np.inf)) > 0).astype(float)


def Mod(a, b, fmod=0):  # the sign is the divisor's, and with fmod the dividend's
    return np.fmod(a, b) if fmod else np.mod(a, b)


def Max(*inputs):
    return np.maximum.reduce(np.broadcast_arrays(*inputs))


def Min(*inputs):
    return np.minimum.reduce(np.broadcast_arrays(*inputs))


def Sum(*inputs):
    return sum(inputs[1:], inputs[0])


def Mean(*inputs):
    return Sum(*inputs) / len(inputs)


def Where(condition, x, y):
    return np.where(condition != 0, x, y)


def Clip(x, low=None, high=None):  # the upper limit wins
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def Relu(x):
    return np.where(x <= 0, 0, x)


def LeakyRelu(x, alpha=0.01):
    return np.where(x < 0, alpha * x, x)


def PRelu(x, slope):
    return np.where(x < 0, slope * x, x)


def ThresholdedRelu(x, alpha=1.0):
    return np.where(x > alpha, x, 0)


def Shrink(x, bias=0.0, lambd=0.5):
    return np.where(x < -lambd, x + bias, np.where(x > lambd, x - bias, 0))


def Elu(x, alpha=1.0):
    return np.where(x < 0, alpha * np.expm1(np.minimum(x, 0)), x)


def Celu(x, alpha=1.0):
    return np.maximum(0, x) + np.minimum(0, alpha * np.expm1(x / alpha))


def Selu(x, alpha=1.67326319217681884765625, gamma=1.05070102214813232421875):
    return gamma * np.where(x <= 0, alpha * np.expm1(np.minimum(x, 0)), x)


def Gelu(x, approximate="none"):
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + Erf(x / math.sqrt(2)))


def HardSigmoid(x, alpha=0.2, beta=0.5):
    return np.clip(alpha * x + beta, 0, 1)


def HardSwish(x):
    return x * np.clip(x / 6 + 0.5, 0, 1)


def Mish(x):
    return x * np.tanh(softplus(x))


def Swish(x, alpha=1.0):
    return x * sigmoid(alpha * x)


def Softsign(x):
    return x / (1 + np.abs(x))


def Softmax(x, axis=-1):
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def LogSoftmax(x, axis=-1):
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def reduction(function):
    def reduce(x, axes=None, keepdims=1, noop_with_empty_axes=0):
        if axes is None or axes.size == 0:
            if noop_with_empty_axes:
                return x
            axes = np.arange(x.ndim)
        return np.asarray(function(x, axis=tuple(int(a) for a in axes), keepdims=bool(keepdims)))

    return reduce


def log_sum_exp(x, axis, keepdims):
    largest = x.max(axis=axis, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(largest), largest, 0)
    y = np.log(np.exp(x - shift).sum(axis=axis, keepdims=True)) + shift
    return y if keepdims else y.squeeze(axis)


ReduceSum, ReduceMean, ReduceProd = reduction(np.sum), reduction(np.mean), reduction(np.prod)
ReduceMax = reduction(lambda x, **along: np.max(x, initial=-np.inf, **along))
ReduceMin = reduction(lambda x, **along: np.min(x, initial=np.inf, **along))
ReduceL1 = reduction(lambda x, **along: np.sum(np.abs(x), **along))
ReduceL2 = reduction(lambda x, **along: np.sqrt(np.sum(x**2, **along)))
ReduceSumSquare = reduction(lambda x, **along: np.sum(x**2, **along))
ReduceLogSum = reduction(lambda x, **along: np.log(np.sum(x, **along)))
ReduceLogSumExp = reduction(log_sum_exp)


def CumSum(x, axis, exclusive=0, reverse=0):
    y = np.zeros_like(x)
    for to in np.ndindex(x.shape):
        for at in range(x.shape[axis]):
            before = at > to[axis] if reverse else at < to[axis]
            if before or (at == to[axis] and not exclusive):
                source = list(to)
                source[axis] = at
                y[to] += x[tuple(source)]
    return y


def Constant(value):
    return value


def Shape(x, start=0, end=None):
    return np.array(x.shape[start:end])


def Cast(x, to):
    return x.astype({1: np.float64, 7: np.int64, 9: np.bool_}[to])


def ConstantOfShape(shape, value=0.0):
    return np.full(shape, value)


def Reshape(x, shape, allowzero=0):  # 0 keeps the dimension of x, unless it is allowed to mean 0; -1 is what is left
    kept = [x.shape[i] if size == 0 and not allowzero else int(size) for i, size in enumerate(shape)]
    return x.reshape(kept)


def Flatten(x, axis=1):
    axis = axis if axis >= 0 else axis + x.ndim
    return x.reshape(int(np.prod(x.shape[:axis])), -1)


def Squeeze(x, axes=None):
    return np.squeeze(x, None if axes is None else tuple(int(a) for a in axes))


def Unsqueeze(x, axes):
    return np.expand_dims(x, tuple(int(a) for a in axes))


def Expand(x, shape):  # both ways: a dimension of the shape may be 1
    return x * np.ones(shape)


def Transpose(x, perm=None):
    return np.transpose(x, perm)


def Concat(*inputs, axis):
    return np.concatenate(inputs, axis)


def Split(x, split=None, axis=0, num_outputs=None):  # without sizes: equal parts, of which the last may be smaller
    if split is None:
        part = -(-x.shape[axis] // num_outputs)
        split = [part] * (num_outputs - 1) + [x.shape[axis] - part * (num_outputs - 1)]
    return tuple(np.split(x, np.cumsum(split)[:-1], axis))


def Slice(x, starts, ends, axes=None, steps=None):
    for i, (start, end) in enumerate(zip(starts, ends)):
        axis, step = (i if axes is None else axes[i]), (1 if steps is None else steps[i])
        size = x.shape[axis]
        start, end = (v + size if v < 0 else v for v in (start, end))
        if step > 0:
            positions = range(min(max(start, 0), size), min(max(end, 0), size), step)
        else:
            positions = range(min(max(start, 0), size - 1), min(max(end, -1), size - 1), step)
        x = np.take(x, list(positions), axis)
    return x


def Tile(x, repeats):
    return np.tile(x, repeats)


def Trilu(x, k=0, upper=1):
    return np.triu(x, k) if upper else np.tril(x, k)


def Pad(x, pads, value=0.0, axes=None, mode="constant"):
    axes = range(x.ndim) if axes is None else axes
    widths = [(0, 0)] * x.ndim
    for i, axis in enumerate(axes):
        widths[axis] = (int(pads[i]), int(pads[i + len(axes)]))
    return np.pad(x, widths, **({"mode": mode} if mode != "constant" else {"constant_values": value}))


def DepthToSpace(x, blocksize, mode="DCR"):
    n, c, h, w = x.shape
    y = np.zeros((n, c // blocksize**2, h * blocksize, w * blocksize))
    for b, d, i, j in np.ndindex(y.shape):
        block = (i % blocksize) * blocksize + j % blocksize
        depth = block * y.shape[1] + d if mode == "DCR" else d * blocksize**2 + block
        y[b, d, i, j] = x[b, depth, i // blocksize, j // blocksize]
    return y


def SpaceToDepth(x, blocksize):
    n, c, h, w = x.shape
    y = np.zeros((n, c * blocksize**2, h // blocksize, w // blocksize))
    for b, d, i, j in np.ndindex(y.shape):
        block, channel = divmod(d, c)
        y[b, d, i, j] = x[b, channel, i * blocksize + block // blocksize, j * blocksize + block % blocksize]
    return y


def Gather(x, indices, axis=0):
    return np.take(x, indices, axis)


def GatherElements(x, indices, axis=0):
    y = np.zeros(indices.shape)
    for to in np.ndindex(y.shape):
        source = list(to)
        source[axis] = indices[to]
        y[to] = x[tuple(source)]
    return y


def GatherND(x, indices, batch_dims=0):
    if batch_dims > 0:
        return np.stack([GatherND(one, at, batch_dims - 1) for one, at in zip(x, indices)])
    return np.stack([x[tuple(at)] for at in indices.reshape(-1, indices.shape[-1])]).reshape(
        indices.shape[:-1] + x.shape[indices.shape[-1] :]
    )


def ScatterElements(x, indices, updates, axis=0, reduction="none"):
    y = x.copy()
    for source in np.ndindex(indices.shape):
        to = list(source)
        to[axis] = indices[source]
        y[tuple(to)] = updates[source] + (y[tuple(to)] if reduction == "add" else 0)
    return y


def OneHot(indices, depth, values, axis=-1):  # positions outside the depth give the off value
    depth = int(depth)
    positions = np.where(indices < 0, indices + depth, indices)
    ones = np.stack([positions == d for d in range(depth)], axis)
    return np.where(ones, values[1], values[0])


def MatMul(a, b):
    return np.asarray(np.matmul(a, b))


def Gemm(a, b, c=None, alpha=1.0, beta=1.0, transA=0, transB=0):
    y = alpha * ((a.T if transA else a) @ (b.T if transB else b))
    return y if c is None else y + beta * c
