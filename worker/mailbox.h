// The one way threads of a worker talk: a typed queue with a wake-up.
//
// Any thread may push; one thread, the owner, waits on fd() and takes. What was pushed belongs to
// the owner from then on. Unbounded by itself: the relay never hands out more than it has slots.
#pragma once

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

#include "proto/wakeup.h"

namespace fetchline {

template <class T>
class Mailbox {
 public:
  void push(T item) {
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex_);
      was_empty = items_.empty();
      items_.push_back(std::move(item));
    }
    if (was_empty) wakeup_.notify();
  }

  void push_all(std::vector<T>& items) {
    if (items.empty()) return;
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex_);
      was_empty = items_.empty();
      if (was_empty) {
        items_.swap(items);
      } else {
        std::move(items.begin(), items.end(), std::back_inserter(items_));
      }
    }
    items.clear();
    if (was_empty) wakeup_.notify();
  }

  // Owner only. Everything pushed so far, in order; empty when nothing was.
  [[nodiscard]] std::vector<T> take() {
    wakeup_.clear();
    std::vector<T> taken;
    const std::lock_guard lock(mutex_);
    taken.swap(items_);
    return taken;
  }

  [[nodiscard]] int fd() const {
    return wakeup_.fd();
  }  // readable when take() would find something

 private:
  Wakeup wakeup_;  // thread-safe by itself
  std::mutex mutex_;
  std::vector<T> items_;  // guarded by mutex_
};

}  // namespace fetchline
