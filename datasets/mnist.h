// The four-file folders in which MNIST and its relatives are published. datasets/download.sh fetches them.
#pragma once

#include <xgrad/core/file.h>
#include <xgrad/datasets/dataset.h>

#include <filesystem>
#include <string>
#include <vector>

namespace xgrad::datasets {

/// Reads train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each
/// plain or with .gz, and also spelled train-images.idx3-ubyte and so on. Any folder of this layout will do. DataError,
/// with the file and what is wrong, where one is missing or not as it should be. The options are for each file.
Split mnist(const std::filesystem::path& folder, const std::vector<std::string>& class_names = decimal_digits(),
            LoadOptions options = {});
/// The same with the classes of Xiao, Rasul & Vollgraf 2017: "T-shirt/top", …, "Ankle boot".
Split fashion_mnist(const std::filesystem::path& folder, LoadOptions options = {});
/// The same with the classes of Clanuwat et al. 2018: "o", "ki", …, "wo".
Split kmnist(const std::filesystem::path& folder, LoadOptions options = {});

}  // namespace xgrad::datasets
