#include "tests/simulation/plan.h"

#include "proto/task_hash.h"

namespace fetchline {
namespace {

// A third of the runs have none of something, so that each fault is also seen alone.
template <class Random>
double share(Random& random, double most) {
  const bool none = random() % 3 == 0;
  const double drawn = std::uniform_real_distribution<double>(0, most)(random);
  return none ? 0 : drawn;
}

template <class Random>
std::uint64_t between(Random& random, std::uint64_t least, std::uint64_t most) {
  return least + random() % (most - least + 1);
}

bool drawn(const Plan& plan, Index index, std::uint64_t what, double share) {
  std::mt19937_64 random(plan.seed ^ (index * 31 + what));
  return std::uniform_real_distribution<double>(0, 1)(random) < share;
}

}  // namespace

Plan::Plan(std::uint64_t run_seed) : seed(run_seed) {
  std::mt19937_64 random(seed * 0x9E3779B97F4A7C15ULL + 1);
  tasks = random() % 20 == 0 ? between(random, 0, 2) : between(random, 3, 150);
  workers = static_cast<std::uint32_t>(between(random, 1, 4));
  slots = static_cast<std::uint32_t>(between(random, 1, 8));
  window = random() % 4 == 0 ? between(random, 1, 4) : between(random, 5, 200);
  body_bytes = between(random, 0, 2000);
  memory_bytes = random() % 3 == 0 ? between(random, 2'000, 20'000) : std::size_t{1} << 30;
  held_bytes = random() % 3 == 0 ? between(random, 1'000, 10'000) : std::size_t{1} << 30;
  retries = static_cast<std::uint32_t>(between(random, 0, 3));
  lost = share(random, 0.25);
  repeated = share(random, 0.15);
  late = share(random, 0.3);
  transient_failure = share(random, 0.3);
  faulty_line = share(random, 0.2);
  blocked_send = share(random, 0.2);
  trickle = share(random, 0.3);
  unsafe = share(random, 0.3);
  for (std::uint64_t i = random() % 4 == 0 ? between(random, 1, 3) : 0; i > 0; --i) {
    poison.insert(between(random, 0, 149));
  }
  restarts = random() % 4 == 0 ? static_cast<int>(between(random, 1, 3)) : 0;
  faults = static_cast<int>(random() % 3 == 0 ? 0 : between(random, 1, 8));
  other_input = share(random, 0.5);
  journal_limit_bytes = random() % 4 == 0   ? 0
                        : random() % 3 == 0 ? between(random, 10'000, 50'000)
                                            : std::uint64_t{1} << 30;
  segment_entries = between(random, 2, 30);
  power = random() % 3 == 0;
  const bool dies = journal_limit_bytes > 0 && random() % 2 == 0;
  crashes = dies ? static_cast<int>(between(random, 1, 3)) : 0;
  dies_at_end = dies && random() % 3 == 0 ? static_cast<int>(between(random, 1, 12)) : 0;
  slow_output = share(random, 0.5);
  full_disk = share(random, 0.5);
}

std::string url_of(Index index) { return "http://origin/" + std::to_string(index); }

std::uint64_t hash_of(const Plan& plan, Index index) {
  const bool plain = !is_unsafe(plan, index) && !is_faulty(plan, index);
  return plain ? plain_task_hash(url_of(index)) : other_task_hash(url_of(index));
}

std::string body_of(const Plan& plan, Index index) {
  const std::size_t size = plan.body_bytes == 0 ? 0 : (index * 7919 + plan.seed) % plan.body_bytes;
  return std::string(size, static_cast<char>('a' + index % 26));
}

bool is_faulty(const Plan& plan, Index index) { return drawn(plan, index, 7, plan.faulty_line); }
bool is_unsafe(const Plan& plan, Index index) { return drawn(plan, index, 8, plan.unsafe); }

}  // namespace fetchline
