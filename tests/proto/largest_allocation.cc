#include "tests/proto/largest_allocation.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<bool> watching{false};
std::atomic<std::size_t> largest{0};

}  // namespace

// The program's own `new`; the array and nothrow forms come here too.
void* operator new(std::size_t size) {
  if (watching.load(std::memory_order_relaxed)) {
    largest.store(std::max(largest.load(std::memory_order_relaxed), size),
                  std::memory_order_relaxed);
  }
  if (void* block = std::malloc(std::max<std::size_t>(size, 1))) return block;
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
