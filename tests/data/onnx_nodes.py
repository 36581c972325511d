#!/usr/bin/env python3
"""Writes onnx_nodes.json: cases for the operators of ONNX that the library can serve, a line each.

Values come from onnx_operators.py and onnx_layers.py. A case has the name of the official node test where it is of the
same kind; the numbers are others. It needs NumPy: /usr/bin/python3 tests/data/onnx_nodes.py
"""

import json
import pathlib
import re
import sys
from itertools import permutations

import numpy as np

sys.dont_write_bytecode = True
from onnx_case import INF, NAN, Draw, case, cases, floats, ints
from onnx_layer_nodes import attentions, losses, normalizations, recurrences, training, windows


def functions():
    for op in ("Abs Neg Exp Sin Cos Sinh Cosh Tanh Sigmoid Erf Relu LeakyRelu Elu Celu Selu Gelu Softplus Softsign "
               "Mish Swish HardSigmoid HardSwish ThresholdedRelu Shrink Atan Asinh Identity Reciprocal").split():
        case(op.lower(), op, Draw(2, 3, 2))
    for op in "Asin Acos Atanh Tan".split():
        case(op.lower(), op, Draw(3, 2, low=-0.95, high=0.95))
    for op, low in (("Log", 0.1), ("Sqrt", 0.1), ("Acosh", 1.1)):
        case(op.lower(), op, Draw(2, 3, 2, low=low, high=6))
    far = floats(-1e4, -100, -30, 30, 100, 1e4)  # nothing may overflow on the way
    for op in "Tanh Sigmoid Erf Relu LeakyRelu Elu Selu Softplus Softsign Gelu Mish Swish HardSigmoid".split():
        case(op.lower() + "_far", op, far)
    edges = floats(-INF, INF, NAN, 0)
    for op in "Abs Neg Exp Log Sqrt Reciprocal Tanh Sigmoid Erf Relu LeakyRelu Elu Softplus IsNaN Sign Asinh".split():
        case(op.lower() + "_edges", op, edges, grad=False)
    steps = floats(-2.5, -1.5, -0.5, -0.2, 0, 0.2, 0.5, 1.5, 2.5, 3)
    for op in "Sign Ceil Floor Round".split():
        case(op.lower(), op, steps, grad=False)
    case("isinf", "IsInf", floats(-INF, INF, NAN, 1), grad=False)
    case("isinf_negative", "IsInf", floats(-INF, INF, NAN, 1), grad=False, detect_positive=0)
    case("isinf_positive", "IsInf", floats(-INF, INF, NAN, 1), grad=False, detect_negative=0)
    case("isnan", "IsNaN", floats(-INF, INF, NAN, 1), grad=False)
    case("relu_0", "Relu", floats(0, -0.0), grad=False)
    case("leakyrelu_alpha", "LeakyRelu", Draw(2, 4), alpha=0.1)
    case("leakyrelu_with_negval", "LeakyRelu", Draw(3, 2), alpha=-0.5)
    case("elu_example", "Elu", Draw(2, 4), alpha=2.0)
    case("celu_alpha", "Celu", Draw(2, 4), alpha=2.0)
    case("selu_example", "Selu", Draw(2, 4), alpha=2.0, gamma=3.0)
    case("gelu_tanh", "Gelu", Draw(2, 4), approximate="tanh")
    case("gelu_tanh_far", "Gelu", far, approximate="tanh")
    case("hardsigmoid_example", "HardSigmoid", Draw(2, 4), alpha=0.5, beta=0.6)
    case("hardswish_outside", "HardSwish", Draw(2, 4, low=-6, high=6))
    case("thresholdedrelu_example", "ThresholdedRelu", Draw(2, 4), alpha=0.6)
    case("shrink_soft", "Shrink", Draw(2, 4), lambd=0.9, bias=0.9)
    case("shrink_hard", "Shrink", Draw(2, 4), lambd=0.9)
    case("swish_alpha", "Swish", Draw(2, 4), alpha=1.5)
    case("identity_scalar", "Identity", floats(1.5).reshape(()))
    case("abs_empty", "Abs", np.zeros((2, 0, 3)))


def arithmetic():
    for op, low in (("Add", -2), ("Sub", -2), ("Mul", -2), ("Div", 0.5)):
        case(op.lower(), op, Draw(2, 3), Draw(2, 3, low=low, high=2.5))
        case(op.lower() + "_bcast", op, Draw(2, 3, 2), Draw(2, low=low, high=2.5))
        case(op.lower() + "_bcast_both", op, Draw(2, 1, 2), Draw(3, 1, low=low, high=2.5))
        case(op.lower() + "_scalar", op, Draw(2, 3), floats(1.5).reshape(()))
        case(op.lower() + "_empty", op, np.zeros((0, 3)), Draw(3, low=low))
        case(op.lower() + "_edges", op, floats(INF, INF, -INF, NAN, 1, 0), floats(INF, -INF, 0, 1, 0, 0), grad=False)
    case("pow", "Pow", Draw(2, 3, low=0.5, high=3), Draw(2, 3))
    case("pow_bcast_scalar", "Pow", Draw(2, 3, low=0.5, high=3), floats(2.5).reshape(()))
    case("pow_bcast_array", "Pow", Draw(2, 3, low=0.5, high=3), Draw(3))
    case("pow_example", "Pow", floats(-2, 3, -0.5), ints(2, 3, -1))
    case("pow_exponent_0", "Pow", floats(4, 0.5), floats(0, 0))
    case("pow_edges", "Pow", floats(0, 0, 2, -2, INF, NAN), floats(0, 2, INF, 0.5, -1, 0), grad=False)
    case("mod_mixed_sign_float64", "Mod", floats(-4.3, 7.2, 5, 4.3, -7.2, 8), floats(2.1, -3.4, 8, -2.1, 3.4, 5),
         fmod=1,
         grad=False)
    case("mod_mixed_sign_int64", "Mod", ints(-4, 7, 5, 4, -7, 8), ints(2, -3, 8, -2, 3, 5))
    case("mod_broadcast", "Mod", ints(0, 1, 2, 3, 4, 5).reshape(2, 3), ints(4))
    for op in "Max Min Mean Sum".split():
        case(op.lower() + "_example", op, Draw(3), Draw(3, low=-1.7, high=1.5), Draw(3, low=-1.2, high=2.6))
        case(op.lower() + "_one_input", op, Draw(3))
        case(op.lower() + "_two_inputs", op, Draw(2, 3), Draw(3, low=-1.7, high=2.6))
        case(op.lower() + "_edges", op, floats(NAN, 1, INF, -INF), floats(1, NAN, 0, 0), grad=False)
    case("max_equal", "Max", floats(1, 2), floats(1, 2), grad=False)
    for op in "Equal Greater GreaterOrEqual Less LessOrEqual".split():
        case(op.lower(), op, floats(1, 2, 3, NAN, INF), floats(2, 2, 1, NAN, INF), grad=False)
        case(op.lower() + "_bcast", op, ints(0, 1, 2, 3, 4, 5).reshape(2, 3), ints(1, 0, 5))
    for op in "And Or Xor".split():
        case(op.lower() + "2d", op, ints(0, 0, 1, 1).reshape(2, 2), ints(0, 1, 0, 1).reshape(2, 2))
        case(op.lower() + "_bcast3v1d", op, ints(0, 1, 1, 0).reshape(2, 1, 2), ints(0, 1))
    case("not_2d", "Not", ints(0, 1, 1, 0).reshape(2, 2))
    case("where_example", "Where", ints(1, 0, 1, 1).reshape(2, 2), Draw(2, 2), Draw(2, 2))
    case("where_bcast", "Where", ints(1, 0).reshape(2, 1), Draw(3), floats(0.5).reshape(()))
    case("where_edges", "Where", ints(1, 0, 1), floats(1, NAN, INF), floats(NAN, 2, NAN), grad=False)
    low, high = floats(-1.1).reshape(()), floats(1.15).reshape(())
    case("clip", "Clip", Draw(2, 3, 2), low, high)
    case("clip_inbounds", "Clip", Draw(3, low=-1, high=1), low, high)
    case("clip_outbounds", "Clip", floats(-2, 2, 3), low, high)
    case("clip_default_min", "Clip", Draw(2, 3), low)
    case("clip_default_max", "Clip", Draw(2, 3), None, high)
    case("clip_default_inbounds", "Clip", Draw(2, 3))
    case("clip_min_greater_than_max", "Clip", Draw(2, 3), floats(2.5).reshape(()), floats(1.15).reshape(()))
    case("clip_edges", "Clip", floats(-INF, INF, NAN), low, high, grad=False)
    case("prelu_example", "PRelu", Draw(2, 3), Draw(2, 3))
    case("prelu_broadcast", "PRelu", Draw(2, 3, 2), Draw(2))
    case("prelu_channels", "PRelu", Draw(2, 3, 2), Draw(3, 1))


def reductions():
    shape = (3, 2, 2)
    for op in ("ReduceSum ReduceMean ReduceProd ReduceMax ReduceMin ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum "
               "ReduceLogSumExp").split():
        name = re.sub("(?=[A-Z][^0-9])|(?=L[12])", "_", op).lower().lstrip("_")
        x = Draw(*shape, low=0.3) if op == "ReduceLogSum" else Draw(*shape)
        case(name + "_default_axes_keepdims", op, x, keepdims=1)
        case(name + "_do_not_keepdims", op, x, ints(1), keepdims=0)
        case(name + "_keepdims", op, x, ints(1), keepdims=1)
        case(name + "_negative_axes_keepdims", op, x, ints(-2), keepdims=1)
        case(name + "_asc_axes", op, x, ints(0, 1), keepdims=0)
        case(name + "_desc_axes", op, x, ints(2, -3), keepdims=0)
        if op in ("ReduceSum", "ReduceMean", "ReduceProd", "ReduceMax", "ReduceMin"):
            case(name + "_empty_axes_input_noop", op, x, ints(), noop_with_empty_axes=1)
        case(name + "_scalar", op, floats(1.5).reshape(()))
        if op != "ReduceMean":  # the mean of nothing is 0 / 0
            case(name + "_empty_set", op, np.zeros((2, 0, 4)), ints(1), keepdims=1)
        case(name + "_empty_set_non_reduced_axis_zero", op, np.zeros((2, 0, 4)), ints(2), keepdims=1)
        case(name + "_nan", op, floats(1, NAN, 2, 3).reshape(2, 2), ints(1), grad=False)
    case("reduce_log_sum_exp_large", "ReduceLogSumExp", floats(1e4, 1e4, -1e4, -1e4).reshape(2, 2), ints(1))
    case("reduce_log_sum_exp_infinite", "ReduceLogSumExp", floats(INF, 0, -INF, -2).reshape(2, 2), ints(1), grad=False)
    case("reduce_max_equal", "ReduceMax", floats(2, 2, 1, 3).reshape(2, 2), ints(1), grad=False)
    case("reduce_sum_large", "ReduceSum", floats(1e8, 1, -1e8, 3), grad=False)
    for axis in (0, 1, -1):
        case(f"cumsum_2d_axis_{axis}".replace("-", "negative_"), "CumSum", Draw(2, 3), ints(axis).reshape(()))
    for name in ("exclusive", "reverse", "reverse_exclusive"):
        flags = {flag: 1 for flag in name.split("_")}
        case("cumsum_1d_" + name, "CumSum", Draw(5), ints(0).reshape(()), **flags)
    for op in ("Softmax", "LogSoftmax"):
        for axis in (0, 1, 2, -1):
            case(f"{op}_axis_{axis}".lower().replace("-", "negative_"), op, Draw(2, 3, 2), axis=axis)
        case(op.lower() + "_default_axis", op, Draw(2, 3))
        case(op.lower() + "_large_number", op, floats(0, 1, 2, 3, 1e8, 1e8, 1e8, 0).reshape(2, 4), grad=False)
        case(op.lower() + "_far_apart", op, floats(-800, 0, 800))
        case(op.lower() + "_masked", op, floats(-INF, 0, 1), grad=False)


def shapes():
    case("constant", "Constant", value=floats(1.5, -2, 0.25, 3).reshape(2, 2))
    case("constantofshape_float_ones", "ConstantOfShape", ints(2, 3), value=floats(1.0))
    case("shape", "Shape", Draw(3, 4, 5), grad=False)
    case("shape_start_1_end_negative_1", "Shape", Draw(3, 4, 5), grad=False, start=1, end=-1)
    case("shape_clip_end", "Shape", Draw(3, 4, 5), grad=False, end=10)
    case("cast_to_whole", "Cast", floats(-1.7, -1, 0, 0.5, 3.9), grad=False, to=7)
    case("cast_to_truth", "Cast", floats(-1.7, 0, 0.5), grad=False, to=9)
    case("cast_to_float", "Cast", Draw(2, 3), to=1)
    case("constantofshape_empty", "ConstantOfShape", ints(0, 2))
    for name, shape in {"reordered_all_dims": (4, 2, 3), "reordered_last_dims": (2, 4, 3), "reduced_dims": (2, 12),
                        "extended_dims": (2, 3, 2, 2), "one_dim": (24,), "negative_dim": (2, -1, 2),
                        "zero_dim": (2, 0, 4, 1),
                        "negative_extended_dims": (-1, 2, 3, 4), "zero_and_negative_dim": (2, 0, 1, -1)}.items():
        case("reshape_" + name, "Reshape", Draw(2, 3, 4), ints(*shape))
    case("reshape_allowzero_reordered", "Reshape", np.zeros((0, 3, 4)), ints(3, 4, 0), allowzero=1)
    for axis in range(-3, 4):
        case(f"flatten_axis{axis}".replace("axis-", "negative_axis"), "Flatten", Draw(2, 3, 2), axis=axis)
    case("flatten_default_axis", "Flatten", Draw(2, 3, 2))
    case("squeeze", "Squeeze", Draw(1, 3, 1, 2), ints(0))
    case("squeeze_negative_axes", "Squeeze", Draw(1, 3, 1, 2), ints(-2))
    case("squeeze_all", "Squeeze", Draw(1, 3, 1, 2))
    for name, axes in {"axis_0": (0,), "axis_1": (1,), "axis_2": (2,), "negative_axes": (-2,), "two_axes": (1, 4),
                       "three_axes": (2, 4, 5), "unsorted_axes": (5, 4, 2)}.items():
        case("unsqueeze_" + name, "Unsqueeze", Draw(2, 3, 2), ints(*axes))
    case("expand_dim_changed", "Expand", Draw(3, 1), ints(2, 1, 4))
    case("expand_dim_unchanged", "Expand", Draw(3, 1), ints(3, 4))
    case("expand_smaller", "Expand", Draw(2, 3), ints(1, 3))
    case("transpose_default", "Transpose", Draw(2, 3, 2))
    for i, perm in enumerate(permutations(range(3))):
        case(f"transpose_all_permutations_{i}", "Transpose", Draw(2, 3, 2), perm=perm)
    for rank in (1, 2, 3):
        for axis in range(-rank, rank):
            name = f"concat_{rank}d_axis_{axis}".replace("-", "negative_")
            parts = [[2] * rank, [2] * rank]
            parts[1][axis] = 3
            case(name, "Concat", *(Draw(*part) for part in parts), axis=axis)
    case("concat_empty", "Concat", Draw(2, 2), np.zeros((2, 0)), axis=1)
    for name, shape, axis in (("1d", (6,), 0), ("2d", (2, 6), 1), ("negative_axis", (2, 6), -1)):
        case("split_equal_parts_" + name, "Split", Draw(*shape), axis=axis, num_outputs=3)
        case("split_variable_parts_" + name, "Split", Draw(*shape), ints(2, 4), axis=axis)
        case("split_zero_size_splits_" + name, "Split", Draw(*shape), ints(0, 6, 0), axis=axis)
        case("split_uneven_" + name, "Split", Draw(*shape), axis=axis, num_outputs=4)
    case("split_equal_parts_default_axis", "Split", Draw(4, 2), num_outputs=2)
    x = Draw(4, 5)
    case("slice", "Slice", x, ints(0, 0), ints(3, 4), ints(0, 1), ints(1, 1))
    case("slice_neg", "Slice", x, ints(1), ints(-1), ints(1), ints(1))
    case("slice_start_out_of_bounds", "Slice", x, ints(1000), ints(1000), ints(1), ints(1))
    case("slice_end_out_of_bounds", "Slice", x, ints(1), ints(1000), ints(1), ints(1))
    case("slice_default_axes", "Slice", x, ints(0, 1), ints(3, 4))
    case("slice_default_steps", "Slice", x, ints(0, 1), ints(3, 4), ints(0, 1))
    case("slice_negative_axes", "Slice", x, ints(0, 1), ints(3, 4), ints(0, -1))
    case("slice_steps", "Slice", x, ints(0, 1), ints(4, 5), ints(0, 1), ints(2, 3))
    case("slice_neg_steps", "Slice", x, ints(20, 4), ints(0, -1000), ints(0, 1), ints(-1, -2))
    case("tile", "Tile", Draw(2, 1, 2), ints(2, 3, 1))
    case("tile_precomputed", "Tile", Draw(2, 2), ints(2, 2))
    case("tile_nothing", "Tile", Draw(2, 2), ints(1, 0))
    for upper in (0, 1):
        for k in (None, 1, -1, 5, -5):
            name = ("triu" if upper else "tril") + ("" if k is None else f"_{k}".replace("-", "neg_"))
            case(name, "Trilu", Draw(2, 3, 4), *([] if k is None else [ints(k).reshape(())]), upper=upper)
    case("constant_pad", "Pad", Draw(2, 3), ints(1, 0, 2, 1), floats(1.5).reshape(()))
    case("constant_pad_axes", "Pad", Draw(2, 3, 1), ints(0, 3, 0, 4), floats(1.5).reshape(()), ints(1, 2))
    case("constant_pad_negative_axes", "Pad", Draw(1, 2, 2), ints(0, 2, 0, 1), floats(1.5).reshape(()), ints(-3, -1))
    case("zero_pad", "Pad", Draw(1, 1, 2, 3), ints(0, 0, 1, 2, 0, 0, 3, 0))
    for mode in ("edge", "reflect", "wrap"):
        case(mode + "_pad", "Pad", Draw(1, 3, 4), ints(0, 1, 2, 0, 2, 1), mode=mode)
    for mode in ("DCR", "CRD"):
        case(f"depthtospace_{mode.lower()}_mode", "DepthToSpace", Draw(1, 8, 2, 2), blocksize=2, mode=mode)
    case("spacetodepth", "SpaceToDepth", Draw(1, 2, 4, 2), blocksize=2)


def indexing():
    x = Draw(4, 3, 2)
    case("gather_0", "Gather", x, ints(0, 1, 3), axis=0)
    case("gather_1", "Gather", x, ints(0, 2), axis=1)
    case("gather_2d_indices", "Gather", Draw(3, 3), ints(0, 2).reshape(1, 2), axis=1)
    case("gather_negative_indices", "Gather", x, ints(0, -1, -4), axis=0)
    case("gather_negative_axis", "Gather", x, ints(1, 1, 0), axis=-1)
    case("gather_scalar", "Gather", x, ints(1).reshape(()), axis=1)
    case("gather_nothing", "Gather", x, np.zeros(0, dtype=np.int64), axis=0)
    case("gather_elements_0", "GatherElements", Draw(3, 3), ints(1, 2, 0, 2, 0, 0).reshape(2, 3), axis=0)
    case("gather_elements_1", "GatherElements", Draw(2, 2), ints(0, 0, 1, 0).reshape(2, 2), axis=1)
    case("gather_elements_negative_indices", "GatherElements", Draw(3, 3), ints(-1, -2, 0, -2, 0, 0).reshape(2, 3),
         axis=0)
    case("gathernd_example", "GatherND", Draw(2, 2), ints(0, 0, 1, 1).reshape(2, 2))
    case("gathernd_rows", "GatherND", Draw(2, 2, 2), ints(0, 1, -1, 0).reshape(2, 1, 2))
    case("gathernd_batch", "GatherND", Draw(2, 3, 2), ints(2, -1).reshape(2, 1), batch_dims=1)
    case("gathernd_batch_of_two", "GatherND", Draw(2, 2, 3), ints(2, 0, -1, 1).reshape(2, 2, 1, 1), batch_dims=2)
    rows = ints(1, 0, 2, 0, 2, 1).reshape(2, 3)
    case("scatter_elements_without_axis", "ScatterElements", Draw(3, 3), rows, Draw(2, 3))
    case("scatter_elements_with_axis", "ScatterElements", Draw(1, 5), ints(1, 3).reshape(1, 2), Draw(1, 2), axis=1)
    case("scatter_elements_with_negative_indices", "ScatterElements", Draw(1, 5), ints(1, -2).reshape(1, 2), Draw(1, 2),
         axis=1)
    case("scatter_elements_with_duplicate_indices", "ScatterElements", Draw(1, 5), ints(1, 1).reshape(1, 2), Draw(1, 2),
         axis=1, reduction="add")
    for name, axis in (("with_axis", 1), ("with_negative_axis", -2), ("without_axis", -1)):
        case("onehot_" + name, "OneHot", ints(0, 2, 1, 2).reshape(2, 2), ints(3).reshape(()), ints(0, 5), axis=axis)
    case("onehot_negative_indices", "OneHot", ints(0, -1, -3), ints(3).reshape(()), ints(1, 3))
    case("onehot_out_of_range_indices", "OneHot", ints(0, 7, -9), ints(3).reshape(()), ints(1, 3))


def products():
    for name, a, b in (("1d_1d", (3,), (3,)), ("1d_3d", (2,), (2, 2, 1)), ("2d", (3, 4), (4, 3)),
                       ("3d", (2, 3, 2), (2, 2, 3)),
                       ("4d", (1, 2, 3, 2), (1, 2, 2, 3)), ("4d_1d", (1, 2, 2, 3), (3,)),
                       ("bcast", (2, 1, 2, 3), (2, 3, 2)),
                       ("row", (1, 4), (4, 3)), ("matrices_by_one", (3, 2, 2), (2, 2))):
        case("matmul_" + name, "MatMul", Draw(*a), Draw(*b))
    case("matmul_inner_0", "MatMul", np.zeros((2, 0)), np.zeros((0, 3)))
    case("matmul_rows_0", "MatMul", np.zeros((0, 2)), Draw(2, 3))
    a, b = Draw(3, 4), Draw(4, 2)
    case("gemm_all_attributes", "Gemm", Draw(4, 3), Draw(2, 4), Draw(1, 2), alpha=0.25, beta=0.35, transA=1, transB=1)
    case("gemm_alpha", "Gemm", a, b, alpha=0.5)
    case("gemm_beta", "Gemm", a, b, Draw(1, 2), beta=0.5)
    case("gemm_default_no_bias", "Gemm", a, b)
    case("gemm_default_scalar_bias", "Gemm", a, b, floats(3.14).reshape(()))
    case("gemm_default_single_elem_vector_bias", "Gemm", a, b, Draw(1))
    case("gemm_default_vector_bias", "Gemm", a, b, Draw(1, 2))
    case("gemm_default_matrix_bias", "Gemm", a, b, Draw(3, 2))
    case("gemm_column_bias", "Gemm", a, b, Draw(3, 1))
    case("gemm_transposeA", "Gemm", Draw(4, 3), b, transA=1)
    case("gemm_transposeB", "Gemm", a, Draw(2, 4), transB=1)


for group in (functions, arithmetic, reductions, shapes, indexing, products, windows, normalizations, losses,
              recurrences,
              attentions, training):
    group()
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
pathlib.Path(__file__).with_name("onnx_nodes.json").write_text(
    '{"source":"tests/data/onnx_nodes.py, float64","cases":[\n' + lines + "\n]}\n"
)
