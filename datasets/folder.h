// Whatever a folder of images holds: the files tell.
#pragma once

#include <xgrad/datasets/pictures.h>

namespace xgrad::datasets {

/// The binary version of CIFAR-10 (data_batch_1.bin … data_batch_5.bin, test_batch.bin, batches.meta.txt) or CIFAR-100
/// (train.bin, test.bin, fine_label_names.txt): Krizhevsky 2009, images (3, 32, 32). DataError, with the file, where
/// one is missing or not as it should be.
Split cifar(const std::filesystem::path& folder, LoadOptions options = {});

/// A folder of MNIST or a relative, of CIFAR-10 or CIFAR-100, of pictures in folders `train` and `test`, or of pictures
/// in a folder for each class, of which a fifth, drawn at random from each class, is for testing then. Pictures to
/// train on are in random order. `options` are for pictures. DataError where it is none of these.
Split read_folder(const std::filesystem::path& folder, const PictureOptions& options = {}, std::uint64_t seed = 0);

}  // namespace xgrad::datasets
