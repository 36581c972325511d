// What both sides of ONNX's format know. Not installed: it includes protobuf's headers.
#pragma once

#include <xgrad/core/file.h>
#include <xgrad/core/tensor.h>

#ifdef XGRAD_HAS_ONNX

#define ONNX_ML 1
#define ONNX_NAMESPACE onnx
#include <onnx/onnx_pb.h>

namespace xgrad::onnx {

namespace proto = ::onnx;

inline constexpr std::int64_t saved_opset = 17, first_opset = 13, last_opset = 23;
/// A tensor of a file. DataError, which names it as `what`, where its elements are in another file, are not as many as
/// its shape says, have a type that is unknown, or are not what Scalar holds exactly.
Tensor read_tensor(InputFile& file, const proto::TensorProto& tensor, const std::string& what);

inline constexpr auto scalar_type = sizeof(Scalar) == 4 ? proto::TensorProto::FLOAT : proto::TensorProto::DOUBLE;

}  // namespace xgrad::onnx

#endif
