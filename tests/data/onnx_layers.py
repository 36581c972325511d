"""What ONNX's operators with windows, normalizations, recurrences, losses and training steps compute.

See onnx_operators.py. Sums over windows and sequences are plain loops: slow, and easy to compare with the text.
"""

from itertools import product

import numpy as np

from onnx_operators import LogSoftmax, Softmax, sigmoid


class Windows:
    """The windows over the spatial axes of x (batch, channels, ...)."""

    def __init__(self, x, kernel, strides, pads, dilations, auto_pad, ceil_mode=0):
        rank = len(kernel)
        self.shape, self.kernel = x.shape[2:], kernel
        self.strides, self.dilations = strides or [1] * rank, dilations or [1] * rank
        self.pads = list(pads or [0] * (2 * rank))
        self.out = []
        for i, size in enumerate(self.shape):
            stride, reach = self.strides[i], (kernel[i] - 1) * self.dilations[i] + 1
            if auto_pad.startswith("SAME"):
                total = max((-(-size // stride) - 1) * stride + reach - size, 0)
                before = total // 2 if auto_pad == "SAME_UPPER" else total - total // 2
                self.pads[i], self.pads[i + rank] = before, total - before
            room = size + self.pads[i] + self.pads[i + rank] - reach
            count = (-(-room // stride) if ceil_mode else room // stride) + 1
            if ceil_mode and (count - 1) * stride >= size + self.pads[i]:  # a window starts behind the image
                count -= 1
            self.out.append(count)

    def cells(self, position):
        """Of each cell of the kernel, the pixel under it, and whether it is inside the image and inside the padding."""
        rank = len(self.kernel)
        for cell in product(*map(range, self.kernel)):
            at = [position[i] * self.strides[i] + cell[i] * self.dilations[i] - self.pads[i] for i in range(rank)]
            inside = all(0 <= a < size for a, size in zip(at, self.shape))
            padded = all(a < size + self.pads[i + rank] for i, (a, size) in enumerate(zip(at, self.shape)))
            yield cell, tuple(at), inside, padded


def Conv(x, w, b=None, strides=None, pads=None, dilations=None, group=1, auto_pad="NOTSET", kernel_shape=None):
    windows = Windows(x, w.shape[2:], strides, pads, dilations, auto_pad)
    y = np.zeros((x.shape[0], w.shape[0], *windows.out))
    for n, o, *position in np.ndindex(y.shape):
        first = o // (w.shape[0] // group) * w.shape[1]  # of the channels of this group
        for cell, at, inside, _ in windows.cells(position):
            if inside:
                for c in range(w.shape[1]):
                    y[(n, o, *position)] += x[(n, first + c, *at)] * w[(o, c, *cell)]
        y[(n, o, *position)] += 0 if b is None else b[o]
    return y


def ConvTranspose(
    x, w, b=None, strides=None, pads=None, dilations=None, group=1, auto_pad="NOTSET", kernel_shape=None,
    output_padding=None, output_shape=None,
):
    rank = x.ndim - 2
    strides, dilations, extra = strides or [1] * rank, dilations or [1] * rank, output_padding or [0] * rank
    pads = list(pads or [0] * (2 * rank))
    if auto_pad.startswith("SAME"):
        output_shape = [size * stride for size, stride in zip(x.shape[2:], strides)]
    out = []
    for i, size in enumerate(x.shape[2:]):
        whole = strides[i] * (size - 1) + extra[i] + (w.shape[2 + i] - 1) * dilations[i] + 1
        if output_shape:
            total = whole - output_shape[i]
            pads[i] = total // 2 if auto_pad == "SAME_UPPER" else total - total // 2
            pads[i + rank] = total - pads[i]
        out.append(whole - pads[i] - pads[i + rank])
    y = np.zeros((x.shape[0], w.shape[1] * group, *out))
    for n, c, *position in np.ndindex(x.shape):
        first = c // (x.shape[1] // group) * w.shape[1]
        for m, *cell in np.ndindex(w.shape[1:]):
            to = [position[i] * strides[i] + cell[i] * dilations[i] - pads[i] for i in range(rank)]
            if all(0 <= a < size for a, size in zip(to, out)):
                y[(n, first + m, *to)] += x[(n, c, *position)] * w[(c, m, *cell)]
    return y if b is None else y + b.reshape(1, -1, *[1] * rank)


def pool(x, windows, function):
    y = np.zeros((*x.shape[:2], *windows.out))
    for n, c, *position in np.ndindex(y.shape):
        y[(n, c, *position)] = function(x[n, c], list(windows.cells(position)))
    return y


def MaxPool(x, kernel_shape, strides=None, pads=None, dilations=None, auto_pad="NOTSET", ceil_mode=0):
    windows = Windows(x, kernel_shape, strides, pads, dilations, auto_pad, ceil_mode)
    return pool(x, windows, lambda plane, cells: np.max([plane[at] for _, at, inside, _ in cells if inside]))


def AveragePool(
    x, kernel_shape, strides=None, pads=None, dilations=None, auto_pad="NOTSET", ceil_mode=0, count_include_pad=0
):
    def average(plane, cells):
        total = sum(plane[at] for _, at, inside, _ in cells if inside)
        return total / sum(padded if count_include_pad else inside for _, _, inside, padded in cells)

    return pool(x, Windows(x, kernel_shape, strides, pads, dilations, auto_pad, ceil_mode), average)


def LpPool(x, kernel_shape, strides=None, pads=None, dilations=None, auto_pad="NOTSET", p=2):
    windows = Windows(x, kernel_shape, strides, pads, dilations, auto_pad)
    return pool(x, windows, lambda plane, cells: sum(abs(plane[at]) ** p for _, at, i, _ in cells if i) ** (1 / p))


def GlobalAveragePool(x):
    return x.mean(axis=tuple(range(2, x.ndim)), keepdims=True)


def GlobalMaxPool(x):
    return x.max(axis=tuple(range(2, x.ndim)), keepdims=True)


def per_channel(v, x):
    return v.reshape(1, -1, *[1] * (x.ndim - 2))


def normalized(x, axes, epsilon):
    return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)


def BatchNormalization(x, scale, bias, mean, var, epsilon=1e-5, momentum=0.9, training_mode=0):
    axes = (0, *range(2, x.ndim))
    used_mean, used_var = (x.mean(axis=axes), x.var(axis=axes)) if training_mode else (mean, var)
    y = (x - per_channel(used_mean, x)) / np.sqrt(per_channel(used_var, x) + epsilon)
    y = y * per_channel(scale, x) + per_channel(bias, x)
    follow = lambda old, new: momentum * old + (1 - momentum) * new
    return (y, follow(mean, used_mean), follow(var, used_var)) if training_mode else y


def InstanceNormalization(x, scale, bias, epsilon=1e-5):
    return normalized(x, tuple(range(2, x.ndim)), epsilon) * per_channel(scale, x) + per_channel(bias, x)


def GroupNormalization(x, scale, bias, num_groups, epsilon=1e-5):
    groups = x.reshape(x.shape[0], num_groups, -1)
    return normalized(groups, 2, epsilon).reshape(x.shape) * per_channel(scale, x) + per_channel(bias, x)


def LayerNormalization(x, scale, bias=None, axis=-1, epsilon=1e-5):
    axes = tuple(range(axis % x.ndim, x.ndim))
    mean, deviation = x.mean(axis=axes, keepdims=True), np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)
    return (x - mean) / deviation * scale + (0 if bias is None else bias), mean, 1 / deviation


def RMSNormalization(x, scale, axis=-1, epsilon=1e-5):
    axes = tuple(range(axis % x.ndim, x.ndim))
    return x / np.sqrt((x**2).mean(axis=axes, keepdims=True) + epsilon) * scale


def MeanVarianceNormalization(x, axes=(0, 2, 3)):
    return normalized(x, tuple(axes), 0)


def LpNormalization(x, axis=-1, p=2):
    return x / (np.abs(x) ** p).sum(axis=axis, keepdims=True) ** (1 / p)


def LRN(x, size, alpha=1e-4, beta=0.75, bias=1.0):
    y = np.zeros_like(x)
    for c in range(x.shape[1]):
        near = x[:, max(0, c - (size - 1) // 2) : c + size // 2 + 1]
        y[:, c] = x[:, c] / (bias + alpha / size * (near**2).sum(axis=1)) ** beta
    return y


ACTIVATIONS = {"Tanh": np.tanh, "Sigmoid": sigmoid, "Relu": lambda x: np.maximum(x, 0)}


def recurrent(x, state, direction, layout, step):
    """The states after each step: Y, and the last ones. `state` holds parts of (directions, batch, hidden); step(d, x,
    parts) makes new ones. Layout 1 has the batch before the time and the directions."""
    if layout:
        x = x.swapaxes(0, 1)
        state = [part.swapaxes(0, 1) for part in state]
    directions = state[0].shape[0]
    y = np.zeros((x.shape[0], *state[0].shape))
    last = [part.copy() for part in state]
    for d in range(directions):
        parts = [part[d] for part in state]
        backwards = direction == "reverse" or d == 1
        for t in reversed(range(x.shape[0])) if backwards else range(x.shape[0]):
            parts = step(d, x[t], parts)
            y[t, d] = parts[0]
        for part, end in zip(last, parts):
            part[d] = end
    if layout:
        return (y.transpose(2, 0, 1, 3), *(part.swapaxes(0, 1) for part in last))
    return (y, *last)


def biases(b, d, gates, hidden):
    """Those of the input and those of the state, a row for each gate."""
    return np.zeros((2, gates, hidden)) if b is None else b[d].reshape(2, gates, hidden)


def start(x, w, state, hidden_size, layout):
    batch = x.shape[0 if layout else 1]
    shape = (batch, w.shape[0], hidden_size) if layout else (w.shape[0], batch, hidden_size)
    return np.zeros(shape) if state is None else state


def RNN(x, w, r, b=None, sequence_lens=None, initial_h=None, hidden_size=0, direction="forward", layout=0,
        activations=("Tanh", "Tanh")):
    def step(d, xt, parts):
        bias = biases(b, d, 1, hidden_size)
        return [ACTIVATIONS[activations[d]](xt @ w[d].T + parts[0] @ r[d].T + bias[0, 0] + bias[1, 0])]

    return recurrent(x, [start(x, w, initial_h, hidden_size, layout)], direction, layout, step)


def LSTM(x, w, r, b=None, sequence_lens=None, initial_h=None, initial_c=None, p=None, hidden_size=0,
         direction="forward", layout=0):
    def step(d, xt, parts):
        h, c = parts
        wi, wo, wf, wc = w[d].reshape(4, hidden_size, -1)
        ri, ro, rf, rc = r[d].reshape(4, hidden_size, hidden_size)
        bi, bo, bf, bc = biases(b, d, 4, hidden_size).sum(axis=0)
        pi, po, pf = np.zeros((3, hidden_size)) if p is None else p[d].reshape(3, hidden_size)
        i = sigmoid(xt @ wi.T + h @ ri.T + pi * c + bi)
        f = sigmoid(xt @ wf.T + h @ rf.T + pf * c + bf)
        c = f * c + i * np.tanh(xt @ wc.T + h @ rc.T + bc)
        o = sigmoid(xt @ wo.T + h @ ro.T + po * c + bo)
        return [o * np.tanh(c), c]

    state = [start(x, w, part, hidden_size, layout) for part in (initial_h, initial_c)]
    return recurrent(x, state, direction, layout, step)


def GRU(x, w, r, b=None, sequence_lens=None, initial_h=None, hidden_size=0, direction="forward", layout=0,
        linear_before_reset=0):
    def step(d, xt, parts):
        h = parts[0]
        wz, wr, wh = w[d].reshape(3, hidden_size, -1)
        rz, rr, rh = r[d].reshape(3, hidden_size, hidden_size)
        (wbz, wbr, wbh), (rbz, rbr, rbh) = biases(b, d, 3, hidden_size)
        z = sigmoid(xt @ wz.T + h @ rz.T + wbz + rbz)
        reset = sigmoid(xt @ wr.T + h @ rr.T + wbr + rbr)
        from_state = reset * (h @ rh.T + rbh) if linear_before_reset else (reset * h) @ rh.T + rbh
        return [(1 - z) * np.tanh(xt @ wh.T + from_state + wbh) + z * h]

    return recurrent(x, [start(x, w, initial_h, hidden_size, layout)], direction, layout, step)


def Attention(q, k, v, attn_mask=None, past_key=None, past_value=None, is_causal=0, scale=None, softcap=0.0,
              q_num_heads=None, kv_num_heads=None):
    def apart(x, count):  # (batch, sequence, heads * size) as (batch, heads, sequence, size)
        return x if x.ndim == 4 else x.reshape(*x.shape[:2], count, -1).swapaxes(1, 2)

    joined = q.ndim == 3
    q, k, v = apart(q, q_num_heads), apart(k, kv_num_heads), apart(v, kv_num_heads)
    if past_key is not None:
        k, v = np.concatenate([past_key, k], 2), np.concatenate([past_value, v], 2)
    y = np.zeros((*q.shape[:3], v.shape[3]))
    for b, head, at in np.ndindex(q.shape[:3]):
        shared = head // (q.shape[1] // k.shape[1])
        scores = k[b, shared] @ q[b, head, at] * (1 / np.sqrt(q.shape[3]) if scale is None else scale)
        if softcap:
            scores = softcap * np.tanh(scores / softcap)
        if attn_mask is not None:
            scores = scores + np.broadcast_to(attn_mask, (*q.shape[:3], k.shape[2]))[b, head, at]
        if is_causal:
            scores = np.where(np.arange(k.shape[2]) <= at, scores, -np.inf)
        y[b, head, at] = Softmax(scores) @ v[b, shared]
    y = y.swapaxes(1, 2).reshape(y.shape[0], y.shape[2], -1) if joined else y
    return y if past_key is None else (y, k, v)


def Dropout(x, ratio=None, training_mode=None):  # where nothing is left to chance
    assert not (training_mode and ratio)
    return x


def NegativeLogLikelihoodLoss(x, target, weight=None, reduction="mean", ignore_index=None):
    losses, weights = np.zeros(target.shape), np.zeros(target.shape)
    for at in np.ndindex(target.shape):
        if target[at] != ignore_index:
            label = int(target[at])
            weights[at] = 1 if weight is None else weight[label]
            losses[at] = -x[(at[0], label, *at[1:])] * weights[at]
    if reduction == "none":
        return losses
    return np.asarray(losses.sum() if reduction == "sum" else losses.sum() / weights.sum())


def SoftmaxCrossEntropyLoss(scores, labels, weights=None, reduction="mean", ignore_index=None):
    log_prob = LogSoftmax(scores, 1)
    return NegativeLogLikelihoodLoss(log_prob, labels, weights, reduction, ignore_index), log_prob


def for_each_tensor(update, rate, count, inputs, parts):
    """Inputs and outputs are in the order x1, x2, ..., g1, g2, ...: what belongs to one tensor stands apart."""
    tensors = len(inputs) // parts
    results = [update(float(rate), float(count), *inputs[i::tensors]) for i in range(tensors)]
    return tuple(result[part] for part in range(parts - 1) for result in results)


def Adagrad(rate, count, *inputs, decay_factor=0.0, epsilon=1e-6, norm_coefficient=0.0):
    def update(rate, count, x, g, h):
        g = norm_coefficient * x + g
        h = h + g * g
        return x - rate / (1 + count * decay_factor) * g / (np.sqrt(h) + epsilon), h

    return for_each_tensor(update, rate, count, inputs, 3)


def Adam(rate, count, *inputs, alpha=0.9, beta=0.999, epsilon=1e-6, norm_coefficient=0.0, norm_coefficient_post=0.0):
    def update(rate, count, x, g, v, h):
        g = norm_coefficient * x + g
        v, h = alpha * v + (1 - alpha) * g, beta * h + (1 - beta) * g * g
        if count > 0:
            rate *= np.sqrt(1 - beta**count) / (1 - alpha**count)
        return (1 - norm_coefficient_post) * (x - rate * v / (np.sqrt(h) + epsilon)), v, h

    return for_each_tensor(update, rate, count, inputs, 4)


def Momentum(rate, count, *inputs, alpha, beta, mode, norm_coefficient):
    def update(rate, count, x, g, v):
        g = norm_coefficient * x + g
        v = alpha * v + (beta if count > 0 else 1) * g
        return x - rate * (g + alpha * v if mode == "nesterov" else v), v

    return for_each_tensor(update, rate, count, inputs, 3)
