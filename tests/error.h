// What an error says.
#pragma once

#include <doctest/doctest.h>
#include <xgrad/core/errors.h>

#include <functional>
#include <initializer_list>
#include <string>

/// Checks that an error of exactly this type comes, and that its text holds every one of these pieces.
template <class Error>
void check_error(const std::function<void()>& action, std::initializer_list<std::string> pieces) {
  try {
    action();
  } catch (const Error& error) {
    const std::string text = error.what();
    for (const std::string& piece : pieces)
      CHECK_MESSAGE(text.find(piece) != std::string::npos, text, " lacks ", piece);
    return;
  } catch (const std::exception& error) {
    FAIL_CHECK("another error came: ", error.what());
    return;
  }
  FAIL_CHECK("no error came");
}
