// Several arrays by name in one file, NumPy's zip archive of .npy files.
#pragma once

#include <xgrad/datasets/npy.h>

#include <string>
#include <utility>
#include <vector>

namespace xgrad::datasets {

/// The arrays of an archive, packed or not, by their names and in its order. DataError, with the file and the name, for
/// one that is damaged, or has a member that read_npy() would refuse or that is no .npy, or a name twice, and where all
/// take more memory than the options allow.
std::vector<std::pair<std::string, NpyArray>> read_npz(const std::filesystem::path& file, LoadOptions options = {});

/// Writes arrays that are not packed, as numpy.savez() does, and always the same bytes for the same arrays:
/// write_npz("model.npz", model.state_dict().tensors). The file is there whole or not at all: see ReplacementFile.
/// DataError, with the system's reason, where it cannot be written; ValueError for no arrays, for a name that comes
/// twice, is not UTF-8 or has a zero byte, and for more than 32 dimensions.
void write_npz(const std::filesystem::path& file, const std::vector<std::pair<std::string, Tensor>>& arrays);

}  // namespace xgrad::datasets
