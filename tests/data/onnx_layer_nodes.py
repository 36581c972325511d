"""Cases for windows, normalizations, losses, recurrences and training steps. See onnx_nodes.py."""

import numpy as np

from onnx_case import INF, NAN, Draw, case, floats, ints


def windows():
    case("conv_1d", "Conv", Draw(2, 2, 5), Draw(2, 2, 3), Draw(2))
    for name, attributes in {"dilated": {"dilations": [2]}, "pad1": {"pads": [1, 1]}, "pad2size1": {"pads": [2, 2]},
                             "stride": {"strides": [2]}, "pads_uneven": {"pads": [0, 2]}}.items():
        case("conv_1d_" + name, "Conv", Draw(1, 2, 5), Draw(2, 2, 3), Draw(2), **attributes)
    case("conv_1d_groups", "Conv", Draw(1, 4, 4), Draw(2, 2, 3), Draw(2), group=2)
    case("conv_no_bias", "Conv", Draw(1, 2, 3, 3), Draw(2, 2, 2, 2))
    case("basic_conv_with_padding", "Conv", Draw(1, 1, 4, 4), Draw(1, 1, 3, 3), kernel_shape=[3, 3], pads=[1] * 4)
    case("basic_conv_without_padding", "Conv", Draw(1, 1, 4, 4), Draw(1, 1, 3, 3), kernel_shape=[3, 3], pads=[0] * 4)
    for auto_pad in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        case("conv_with_autopad_" + auto_pad.lower(), "Conv", Draw(1, 1, 5, 4), Draw(1, 1, 3, 2), strides=[2, 2],
             auto_pad=auto_pad)
    strided = {"kernel_shape": [3, 3], "strides": [2, 2]}
    for name, pads in (("padding", [1, 1, 1, 1]), ("no_padding", [0] * 4), ("and_asymmetric_padding", [1, 0, 1, 0])):
        case("conv_with_strides_" + name, "Conv", Draw(1, 1, 7, 5), Draw(1, 1, 3, 3), pads=pads, **strided)
    case("conv_2d_dilated", "Conv", Draw(1, 1, 5, 4), Draw(2, 1, 3, 2), dilations=[2, 3])
    case("conv_2d_groups", "Conv", Draw(1, 4, 3, 3), Draw(2, 2, 2, 2), Draw(2), group=2)
    case("conv_2d_depthwise", "Conv", Draw(1, 3, 3, 3), Draw(3, 1, 2, 2), group=3)
    case("conv_2d_depthwise_padded", "Conv", Draw(1, 2, 2, 3), Draw(2, 1, 3, 3), group=2, pads=[1] * 4)
    case("conv_2d_depthwise_strided", "Conv", Draw(1, 2, 4, 4), Draw(2, 1, 3, 3), group=2, strides=[2, 2], pads=[1] * 4)
    case("conv_2d_depthwise_with_multiplier", "Conv", Draw(1, 2, 3, 3), Draw(4, 1, 2, 2), group=2)
    case("convtranspose", "ConvTranspose", Draw(1, 1, 3, 3), Draw(1, 2, 3, 3))
    case("convtranspose_bias", "ConvTranspose", Draw(2, 2, 2, 2), Draw(2, 2, 2, 2), Draw(2))
    case("convtranspose_1d", "ConvTranspose", Draw(1, 1, 3), Draw(1, 2, 3))
    case("convtranspose_pads", "ConvTranspose", Draw(1, 1, 3, 3), Draw(1, 2, 3, 3), strides=[3, 2], pads=[1, 2, 1, 2])
    case("convtranspose_pads_uneven", "ConvTranspose", Draw(1, 1, 3, 3), Draw(1, 1, 3, 3), strides=[2, 2], pads=[1, 0,
         2, 1])
    case("convtranspose_dilations", "ConvTranspose", Draw(1, 1, 3, 3), Draw(1, 1, 2, 2), dilations=[2, 2])
    case("convtranspose_group_2", "ConvTranspose", Draw(1, 2, 3, 2), Draw(2, 1, 2, 2), group=2)
    case("convtranspose_group_2_image_3", "ConvTranspose", Draw(3, 2, 2, 2), Draw(2, 1, 2, 2), group=2)
    case("convtranspose_kernel_shape", "ConvTranspose", Draw(1, 1, 3, 3), Draw(1, 2, 3, 3), strides=[3, 2],
         kernel_shape=[3, 3], output_padding=[1, 1], output_shape=[10, 8])
    for auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        case("convtranspose_autopad_" + auto_pad.lower(), "ConvTranspose", Draw(1, 1, 3, 3), Draw(1, 1, 3, 3),
             strides=[2, 2],
             auto_pad=auto_pad)
    for op in ("MaxPool", "AveragePool", "LpPool"):
        name = op.lower()
        case(name + "_1d_default", op, Draw(1, 2, 6), kernel_shape=[2])
        case(name + "_1d_stride", op, Draw(1, 2, 6), kernel_shape=[3], strides=[2])
        x = Draw(1, 1, 5, 4)
        case(name + "_2d_default", op, Draw(2, 2, 3, 3), kernel_shape=[2, 2])
        case(name + "_2d_strides", op, Draw(1, 1, 6, 6), kernel_shape=[3, 3], strides=[3, 2])
        case(name + "_2d_pads", op, x, kernel_shape=[3, 3], pads=[2, 2, 2, 2])
        case(name + "_2d_pads_uneven", op, x, kernel_shape=[3, 2], pads=[0, 1, 2, 0], strides=[2, 1])
        for auto_pad in ("SAME_UPPER", "SAME_LOWER", "VALID"):
            case(f"{name}_2d_{auto_pad.lower()}", op, x, kernel_shape=[2, 3], strides=[2, 2], auto_pad=auto_pad)
    for op in ("MaxPool", "AveragePool"):
        case(op.lower() + "_2d_ceil", op, Draw(1, 1, 4, 4), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
        case(op.lower() + "_2d_ceil_reduced_by_one", op, Draw(1, 1, 2, 2), kernel_shape=[1, 1], strides=[2, 2],
             ceil_mode=1)
        case(op.lower() + "_2d_ceil_pads", op, Draw(1, 1, 4, 5), kernel_shape=[3, 3], strides=[3, 3], ceil_mode=1,
             pads=[1] * 4)
        case("global" + op.lower(), "Global" + op, Draw(1, 3, 2, 3))
        case("global" + op.lower() + "_1d", "Global" + op, Draw(2, 2, 4))
    case("averagepool_2d_pads_count_include_pad", "AveragePool", Draw(1, 1, 4, 4), kernel_shape=[3, 3], pads=[2] * 4,
         count_include_pad=1)
    case("averagepool_2d_ceil_pads_count_include_pad", "AveragePool", Draw(1, 1, 4, 4), kernel_shape=[3, 3],
         pads=[1] * 4,
         strides=[2, 2], ceil_mode=1, count_include_pad=1)
    case("lppool_2d_p1", "LpPool", Draw(1, 1, 4, 4), kernel_shape=[2, 2], p=1)
    case("lppool_2d_p3", "LpPool", Draw(1, 1, 4, 4), kernel_shape=[2, 2], p=3)
    case("maxpool_negative", "MaxPool", Draw(1, 1, 3, 3, low=-5, high=-1), kernel_shape=[2, 2], pads=[1] * 4)
    case("maxpool_nan", "MaxPool", floats(1, NAN, 2, 3, -INF, -INF, 0, 1).reshape(1, 1, 2, 4), kernel_shape=[2, 2],
         strides=[2, 2], grad=False)


def normalizations():
    positive = {"low": 0.5, "high": 2.0}
    for name, shape in (("example", (2, 3, 1, 2)), ("1d", (4, 2)), ("1d_3d_input", (2, 2, 3)), ("3d", (1, 2, 1, 2, 2))):
        v = Draw(shape[1])
        x, inputs = Draw(*shape), (Draw(shape[1]), Draw(shape[1]), v, Draw(shape[1], **positive))
        case("batchnorm_" + name, "BatchNormalization", x, *inputs)
        case(f"batchnorm_{name}_training_mode", "BatchNormalization", x, *inputs, training_mode=1, momentum=0.7)
    inputs = Draw(2, 2, 2), Draw(2), Draw(2), Draw(2), Draw(2, **positive)
    case("batchnorm_epsilon", "BatchNormalization", *inputs, epsilon=1e-2)
    case("batchnorm_epsilon_training_mode", "BatchNormalization", *inputs, epsilon=1e-2, training_mode=1)
    case("instancenorm_example", "InstanceNormalization", Draw(2, 2, 1, 3), Draw(2), Draw(2))
    case("instancenorm_epsilon", "InstanceNormalization", Draw(1, 3, 4), Draw(3), Draw(3), epsilon=1e-2)
    case("group_normalization_example", "GroupNormalization", Draw(2, 4, 1, 2), Draw(4), Draw(4), num_groups=2)
    case("group_normalization_epsilon", "GroupNormalization", Draw(1, 4, 3), Draw(4), Draw(4), num_groups=2,
         epsilon=1e-2)
    for shape, epsilon in (((3, 4), {}), ((2, 3, 2), {"epsilon": 1e-1}), ((2, 1, 2, 3), {})):
        for axis in range(-len(shape), len(shape)):
            name = f"{len(shape)}d_axis{axis}".replace("axis-", "axis_negative_") + ("_epsilon" if epsilon else "")
            scale, bias = Draw(*shape[axis:]), Draw(*shape[axis:])
            case("layer_normalization_" + name, "LayerNormalization", Draw(*shape), scale, bias, axis=axis, **epsilon)
            case("rms_normalization_" + name, "RMSNormalization", Draw(*shape), scale, axis=axis, **epsilon)
    case("layer_normalization_default_axis", "LayerNormalization", Draw(2, 3), Draw(3), Draw(3))
    case("layer_normalization_no_bias", "LayerNormalization", Draw(2, 3), Draw(3))
    case("rms_normalization_default_axis", "RMSNormalization", Draw(2, 3), Draw(3))
    case("mvn", "MeanVarianceNormalization", Draw(2, 2, 2, 1))
    case("mvn_axes", "MeanVarianceNormalization", Draw(2, 3, 2), axes=[1, 2])
    for p in (1, 2):
        for axis in (0, 1, -1):
            name = f"l{p}normalization_axis_{axis}".replace("-1", "last")
            case(name, "LpNormalization", Draw(2, 3, 2), axis=axis, p=p)
    case("lpnormalization_default", "LpNormalization", Draw(2, 3))
    case("lrn", "LRN", Draw(1, 4, 2, 2), size=3, alpha=0.2, beta=0.5, bias=2.0)
    case("lrn_even", "LRN", Draw(2, 5, 2), size=4, alpha=0.5)
    case("lrn_default", "LRN", Draw(1, 4, 2, 1), size=3)


def losses():
    for op, short in (("NegativeLogLikelihoodLoss", "nllloss"), ("SoftmaxCrossEntropyLoss", "sce")):
        for name, inner in (("NC", ()), ("NCd1", (2,)), ("NCd1d2", (2, 2)), ("NCd1d2d3d4d5", (1, 2, 1, 1, 2))):
            x, target = Draw(3, 4, *inner), np.resize(ints(2, 0, 3, 1, 2), (3, *inner))
            for reduction in ("none", "mean", "sum"):
                case(f"{short}_{name}_{reduction}", op, x, target, reduction=reduction)
        x, target, weight = Draw(3, 4, 2), ints(2, 0, 3, 1, 2, 0).reshape(3, 2), Draw(4, low=0.2)
        for reduction in ("none", "mean", "sum"):
            case(f"{short}_NCd1_{reduction}_weight", op, x, target, weight, reduction=reduction)
            case(f"{short}_NCd1_{reduction}_weight_ii", op, x, target, weight, reduction=reduction, ignore_index=0)
        negative = ints(2, -1, 3, 1, 2, -1).reshape(3, 2)
        case(f"{short}_NCd1_mean_weight_negative_ii", op, x, negative, weight, ignore_index=-1)
        case(f"{short}_NCd1_mean_no_weight_high_ii", op, x, target + 9 * (target == 1), ignore_index=10)
        case(f"{short}_default", op, Draw(3, 4), ints(3, 0, 1))


def recurrences():
    for op, gates in (("RNN", 1), ("LSTM", 4), ("GRU", 3)):
        name, batch, inner, hidden = op.lower(), 2, 2, 2
        x, small = Draw(3, batch, inner), {"low": -0.9, "high": 0.9}

        def weights(directions=1):
            return (Draw(directions, gates * hidden, inner, **small), Draw(directions, gates * hidden, hidden, **small),
                    Draw(directions, 2 * gates * hidden, **small))

        w, r, b = weights()
        states = [Draw(1, batch, hidden)] * (2 if op == "LSTM" else 1)
        case(name + "_defaults", op, Draw(1, batch, inner), w, r, hidden_size=hidden)
        case(name + "_with_initial_bias", op, Draw(1, batch, inner), w, r, b, hidden_size=hidden)
        case(name + "_seq_length", op, x, w, r, b, hidden_size=hidden)
        case(name + "_initial_state", op, x, w, r, b, None, *states, hidden_size=hidden)
        case(name + "_reverse", op, x, w, r, b, hidden_size=hidden, direction="reverse")
        case(name + "_bidirectional", op, x, *weights(2), hidden_size=hidden, direction="bidirectional")
        case(name + "_batchwise", op, Draw(2, 3, inner), w, r, b, None, *[Draw(2, 1, hidden)] * len(states),
             hidden_size=hidden, layout=1)
        if op == "GRU":
            case("gru_linear_before_reset", op, x, w, r, b, None, *states, hidden_size=hidden, linear_before_reset=1)
        if op == "LSTM":
            case("lstm_with_peepholes", op, x, w, r, b, None, *states, Draw(1, 3 * hidden, **small), hidden_size=hidden)
    case("rnn_activations", "RNN", Draw(3, 2, 2), Draw(2, 2, 2), Draw(2, 2, 2), hidden_size=2,
         direction="bidirectional",
         activations=["Sigmoid", "Relu"])


def attentions():
    q, k, v = Draw(1, 2, 3, 2), Draw(1, 2, 3, 2), Draw(1, 2, 3, 2)
    case("attention_4d", "Attention", q, k, v)
    case("attention_4d_causal", "Attention", q, k, v, is_causal=1)
    case("attention_4d_scaled", "Attention", q, k, v, scale=0.01)
    case("attention_4d_softcap", "Attention", q, k, v, softcap=2.0)
    case("attention_4d_attn_mask", "Attention", q, k, v, Draw(3, 3))
    case("attention_4d_diff_heads_sizes", "Attention", q, Draw(1, 2, 4, 2), Draw(1, 2, 4, 3))
    case("attention_4d_gqa", "Attention", Draw(1, 4, 2, 2), Draw(1, 2, 3, 2), Draw(1, 2, 3, 1))
    case("attention_4d_with_past_and_present", "Attention", q, k, v, None, Draw(1, 2, 1, 2), Draw(1, 2, 1, 2))
    case("attention_3d", "Attention", Draw(2, 2, 4), Draw(2, 3, 4), Draw(2, 3, 4), q_num_heads=2, kv_num_heads=2)
    case("attention_3d_gqa_causal", "Attention", Draw(1, 3, 4), Draw(1, 3, 2), Draw(1, 3, 4), q_num_heads=4,
         kv_num_heads=2,
         is_causal=1)
    x, ratio, yes = Draw(2, 3), floats(0.1).reshape(()), ints(1).reshape(())
    case("dropout_default", "Dropout", x)
    case("dropout_default_ratio", "Dropout", Draw(2, 3), ratio, grad=False)
    case("training_dropout_zero_ratio", "Dropout", x, floats(0).reshape(()), yes, grad=False)


def training():
    rate, x, y = floats(0.1).reshape(()), floats(1.2, 2.8), floats(1.0, -2.0)
    first, later = ints(0).reshape(()), ints(3).reshape(())
    g, v, h = floats(-0.94, -2.5), floats(1.7, 3.6), floats(0.1, 0.2)
    for name, count in (("", first), ("_later", later)):
        case("adagrad" + name, "Adagrad", rate, count, x, g, h, grad=False, norm_coefficient=0.001, epsilon=1e-5,
             decay_factor=0.1)
        case("adam_default" + name, "Adam", rate, count, x, g, v, h, grad=False)
        case("adam" + name, "Adam", rate, count, x, g, v, h, grad=False, norm_coefficient=0.001, alpha=0.95, beta=0.1,
             epsilon=1e-7)
        case("momentum" + name, "Momentum", rate, count, x, g, v, grad=False, norm_coefficient=0.001, alpha=0.95,
             beta=0.1,
             mode="standard")
    case("nesterov_momentum", "Momentum", rate, first, x, g, v, grad=False, norm_coefficient=0.01, alpha=0.95, beta=1.0,
         mode="nesterov")
    case("adagrad_multiple", "Adagrad", rate, first, x, y, g, -g, h, v, grad=False, norm_coefficient=0.001,
         epsilon=1e-5,
         decay_factor=0.1)
    case("adam_multiple", "Adam", rate, first, x, y, g, -g, v, h, h, v, grad=False, alpha=0.95, beta=0.85, epsilon=1e-2,
         norm_coefficient_post=0.25)
    case("momentum_multiple", "Momentum", rate, first, x, y, g, -g, v, h, grad=False, norm_coefficient=0.001,
         alpha=0.95,
         beta=0.85, mode="standard")
