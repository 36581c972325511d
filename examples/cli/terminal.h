// What standard output and standard error are connected to.
#pragma once

#include <cstddef>

namespace cli {

/// True where escape codes may go to this stream (1 or 2), and where they may be colours: NO_COLOR, no-color.org.
bool is_terminal(int descriptor);
bool has_colors(int descriptor);
/// Columns of standard error; 80 where that is no terminal.
std::size_t terminal_width();

}  // namespace cli
