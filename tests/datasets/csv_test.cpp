// Tables from files, and their inputs on one scale.
#include <xgrad/core/random.h>
#include <xgrad/datasets/csv.h>
#include <xgrad/datasets/standardizer.h>

#include <cmath>
#include <limits>

#include "datasets/idx_files.h"
#include "error.h"

using namespace xgrad;
using namespace xgrad::datasets;

namespace {

constexpr Scalar absent = std::numeric_limits<Scalar>::quiet_NaN();

CsvTable table(const std::string& text, const CsvOptions& options = {}) {
  const idx_files::Folder folder;
  return read_csv(folder.write("table.csv", {text.begin(), text.end()}), options);
}

bool same(const Tensor& a, const Tensor& b) {  // NaN is NaN
  if (a.shape() != b.shape()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a.data()[i] != b.data()[i] && !(std::isnan(a.data()[i]) && std::isnan(b.data()[i]))) return false;
  return true;
}

}  // namespace

TEST_CASE("a file of numbers, categories and missing values becomes columns") {
  const CsvTable cars = table(
      "\xEF\xBB\xBFweight,colour,\"price, in \"\"euro\"\"\",doors\r\n"
      "1.5e3,red,-20.25,4\r\n"
      "+900,\"dark\nblue\",NA,2\r\n"
      "?,NA,7,4\r\n"
      "1000,red,8,\"3\"");
  CHECK(cars.size() == 4);
  const CsvColumn &weight = cars.column("weight"), &colour = cars.column("colour");
  CHECK(weight.numeric);
  CHECK(weight.numbers[0] == 1500);
  CHECK(weight.numbers[1] == 900);
  CHECK(std::isnan(weight.numbers[2]));
  CHECK_FALSE(colour.numeric);
  CHECK(colour.categories == std::vector<std::string>{"dark\nblue", "red"});
  CHECK(colour.codes == std::vector<std::int64_t>{1, 0, -1, 1});
  CHECK(cars.columns()[2].name == "price, in \"euro\"");
  CHECK(cars.classes("doors") == IndexTensor({4, 2, 4, 3}));
  CHECK(cars.numbers("doors") == Tensor({4, 2, 4, 3}));

  const CsvFeatures features = cars.features_without({"price, in \"euro\""});
  CHECK(features.names == std::vector<std::string>{"weight", "colour=dark\nblue", "colour=red", "doors"});
  CHECK(same(features.values, Tensor({{1500, 0, 1, 4}, {900, 1, 0, 2}, {absent, absent, absent, 4}, {1000, 0, 1, 3}})));
  CHECK(cars.features({"doors"}).values.shape() == Shape{4, 1});
}

TEST_CASE("separators, tables without a header, and words for what is missing") {
  const CsvTable plain = table("1;a\n-;NA\n", {.separator = ';', .header = false, .missing = {"-"}});
  CHECK(std::isnan(plain.column("1").numbers[1]));
  CHECK(plain.column("2").categories == std::vector<std::string>{"NA", "a"});
  CHECK(table("a\n\"NA\"\n").column("a").categories == std::vector<std::string>{"NA"});  // quoted: it is a word
  CHECK(table("a,b\n1,\n").size() == 1);
}

TEST_CASE("a damaged table is refused, with the line") {
  struct Case {
    std::string text, expected;
  };
  for (const Case& c : {
           Case{"", "is empty"},
           Case{"a,b\n", "expected one row or more, got none"},
           Case{"a,b\n1,2\n1\n", "line 3: expected 2 cells, as in line 1, got 1"},
           Case{"a,b\n1,2,3\n", "line 2: expected 2 cells, as in line 1, got 3"},
           Case{"a,b\n\"x\ny\",2\n1\n", "line 4: expected 2 cells"},
           Case{"a\n1\n\n2\n", "line 3: a blank line"},
           Case{"a\n\"b\n\n", "line 2: a quotation that does not end"},
           Case{"a\n\"b\"c\n", "line 2: expected a separator after a quotation, got 'c'"},
           Case{"a\nb\"c\"\n", "line 2: a quotation mark within a cell"},
           Case{std::string("a\n1\0\n", 5), "line 2: a zero byte"},
           Case{std::string("a\n\"\0\"\n", 6), "line 2: a zero byte"},
           Case{"a\n1e999\n", "line 2: 1e999 is out of the range of numbers"},
           Case{"a,\n1,2\n", "line 1: column 2 has no name"},
           Case{"a,b,a\n1,2,3\n", "line 1: two columns have the name 'a'"},
       }) {
    CAPTURE(c.text);
    check_error<DataError>([&] { table(c.text); }, {"[csv] ", "table.csv", c.expected});
  }
  check_error<DataError>([] { read_csv("/no/such.csv"); }, {"[csv]", "/no/such.csv"});
  check_error<DataError>([] { table("a\n" + std::string(1000, '1'), {.load = {.memory_limit = 500}}); },
                         {"[csv]", "table.csv"});
}

TEST_CASE("what a column is not is refused, with the line and the cell") {
  const CsvTable rows = table("x,y,z\n1,0,a\n2,,b\nthree,-1,\n");
  struct Case {
    std::function<void()> ask;
    std::string expected;
  };
  for (const Case& c : {Case{[&] { rows.numbers("x"); }, "line 4: 'x': expected a number, got 'three'"},
                        Case{[&] { rows.numbers("y"); }, "line 3: 'y' is missing"},
                        Case{[&] { rows.classes("y"); }, "line 3: 'y' is missing"},
                        Case{[&] { rows.classes("z"); }, "line 4: 'z' is missing"},
                        Case{[&] { table("y\n-1\n").classes("y"); }, "line 2: 'y': expected a class, a whole number"},
                        Case{[&] { table("y\n0.5\n").classes("y"); }, "got 0.5"},
                        Case{[&] {
                               rows.features({"x", "w"});
                             },
                             "there is no column 'w'; there are x, y, z"},
                        Case{[&] { rows.features_without({"w"}); }, "there is no column 'w'"}})
    check_error<DataError>(c.ask, {"[csv] ", "table.csv", c.expected});
}

TEST_CASE("random bytes are a table or an error") {
  Generator generator(4);
  const std::string bytes = std::string("\"\r\n,;1a.-\0\xEF", 11);
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (std::uint64_t length = generator.below(30); length > 0; --length) text += bytes[generator.below(bytes.size())];
    try {
      const CsvTable rows = table(text, {.header = generator.below(2) == 0});
      CHECK(rows.size() > 0);
      for (const CsvColumn& column : rows.columns())
        CHECK((column.numeric ? column.numbers.size() : column.codes.size()) == rows.size());
    } catch (const DataError&) {
    }
  }
}

TEST_CASE("columns are put on one scale by the training part alone") {
  const Tensor train({{1, 7, absent, Scalar(0.1)}, {3, 7, 2, Scalar(0.1)}, {5, 7, 4, Scalar(0.1)}});
  const Standardizer scale(train);
  CHECK(scale.mean() == Tensor({3, 7, 3, Scalar(0.1)}));
  CHECK(double(scale.deviation()(0)) == doctest::Approx(std::sqrt(8. / 3)));
  CHECK(scale.deviation()(1) == 0);
  CHECK(scale.deviation()(2) == 1);
  const Tensor test({{3, 9, absent, 4}, {11, 7, 5, Scalar(0.1)}}), scaled = scale(test);
  CHECK(scaled(0, 0) == 0);
  CHECK(scaled(0, 1) == 0);
  CHECK(scaled(0, 2) == 0);
  CHECK(scaled(1, 2) == 2);
  CHECK(double(scaled(1, 0)) == doctest::Approx(8 / std::sqrt(8. / 3)));
  CHECK(double(scale.restored(scaled)(1, 0)) == doctest::Approx(11));
  CHECK(scale.restored(scaled)(0, 1) == 7);
  check_error<ShapeError>([&] { scale(ones({2, 3})); }, {"[Standardizer] expected (rows, 4), got (2, 3)"});
  check_error<ShapeError>([&] { Standardizer(ones({2})); }, {"expected (rows, columns), got (2,)"});
  check_error<ValueError>([&] { Standardizer(zeros({0, 2})); }, {"one row or more, got none"});
  check_error<ValueError>([&] { Standardizer(Tensor({{1, absent}, {2, absent}})); }, {"column 1", "got none"});
  check_error<ValueError>([&] { Standardizer(Tensor({{1, 1 / Scalar(0)}})); }, {"column 1", "an infinite one"});
}
