// How a role stands, for those who watch it: one thread makes the value, any other may ask for it.
//
// Made only when somebody asks, so watching costs nothing while nobody looks. The maker calls
// is_wanted() once a turn; whoever asks wakes it and waits for the turn, but never longer than it
// said: a maker that is stuck is shown as it was last.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace fetchline {

template <class T>
class Published {
 public:
  // The maker's thread.
  [[nodiscard]] bool is_wanted() const { return wanted_.load(std::memory_order_relaxed); }
  void publish(T value) {
    {
      const std::lock_guard lock(mutex_);
      value_ = std::move(value);
      ++version_;
      wanted_.store(false, std::memory_order_relaxed);
    }
    published_.notify_all();
  }

  // Any other thread.
  template <class Wake>
  [[nodiscard]] T get(std::chrono::milliseconds patience, Wake wake) {
    std::unique_lock lock(mutex_);
    const auto seen = version_;
    wanted_.store(true, std::memory_order_relaxed);
    wake();
    published_.wait_for(lock, patience, [&] { return version_ != seen; });
    return value_;
  }

 private:
  std::atomic<bool> wanted_{false};
  std::mutex mutex_;
  std::condition_variable published_;
  T value_{};  // guarded by mutex_, as is version_
  unsigned version_ = 0;
};

}  // namespace fetchline
