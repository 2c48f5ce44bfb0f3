#include "tests/proto/largest_allocation.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<bool> watching{false};
std::atomic<std::size_t> largest{0};

}  // namespace

// The program's own `new`; the array forms come here too.
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  if (watching.load(std::memory_order_relaxed)) {
    largest.store(std::max(largest.load(std::memory_order_relaxed), size),
                  std::memory_order_relaxed);
  }
  return std::malloc(std::max<std::size_t>(size, 1));
}
void* operator new(std::size_t size) {
  if (void* block = operator new(size, std::nothrow)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace fetchline {

LargestAllocation::LargestAllocation() {
  largest = 0;
  watching = true;
}
LargestAllocation::~LargestAllocation() { watching = false; }
std::size_t LargestAllocation::bytes() const { return largest; }

}  // namespace fetchline
