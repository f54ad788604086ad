#pragma once
/// \file The message of an expected error.

#include <gtest/gtest.h>

#include <exception>
#include <string>

namespace matgrad {

/// The message of the error of type E that `call` throws; the test fails if it throws none.
template <typename E, typename Call>
std::string message_of(const Call& call) {
    try {
        (void)call();
    } catch (const E& error) {
        return error.what();
    } catch (const std::exception& error) {
        ADD_FAILURE() << "another kind of error: " << error.what();
        return error.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return {};
}

}  // namespace matgrad
