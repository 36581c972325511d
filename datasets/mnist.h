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
///
/// Images of three dimensions are grey, (N, height, width). Those of four, in files that are spelled idx4-ubyte, have
/// their channels where the size is 1 or 3: (N, channels, height, width) or (N, height, width, channels), as the file
/// says. DataError where neither size, or each of the two, is 1 or 3.
Split mnist(const std::filesystem::path& folder, const std::vector<std::string>& class_names = decimal_digits(),
            LoadOptions options = {});
/// The same with the classes of Xiao, Rasul & Vollgraf 2017: "T-shirt/top", …, "Ankle boot".
Split fashion_mnist(const std::filesystem::path& folder, LoadOptions options = {});
/// The same with the classes of Clanuwat et al. 2018: "o", "ki", …, "wo".
Split kmnist(const std::filesystem::path& folder, LoadOptions options = {});

/// A part of EMNIST (Cohen et al. 2017): "balanced", "byclass", "bymerge", "digits", "letters" or "mnist", from
/// emnist-PART-train-images-idx3-ubyte and its three companions, as above, and emnist-PART-mapping.txt, which has a
/// line for each class: its label, and its characters as code points. Classes are numbered from 0 on in that order (the
/// labels of the letters begin with 1), and an image, which these files have with rows and columns exchanged, comes
/// upright.
Split emnist(const std::filesystem::path& folder, const std::string& part, LoadOptions options = {});

}  // namespace xgrad::datasets
