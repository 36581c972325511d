// NumPy's arrays, alone and in archives: what is read is written, and read again as the same.
#include <xgrad/core/errors.h>
#include <xgrad/datasets/npy.h>

#ifdef XGRAD_FUZZ_ZIP
#include <xgrad/datasets/npz.h>
#endif

#include "fuzz.h"

using namespace xgrad;
using datasets::NpyArray;

namespace {

void use(const NpyArray& array) {
  Tensor tensor;
  if (fuzz::succeeds<DataError>([&] { tensor = array.tensor(); }) && array.shape.size() <= 32) {
    const std::filesystem::path copy = fuzz::path_of("copy.npy");
    datasets::write_npy(copy, tensor);
    fuzz::expect(fuzz::same({.tensors = {{"", datasets::read_npy(copy).tensor()}}}, {.tensors = {{"", tensor}}}),
                 "the same array from a copy");
  }
  IndexTensor indices;
  if (fuzz::succeeds<DataError>([&] { indices = array.indices(); }))
    fuzz::expect(indices.size() == element_count(array.shape), "as many numbers as the shape says");
}

std::string npy(std::string_view header, std::string_view elements, char version = 1) {
  std::string file = "\x93NUMPY";
  file += {version, '\0', static_cast<char>(header.size()), '\0'};
  if (version > 1) file += {'\0', '\0'};
  return file.append(header).append(elements);
}

}  // namespace

void fuzz::run(Bytes bytes) {
  const std::filesystem::path file = write("file", as_text(bytes));
  NpyArray array;
  if (succeeds<DataError>([&] { array = datasets::read_npy(file, little_memory); })) use(array);
#ifdef XGRAD_FUZZ_ZIP
  succeeds<DataError>([&] {
    for (const auto& [name, member] : datasets::read_npz(file, little_memory)) use(member);
  });
#endif
}

std::vector<std::string> fuzz::seeds() {
  const auto header = [](const std::string& type, const std::string& shape, const char* order = "False") {
    return "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  };
  std::vector<std::string> all = {"",
                                  npy(header("<f4", "(2,)"), "abcdefgh"),
                                  npy(header(">f8", "()"), "abcdefgh", 2),
                                  npy(header("<f2", "(1, 2)"), "abcd", 3),
                                  npy(header("|b1", "(3,)"), std::string("\0\1\0", 3)),
                                  npy(header("|u1", "(2, 3)", "True"), "abcdef"),
                                  npy(header("<u8", "(1,)"), "abcdefgh"),
                                  npy(header("<i8", "(0, 18446744073709551615)"), ""),
                                  npy(header("|O", "(1,)"), "abcdefgh"),
                                  npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': ()}", "abcd")};
#ifdef XGRAD_FUZZ_ZIP
  datasets::write_npz(path_of("seed"), {{"a", ones({2})}, {"b", zeros({})}});
  all.push_back(read(path_of("seed")));
#endif
  return all;
}
