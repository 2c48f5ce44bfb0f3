// The collector of the simulated world: the core and a loop around it, as in
// collector/collector.cc, on a disk that outlives it. It may die between any two steps of its turn,
// and starts anew on what the disk has.
//
// Whatever leaves is held against the disk: nothing may be promised that would be lost now.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "collector/collector_core.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/fuse.h"
#include "tests/simulation/network.h"

namespace fetchline {

class SimulatedCollector {
 public:
  SimulatedCollector(const Plan& plan, Network& network,
                     std::function<void(const Result&)> check_record);

  void on_message(const PeerId& peer, Received received);
  void turn(const std::function<void(CollectorCore::Outgoing)>& send);
  void die_in(int steps) { fuse_.light(steps); }

  [[nodiscard]] bool over() const { return over_since_.has_value(); }
  [[nodiscard]] const std::optional<Instant>& over_since() const { return over_since_; }
  [[nodiscard]] bool done() const { return core_ && core_->done(); }
  [[nodiscard]] const Disk& disk() const { return disk_; }
  // Of all incarnations the highest.
  [[nodiscard]] Index watermark() const { return watermark_; }
  [[nodiscard]] const OutcomeCounts& counts() const { return counts_; }  // once done
  [[nodiscard]] int crashes() const { return crashes_; }
  // When somebody was first told that it is safe.
  [[nodiscard]] std::optional<Instant> safe_since(Index index) const;
  // The tasks whose results a collector that starts anew would know, for sure.
  [[nodiscard]] std::vector<Index> safe_indices() const;

 private:
  void start();
  void crash();
  void put_out();
  void flush();
  void save();
  void append_unsaved();
  void compare_input();
  [[nodiscard]] std::vector<std::uint64_t> known_hashes(const Recap& recap);
  void finish();
  void check_kept() const;
  void check_promises(const Frames& frames);
  void promise(const IndexSet& indices);
  void promise_below(Index watermark);

  const Plan& plan_;
  Network& network_;
  const std::function<void(const Result&)> check_record_;
  Disk disk_;
  Fuse fuse_;
  std::optional<CollectorCore> core_;
  std::uint64_t last_boot_ = 0;
  int crashes_ = 0;
  std::vector<std::pair<Index, JournalPlace>> saving_;
  std::optional<JobControl> saving_control_;
  Instant last_sync_{};
  Index compared_of_finished_ = 0;  // what stands in the output is read once
  bool ending_ = false;
  std::optional<Instant> over_since_;

  Index watermark_ = 0;
  OutcomeCounts counts_{};
  std::map<Index, Instant> safe_since_;
  std::vector<bool> promised_;
  Index promised_below_ = 0;
  std::map<Epoch, std::uint64_t> granted_;  // nonces
};

}  // namespace fetchline
