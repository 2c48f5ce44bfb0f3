// A fleet at work while strangers talk to its ports, as fast as they like. The job must come
// out as if they were not there, and nobody may die or grow.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proto/codec.h"
#include "tests/collector/temporary_directory.h"
#include "tests/integration/program.h"
#include "tests/origin/origin.h"

namespace fetchline {

class Siege {
 public:
  static constexpr std::uint64_t kMaxGrowthBytes = std::uint64_t{64} << 20;
  static constexpr std::size_t kPerSecond = 10'000;

  Siege();

  enum class Port { tasks, results };
  [[nodiscard]] std::uint16_t number(Port port) const;

  // What is known to whoever says hello to the producer.
  struct Secret {
    JobId job;
    Epoch epoch{};
  };
  [[nodiscard]] Secret learn() const;

  // Sends message after message to both ports, until three quarters of the job are done.
  void flood(const std::function<Frames(std::size_t)>& message,
             std::size_t per_second = kPerSecond);
  [[nodiscard]] bool goes_on() const;  // so long

  // Both ports say who spoke nonsense, and not more than once in ten seconds.
  void expect_complaints();

  // Every record, in order, right; both still there, as small as before, and content at the end.
  void expect_exact();

 private:
  TemporaryDirectory directory_;
  Origin origin_;
  std::vector<std::string> targets_;
  const std::uint16_t tasks_, results_;
  std::unique_ptr<RunningProgram> collector_, producer_;
  std::vector<std::unique_ptr<RunningProgram>> workers_;
  std::uint64_t collector_bytes_ = 0, producer_bytes_ = 0;  // at the start
};

// A connection that speaks TCP and no more.
class RawPeer {
 public:
  explicit RawPeer(std::uint16_t port);
  // False: it was cut off.
  bool say(std::string_view bytes) const;
  void shake_hands() const;  // as ZMTP 3.0 wants it, as a DEALER
  void reset() const;        // vanishes: its end is no orderly one

 private:
  void hear(std::size_t bytes) const;

  FileDescriptor socket_;
};

}  // namespace fetchline
