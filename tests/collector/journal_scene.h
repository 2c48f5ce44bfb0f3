// A scene whose collector has a journal: nothing is saved or written before the test says so.
#pragma once

#include <optional>
#include <vector>

#include "tests/collector/scene.h"

namespace fetchline {

struct JournalScene : Scene {
  static constexpr std::uint64_t kLog = 9;
  static constexpr std::size_t kRoom = std::size_t{256} << 20;

  explicit JournalScene(const std::optional<CollectorCore::Recovered>& recovered = {})
      : Scene({.boot = kBoot,
               .log = kLog,
               .window = 1000,
               .memory_bytes = kRoom,
               .journal_limit_bytes = kRoom},
              recovered) {}

  // As the collector does: what is due is committed.
  std::vector<Index> save() {
    std::vector<Index> saved;
    for (const Result* result : core.take_unsaved()) saved.push_back(result->index);
    for (const Index index : saved) core.set_saved(index, {.segment = 1, .length = 1});
    core.set_control_saved();
    return saved;
  }
  // The job is open, and safely so.
  void begin(std::uint64_t nonce = kNonce) {
    open(nonce);
    save();
    turn(std::chrono::seconds(1));
    (void)heard<State>("producer");
  }
  IndexSet accepted(const PeerId& peer) {
    turn();
    IndexSet all;
    for (const Acks& acks : heard<Acks>(peer)) {
      for (const IndexRange& range : acks.accepted.ranges()) all.insert(range);
    }
    return all;
  }
};

}  // namespace fetchline
