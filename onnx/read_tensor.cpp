#include <xgrad/core/elements.h>
#include <xgrad/onnx/format.h>

#ifdef XGRAD_HAS_ONNX

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

namespace xgrad::onnx {
namespace {

struct Reader {
  InputFile& file;
  const proto::TensorProto& tensor;
  const std::string& what;

  // The elements are bytes, or in a list of their own type or a wider one.
  template <class Element, class List, class Number = std::identity>
  void fill(const List& list, Tensor& to, Number number = {}) const {
    const bool raw = tensor.has_raw_data();
    const std::size_t expected = raw ? to.size() * sizeof(Element) : to.size();
    const std::size_t got = raw ? tensor.raw_data().size() : static_cast<std::size_t>(list.size());
    if (got != expected)
      file.fail(what, ": expected ", expected, raw ? " bytes" : " elements", " for ", to.shape(), ", got ", got);
    for (std::size_t i = 0; i < to.size(); ++i) {
      Element element;
      if (raw) std::memcpy(&element, tensor.raw_data().data() + i * sizeof element, sizeof element);
      to.data()[i] = exact(raw ? number(element) : number(list.Get(static_cast<int>(i))));
    }
  }

  // Lists have the bits as whole numbers.
  template <class Short>
  void fill_short(Tensor& to) const {
    fill<std::uint16_t>(tensor.int32_data(), to, [this](std::int32_t bits) {
      if (bits < 0 || bits > UINT16_MAX) file.fail(what, ": expected 16 bits for an element, got ", bits);
      return Short{static_cast<std::uint16_t>(bits)}.number();
    });
  }

  template <class Element>
  Scalar exact(Element element) const {
    const auto number = static_cast<double>(element);
    // As the end of a slice, the greatest of all numbers mean "to the end", however they are rounded.
    const bool far = std::is_same_v<Element, std::int64_t> && std::abs(number) >= 0x1p62;
    const bool within = !std::isfinite(number) || std::abs(number) <= std::numeric_limits<Scalar>::max();
    const auto value = static_cast<Scalar>(within ? element : Element());
    if (std::isnan(number) || far || (within && static_cast<long double>(value) == static_cast<long double>(element)))
      return value;
    file.fail(what, ": expected numbers that ", sizeof(Scalar) == 4 ? "float" : "double", " holds exactly, got ",
              number);
  }
};

}  // namespace

Tensor read_tensor(InputFile& file, const proto::TensorProto& tensor, const std::string& what) {
  if (tensor.data_location() == proto::TensorProto::EXTERNAL || tensor.external_data_size() > 0)
    file.fail(what, ": expected its elements in this file, got the name of another one");
  if (tensor.has_segment()) file.fail(what, ": expected a whole tensor, got a segment");
  Shape shape;
  std::uintmax_t count = 1;
  for (const std::int64_t size : tensor.dims()) {
    if (size < 0) file.fail(what, ": expected a shape, got the size ", size);
    const auto next = static_cast<std::uintmax_t>(size);
    if (next > 0 && count > file.size() / next)  // an element takes a byte or more
      file.fail(what, ": expected elements for its shape, got fewer bytes");
    count *= next;
    shape.push_back(next);
  }
  file.claim(count * sizeof(Scalar));
  Tensor result = uninitialized(shape, "load_onnx");
  const Reader reader{file, tensor, what};
  using Type = proto::TensorProto;
  switch (tensor.data_type()) {
    case Type::FLOAT:
      reader.fill<float>(tensor.float_data(), result);
      break;
    case Type::DOUBLE:
      reader.fill<double>(tensor.double_data(), result);
      break;
    case Type::FLOAT16:
      reader.fill_short<elements::Half>(result);
      break;
    case Type::BFLOAT16:
      reader.fill_short<elements::BrainFloat>(result);
      break;
    case Type::INT64:
      reader.fill<std::int64_t>(tensor.int64_data(), result);
      break;
    case Type::INT32:
      reader.fill<std::int32_t>(tensor.int32_data(), result);
      break;
    case Type::INT8:
      reader.fill<std::int8_t>(tensor.int32_data(), result);
      break;
    case Type::UINT8:
    case Type::BOOL:
      reader.fill<std::uint8_t>(tensor.int32_data(), result);
      break;
    default:
      file.fail(what, ": expected FLOAT, DOUBLE, FLOAT16, BFLOAT16, INT64, INT32, INT8, UINT8 or BOOL, got the type ",
                tensor.data_type());
  }
  return result;
}

}  // namespace xgrad::onnx

#endif
