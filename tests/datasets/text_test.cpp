// Texts as numbers.
#include <xgrad/datasets/loader.h>
#include <xgrad/datasets/text.h>

#include "datasets/idx_files.h"
#include "error.h"

using namespace xgrad;
using namespace xgrad::datasets;

TEST_CASE("characters are code points, in their order") {
  const Characters characters("baß€a😀b");
  CHECK(characters.size() == 5);
  CHECK(characters.encode("abß€😀") == IndexTensor({0, 1, 2, 3, 4}));
  CHECK(characters.decode(characters.encode("€aß")) == "€aß");
  CHECK(characters.encode("").size() == 0);
  check_error<DataError>([&] { characters.encode("ax"); }, {"[Characters]", "'x', character 1", "5"});
  check_error<ValueError>([&] { characters.decode(IndexTensor({5})); }, {"below 5, got 5"});
  check_error<DataError>([] { Characters(""); }, {"[Characters]", "empty"});
  for (const char* wrong :
       {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\xe2\x82"})
    check_error<DataError>([&] { Characters(std::string("ab") + wrong); }, {"UTF-8", "byte 2"});
}

TEST_CASE("a text is read from its file, and learned from in windows") {
  const idx_files::Folder folder;
  const std::string text = "abcdefg";
  const auto file = folder.write("a.txt", {text.begin(), text.end()});
  CHECK(read_text(file) == text);
  check_error<DataError>(
      [&] {
        read_text(folder.write("b.txt", {'a', 0xff}));
      },
      {"[text]", "b.txt", "UTF-8", "byte 1"});
  const IndexTensor numbers = Characters(text).encode(text);
  const auto windows = next_of_each(numbers, 3, 2);
  CHECK(windows.get<0>() == IndexTensor({{0, 1, 2}, {2, 3, 4}}));
  CHECK(windows.get<1>() == IndexTensor({{1, 2, 3}, {3, 4, 5}}));
  CHECK(next_of_each(numbers, 6, 1).size() == 1);
  check_error<ValueError>([&] { next_of_each(numbers, 7, 1); }, {"[next_of_each]", "7, 1 and 7 numbers"});
  check_error<ValueError>([&] { next_of_each(numbers, 3, 0); }, {"[next_of_each]", "3, 0"});
}
