// Checkpoints, in the safetensors format (huggingface.co/docs/safetensors): the length of the header in 8 bytes, the
// lowest first; a header in JSON, with the type, shape and place of each tensor; their elements.
#pragma once

#include <xgrad/core/file.h>
#include <xgrad/core/state_dict.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace xgrad {

/// The type of the elements in a file: Scalar's (F32 in xgrad::xgrad, F64 in xgrad::xgrad_f64), or one of two bytes.
/// F16 (IEEE 754's binary16) has 11 significant bits, BF16 has 8 and float's range.
enum class SavedType { scalar, f16, bf16 };
struct SaveOptions {
  SavedType type = SavedType::scalar;
};

/// Writes a state, so that the file is there whole or not at all: see ReplacementFile. Elements in two bytes are
/// rounded to nearest, ties to even; ValueError, with the tensor's name, for a finite one that is beyond their range.
/// Texts are in `__metadata__` under their names and scalars under "scalar:" and their names, in full precision; a
/// version of this and a CRC-32 of everything are there too, as "xgrad:format" and "xgrad:crc32". DataError, with the
/// system's reason, where the file cannot be written. ValueError for a name that comes twice or is one of these, and
/// for what is not UTF-8.
void save_safetensors(const std::filesystem::path& path, const StateDict& state, SaveOptions options = {});

/// Reads what save_safetensors() or another program has written, in the order of the elements in the file. F16,
/// BF16, F32, F64, I8 to I64, U8 to U32 and BOOL become Scalar: real numbers are rounded to it, true is 1. DataError
/// for a file that is damaged, of a newer version, has tensors of another type, a whole number that Scalar does not
/// hold exactly or a finite one beyond its range, or takes more memory than the options allow. The checksum of a file
/// of ours is compared; others have none.
StateDict load_safetensors(const std::filesystem::path& path, LoadOptions options = {});

/// A file with the states of several owners, such as {{"model", model.state_dict()}, {"optimizer", …}}: all that a
/// training needs to go on with the same bits. load_safetensors(path).below("model.") is the first one's.
void save_checkpoint(const std::filesystem::path& path, std::vector<std::pair<std::string, StateDict>> parts);
/// The same as load_safetensors() for a file of ours: DataError for one without a checksum, too.
StateDict load_checkpoint(const std::filesystem::path& path, LoadOptions options = {});

}  // namespace xgrad
