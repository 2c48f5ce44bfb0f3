#include "worker/curl_memory.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace fetchline::curl_memory {
namespace {

constexpr std::size_t kStep = 32;
constexpr std::size_t kClasses = kLargestBytes / kStep;

// Before each piece; as large as malloc aligns.
struct alignas(alignof(std::max_align_t)) Front {
  std::size_t bytes;  // what the piece has room for
  Front* next;        // while it is kept
};

struct Kept {
  std::array<Front*, kClasses> by_size{};
  std::size_t bytes = 0;
};

// No destructor of its own: libcurl may give something back while the thread's other variables go.
constinit thread_local Kept kept;

struct FreeAtThreadEnd {
  ~FreeAtThreadEnd() {
    for (Front*& first : kept.by_size) {
      while (first != nullptr) std::free(std::exchange(first, first->next));
    }
    kept.bytes = kKeptBytes;  // what comes after this is not kept
  }
};

std::size_t class_of(std::size_t bytes) { return bytes == 0 ? 0 : (bytes - 1) / kStep; }

Front* front_of(void* piece) { return static_cast<Front*>(piece) - 1; }

void* take(std::size_t room) {
  if (room > SIZE_MAX - sizeof(Front)) return nullptr;
  auto* front = static_cast<Front*>(std::malloc(sizeof(Front) + room));
  if (front == nullptr) return nullptr;
  front->bytes = room;
  return front + 1;
}

}  // namespace

void* allocate(std::size_t bytes) {
  if (bytes > kLargestBytes) return take(bytes);
  const std::size_t number = class_of(bytes);
  Front*& first = kept.by_size[number];
  if (first == nullptr) return take((number + 1) * kStep);
  Front* const front = std::exchange(first, first->next);
  kept.bytes -= front->bytes;
  return front + 1;
}

void release(void* piece) {
  if (piece == nullptr) return;
  Front* const front = front_of(piece);
  if (front->bytes > kLargestBytes || kept.bytes + front->bytes > kKeptBytes) {
    return std::free(front);
  }
  static thread_local FreeAtThreadEnd at_end;
  Front*& first = kept.by_size[class_of(front->bytes)];
  front->next = std::exchange(first, front);
  kept.bytes += front->bytes;
}

void* reallocate(void* piece, std::size_t bytes) {
  if (piece == nullptr) return allocate(bytes);
  const std::size_t room = front_of(piece)->bytes;
  if (bytes <= room) return piece;
  void* const larger = allocate(bytes);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, piece, room);
  release(piece);
  return larger;
}

char* duplicate(const char* text) {
  const std::size_t bytes = std::strlen(text) + 1;
  void* const copy = allocate(bytes);
  return copy == nullptr ? nullptr : static_cast<char*>(std::memcpy(copy, text, bytes));
}

void* allocate_zeroed(std::size_t count, std::size_t bytes) {
  std::size_t whole = 0;
  if (__builtin_mul_overflow(count, bytes, &whole)) return nullptr;
  void* const piece = allocate(whole);
  return piece == nullptr ? nullptr : std::memset(piece, 0, whole);
}

}  // namespace fetchline::curl_memory
