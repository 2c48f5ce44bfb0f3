// libcurl's malloc: a transfer asks for some 25 small pieces and gives nearly all of them back on
// the same thread. What comes back each thread keeps, by size, and hands out again without a lock
// or a search; that is 6 % of all CPU (tests/bench/NOTES.md).
//
// As malloc, free, realloc, strdup and calloc do. For any thread, and a piece may be given back on
// another than it was taken on. A thread keeps kKeptBytes at most, until it ends.
#pragma once

#include <cstddef>

namespace fetchline::curl_memory {

inline constexpr std::size_t kLargestBytes = 2048;  // that is kept; others are malloc's
inline constexpr std::size_t kKeptBytes = 1024 * 1024;

void* allocate(std::size_t bytes);
void release(void* piece);
void* reallocate(void* piece, std::size_t bytes);
char* duplicate(const char* text);
void* allocate_zeroed(std::size_t count, std::size_t bytes);

}  // namespace fetchline::curl_memory
