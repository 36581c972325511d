// Tables that train reads.
#include <doctest/doctest.h>
#include <table_data.h>
#include <unistd.h>
#include <xgrad/core/errors.h>

#include <cmath>
#include <filesystem>
#include <fstream>

using namespace train;

TEST_CASE("a table is on the scale of its part to train on alone, with the classes that it names") {
  const auto file = std::filesystem::temp_directory_path() / ("xgrad-table-" + std::to_string(getpid()) + ".csv");
  std::ofstream rows(file);
  rows << "size,colour,answer\n";
  for (int i = 0; i < 40; ++i)
    rows << i * i << ',' << (i % 5 == 0 ? "" : i % 2 == 0 ? "red" : "blue") << ',' << (i % 2 == 0 ? -1 : 1) << '\n';
  rows.close();
  Options options;
  options.data = file;
  std::string found;
  Split data = read_table(options, found);
  std::filesystem::remove(file);
  CHECK(found == " of 'answer', 3 features of 2 columns (1 of numbers, 1 of categories), 8 cells missing");
  std::optional<Samples> validation = data.train.slice(24, 32);
  data.train = data.train.slice(0, 24);
  standardize(data, validation);
  for (const Samples* samples : {&data.train, &*validation, &data.test}) {
    CHECK(samples->class_names() == std::vector<std::string>{"-1", "1"});
    CHECK(samples->image_shape() == xgrad::Shape{1, 1, 3});
    const xgrad::Tensor& features = samples->rows()->get<0>();
    for (std::size_t column = 0; column < 3; ++column) {
      double sum = 0, squares = 0;
      for (std::size_t row = 0; row < samples->size(); ++row) {
        const auto value = static_cast<double>(features(row, column));
        sum += value, squares += value * value;
        if (column > 0 && value > 0)  // what is red has an even number, and that is the class
          CHECK(samples->labels()[row] == (column == 2 ? 0 : 1));
      }
      const bool is_the_scale = samples == &data.train;
      CHECK((std::abs(sum / static_cast<double>(samples->size())) < 1e-5) == is_the_scale);
      if (is_the_scale && column == 0) CHECK(squares / 24 == doctest::Approx(1));
    }
  }
  CHECK_THROWS_AS(data.train.augmented({}), xgrad::ValueError);
}
