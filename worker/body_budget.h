// Memory for large bodies on their way in, shared by all transfers of a worker. Every body has
// kOwnBytes of its own; what it needs beyond comes out of the budget. Where there is none left the
// transfer waits, all but one: that one goes on whatever it takes, so that something always ends
// and gives back. Small bodies never wait, however many large ones there are.
//
// So bodies under way occupy at most kOwnBytes each, the budget, and one largest body.
//
// Any thread; a Share belongs to one. Nothing blocks here: to wait is to ask again later.
#pragma once

#include <atomic>
#include <cstddef>

namespace fetchline {

class BodyBudget {
 public:
  static constexpr std::size_t kOwnBytes = std::size_t{1} << 20;

  explicit BodyBudget(std::size_t bytes) : bytes_(bytes) {}

  // What else counts against it: results that are held until the collector has them. When they
  // take all of it nobody is let through, unless a task runs that the collector waits for.
  void set_held(std::size_t bytes, bool head_runs) {
    held_.store(bytes, std::memory_order_relaxed);
    head_runs_.store(head_runs, std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t taken() const { return taken_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool somebody_waits() const { return waiting_.load(std::memory_order_relaxed) > 0; }

  class Share {  // one transfer's; the budget outlives it
   public:
    explicit Share(BodyBudget& budget) : budget_(budget) {}
    ~Share() { release(); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // Room for a body of so many bytes, all in all. False: it waits until ask_again() is true.
    [[nodiscard]] bool cover(std::size_t body_bytes);
    [[nodiscard]] bool ask_again() { return cover(wanted_); }
    [[nodiscard]] bool waits() const { return waits_; }
    void release();

   private:
    void set_waits(bool waits);

    BodyBudget& budget_;
    std::size_t taken_ = 0;   // out of the budget
    std::size_t wanted_ = 0;  // for which it waits
    bool waits_ = false;
  };

 private:
  [[nodiscard]] bool take(std::size_t bytes);
  [[nodiscard]] bool let_through(const Share& share);

  const std::size_t bytes_;
  std::atomic<std::size_t> taken_{0};
  std::atomic<std::size_t> held_{0};
  std::atomic<bool> head_runs_{true};
  std::atomic<std::size_t> waiting_{0};           // shares
  std::atomic<const Share*> unlimited_{nullptr};  // the one that goes on, until its end
};

}  // namespace fetchline
