// Makes a C++ header of a text file: generate SECTION TEXT HEADER.
//
// A text file has passages. Each begins with its name in brackets, on a line of its own, and its lines are joined by
// blanks. A name in braces stands for a number, or words, that the program fills in. Lines that begin with # are
// remarks. So the lines
//
//   [widths]
//   Adam's range is {adam} decades wide.
//
// become a type whose members are in alphabetical order, so that a translator can put the numbers in any order:
//
//   struct widths { Shown adam; operator std::string() const; };
#include <cctype>
#include <fstream>
#include <iostream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

bool is_name(const std::string& text) {
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text[0])) != 0) return false;
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

struct Passage {
  std::string name, text;
};

std::vector<Passage> passages(std::istream& file) {
  std::vector<Passage> all;
  std::set<std::string> names;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    const auto refuse = [&](const std::string& what) {
      throw std::runtime_error("line " + std::to_string(number) + ": " + what);
    };
    if (line.starts_with('#') || line.empty()) continue;
    if (line.starts_with('[')) {
      if (!line.ends_with(']')) refuse("expected [name], got " + line);
      all.push_back({line.substr(1, line.size() - 2), ""});
      if (!is_name(all.back().name)) refuse("expected a name of small letters, digits and _, got " + line);
      if (!names.insert(all.back().name).second) refuse("there are two passages " + line);
      continue;
    }
    if (all.empty()) refuse("expected [name] before the first words");
    if (!all.back().text.empty()) all.back().text += ' ';
    all.back().text += line;
  }
  return all;
}

// Words and names in turn: the words come first, and last.
std::vector<std::string> parts(const Passage& passage) {
  std::vector<std::string> result;
  std::size_t at = 0;
  for (std::size_t open; (open = passage.text.find('{', at)) != std::string::npos;) {
    const std::size_t close = passage.text.find('}', open);
    const std::string name = passage.text.substr(open + 1, close - open - 1);
    if (close == std::string::npos || !is_name(name))
      throw std::runtime_error("[" + passage.name + "]: expected a name between braces, got {" + name);
    result.push_back(passage.text.substr(at, open - at));
    result.push_back(name);
    at = close + 1;
  }
  result.push_back(passage.text.substr(at));
  return result;
}

std::string literal(const std::string& text) { return "R\"words(" + text + ")words\""; }

void write(std::ostream& out, const Passage& passage) {
  if (passage.text.empty()) throw std::runtime_error("[" + passage.name + "]: expected words, got none");
  const std::vector<std::string> all = parts(passage);
  std::set<std::string> names;
  for (std::size_t i = 1; i < all.size(); i += 2) names.insert(all[i]);
  out << "struct " << passage.name << " {\n";
  for (const std::string& name : names) out << "  Shown " << name << ";\n";
  out << "  operator std::string() const { return std::string(" << literal(all[0]) << ")";
  for (std::size_t i = 1; i < all.size(); i += 2) out << " + " << all[i] << ".text + " << literal(all[i + 1]);
  out << "; }\n};\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "lab_words: expected SECTION TEXT HEADER\n";
    return 2;
  }
  try {
    std::ifstream text(argv[2]);
    if (!text) throw std::runtime_error("cannot open the file");
    std::ofstream header(argv[3]);
    header << "// Made from a text file: change that one.\n#pragma once\n\n#include \"words/shown.h\"\n\nnamespace "
              "lab::words::"
           << argv[1] << "_section {\n\n";
    for (const Passage& passage : passages(text)) write(header, passage);
    header << "\n}  // namespace\n";
    if (!header.flush()) throw std::runtime_error(std::string("cannot write ") + argv[3]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "lab_words: " << argv[2] << ": " << error.what() << '\n';
    return 1;
  }
}
