// A descriptor that becomes readable when another thread asks for attention (eventfd).
#pragma once

namespace fetchline {

// notify() from any thread or signal handler; fd() and clear() belong to the thread that waits.
// Throws std::system_error from the constructor when the process is out of descriptors.
class Wakeup {
 public:
  Wakeup();
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  void notify() noexcept;
  void clear() noexcept;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace fetchline
