#include "worker/curl_memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fetchline {
namespace {

using namespace curl_memory;

bool is_filled(const void* piece, std::size_t bytes, char with) {
  const std::string_view text(static_cast<const char*>(piece), bytes);
  return text.find_first_not_of(with) == std::string_view::npos;
}

TEST(CurlMemory, PiecesAreAlignedAndApart) {
  std::vector<std::pair<void*, std::size_t>> pieces;
  for (std::size_t bytes = 0; bytes <= kLargestBytes + 100; bytes += 7) {
    pieces.emplace_back(allocate(bytes), bytes);
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(pieces.back().first) % alignof(std::max_align_t), 0);
    std::memset(pieces.back().first, static_cast<char>(bytes), bytes);
  }
  for (const auto& [piece, bytes] : pieces) {
    EXPECT_TRUE(is_filled(piece, bytes, static_cast<char>(bytes))) << bytes;
    release(piece);
  }
}

TEST(CurlMemory, WhatCameBackIsHandedOutAgain) {
  void* const piece = allocate(100);
  release(piece);
  void* const same = allocate(97);
  EXPECT_EQ(same, piece);
  release(same);
}

TEST(CurlMemory, ALargerPieceKeepsWhatItHeld) {
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{32}, kLargestBytes, 2 * kLargestBytes}) {
    void* piece = std::memset(allocate(bytes), 'a', bytes);
    piece = reallocate(piece, 3 * bytes);
    EXPECT_TRUE(is_filled(piece, bytes, 'a')) << bytes;
    std::memset(piece, 'b', 3 * bytes);
    release(piece);
  }
  void* const fresh = reallocate(nullptr, 10);
  EXPECT_NE(fresh, nullptr);
  release(fresh);
}

TEST(CurlMemory, ZeroedMemoryIsZeroedThoughItWasUsed) {
  release(std::memset(allocate(96), 'x', 96));
  void* const piece = allocate_zeroed(12, 8);
  EXPECT_TRUE(is_filled(piece, 96, '\0'));
  release(piece);
}

TEST(CurlMemory, TooMuchIsRefused) {
  EXPECT_EQ(allocate(SIZE_MAX), nullptr);
  EXPECT_EQ(allocate_zeroed(SIZE_MAX / 2, 3), nullptr);
  void* const piece = std::memset(allocate(10), 'a', 10);
  EXPECT_EQ(reallocate(piece, SIZE_MAX), nullptr);
  EXPECT_TRUE(is_filled(piece, 10, 'a'));
  release(piece);
}

TEST(CurlMemory, TextIsCopied) {
  const std::string text(3000, 't');
  for (const std::string& one : {std::string(), std::string("a"), text}) {
    char* const copy = duplicate(one.c_str());
    EXPECT_EQ(copy, one);
    release(copy);
  }
}

TEST(CurlMemory, AThreadGivesBackWhatAnotherTook) {
  std::vector<void*> pieces(10'000);
  for (void*& piece : pieces) piece = allocate(500);  // more than a thread keeps
  std::thread([&pieces] {
    for (void* piece : pieces) release(piece);
  }).join();
  release(nullptr);
}

}  // namespace
}  // namespace fetchline
