// Memory for large bodies on their way in, shared by all transfers of a worker. Every body has
// kOwnBytes of its own; what it needs beyond comes out of the budget. Where there is none left the
// transfer waits, all but one: that one goes on whatever it takes, so that something always ends
// and gives back. Small bodies never wait, however many large ones there are.
//
// Results count against it too, from the end of their transfer until the collector has them: those
// a command is at work on, and those that are on their way. Once they take more than half, what
// ends gives nothing back, and only a task that the collector waits for is let through.
//
// So bodies and results occupy at most kOwnBytes for each transfer, one and a half times the
// budget, and one largest body.
//
// Any thread; a Share belongs to one. Nothing blocks here: to wait is to ask again later.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <vector>

#include "proto/task.h"
#include "worker/job_slot.h"

namespace fetchline {

class BodyBudget {
 public:
  static constexpr std::size_t kOwnBytes = std::size_t{1} << 20;

  explicit BodyBudget(std::size_t bytes) : bytes_(bytes) {}

  // A result on its way from its transfer to who holds it: no byte of it goes uncounted. To be
  // said before its Share is released, and once it is among the held.
  void pass_on(std::size_t bytes) { passed_.fetch_add(bytes, std::memory_order_relaxed); }
  void arrived(std::size_t bytes) { passed_.fetch_sub(bytes, std::memory_order_relaxed); }

  // A job's collector waits for this task of it, or for one before.
  struct Head {
    JobSlot job{};
    Index index = 0;
  };
  void set_held(std::size_t bytes, std::vector<Head> heads);
  [[nodiscard]] bool is_head(JobSlot job, Index index) const;
  [[nodiscard]] bool is_full() const { return results() > bytes_ / 2; }  // of results

  [[nodiscard]] std::size_t taken() const { return taken_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool somebody_waits() const { return waiting() > 0; }

  class Share {  // one transfer's; the budget outlives it
   public:
    explicit Share(BodyBudget& budget) : budget_(budget) {}
    ~Share() { release(); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // Room for a body of so many bytes, all in all. False: it waits until ask_again() is true.
    [[nodiscard]] bool cover(std::size_t body_bytes) { return cover(body_bytes, false); }
    [[nodiscard]] bool ask_again(bool is_head) { return cover(wanted_, is_head); }
    [[nodiscard]] bool waits() const { return waits_; }
    void release();

   private:
    [[nodiscard]] bool cover(std::size_t body_bytes, bool is_head);
    void set_waits(bool waits);

    BodyBudget& budget_;
    std::size_t taken_ = 0;   // out of the budget
    std::size_t wanted_ = 0;  // for which it waits
    bool waits_ = false;
  };

 private:
  [[nodiscard]] bool take(std::size_t bytes);
  [[nodiscard]] bool let_through(const Share& share, bool is_head);
  [[nodiscard]] std::size_t results() const {
    return held_.load(std::memory_order_relaxed) + passed_.load(std::memory_order_relaxed);
  }

  const std::size_t bytes_;
  std::atomic<std::size_t> taken_{0};
  std::atomic<std::size_t> held_{0};
  std::atomic<std::size_t> passed_{0};
  std::atomic<std::size_t> waiting_{0};           // shares
  std::atomic<const Share*> unlimited_{nullptr};  // the one that goes on, until its end
  mutable std::mutex mutex_;
  std::vector<Head> heads_;  // guarded by mutex_; one a job
};

}  // namespace fetchline
