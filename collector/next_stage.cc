#include "collector/next_stage.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "proto/sockets.h"

namespace fetchline {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kChainTick{100};
constexpr int kChainMessagesPerTurn = 64;
constexpr int kRecordsPerTurn = 64;  // then what they emit leaves, and the next stage is heard

bool differs(const NextStageStanding& a, const NextStageStanding& b) {
  return a.wanted_record != b.wanted_record || a.over != b.over || a.timed_out != b.timed_out ||
         a.other_job != b.other_job;
}

}  // namespace

NextStage::NextStage(const std::string& endpoint, const Keys& keys, milliseconds timeout,
                     RecordFile records, Wakeup& owner)
    : context_(make_context(1)),
      connection_(context_, endpoint, "--next", Role::producer, keys, Link::chain),
      records_(std::move(records)),
      core_(BootId{random_u64()}),
      watch_(connection_.whom(), timeout, std::chrono::steady_clock::now()),
      owner_(owner),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

NextStage::~NextStage() {
  thread_.request_stop();
  wakeup_.notify();
}

void NextStage::set_stage(const NextStageCore::Stage& stage) {
  {
    const std::lock_guard lock(mutex_);
    if (stage_ == stage) return;
    stage_ = stage;
  }
  wakeup_.notify();
}

void NextStage::leave() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(leaving_, true)) return;
  }
  wakeup_.notify();
}

NextStageStanding NextStage::standing() const {
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(error_);
  return standing_;
}

void NextStage::run(const std::stop_token& stop) try {
  while (!stop.stop_requested()) {
    const Instant now = std::chrono::steady_clock::now();
    {
      const std::lock_guard lock(mutex_);
      core_.set_stage(stage_);
      if (leaving_) core_.leave();
    }
    receive(now);
    read();
    send(now);
    report(now);
    zmq::pollitem_t items[] = {{connection_.socket().handle(), 0, ZMQ_POLLIN, 0},
                               {nullptr, wakeup_.fd(), ZMQ_POLLIN, 0}};
    zmq::poll(items, 2, core_.wants_record() ? milliseconds(0) : kChainTick);
    wakeup_.clear();
  }
  core_.leave();
  send(std::chrono::steady_clock::now());
} catch (...) {
  const std::lock_guard lock(mutex_);
  error_ = std::current_exception();
  owner_.notify();
}

void NextStage::receive(Instant now) {
  connection_.tend(now);
  for (int i = 0; i < kChainMessagesPerTurn; ++i) {
    const auto incoming = connection_.receive();
    if (!incoming) return;
    if (const auto* received = std::get_if<Received>(&incoming->content)) {
      core_.on_message(*received, now);
    } else {
      ++undecoded_;
      nonsense_.add(whom(), to_string(std::get<DecodeError>(incoming->content)));
    }
  }
}

void NextStage::read() {
  if (core_.take_rewind()) records_.rewind();
  for (int i = 0; i < kRecordsPerTurn && core_.wants_record(); ++i) core_.add(records_.next());
}

void NextStage::send(Instant now) {
  while (auto frames = core_.next_message(now)) {
    if (connection_.send(*frames) == SendResult::sent) continue;
    core_.not_sent();
    return;
  }
}

void NextStage::report(Instant now) {
  if (auto line = watch_.update(core_.over() ? now : core_.heard(), now)) spdlog::info("{}", *line);
  if (core_.is_busy() && !std::exchange(told_busy_, true)) {
    spdlog::info("waiting for {}: it takes the lines of another sender", whom());
  }
  for (const std::string& line : nonsense_.due_lines(now)) spdlog::warn("{}", line);
  while (auto line = connection_.next_complaint(now)) spdlog::warn("{}", *line);
  const NextStageStanding standing{.wanted_record = core_.wanted_record(),
                                   .lines_taken = core_.lines_taken(),
                                   .lines_total = core_.total(),
                                   .is_there = watch_.is_there(now),
                                   .is_busy = core_.is_busy(),
                                   .other_job = core_.other_job(),
                                   .timed_out = watch_.timed_out(now),
                                   .over = core_.over(),
                                   .dropped_messages = core_.dropped_messages() + undecoded_};
  const std::lock_guard lock(mutex_);
  const bool is_news = differs(standing, standing_);
  standing_ = standing;
  if (is_news) owner_.notify();
}

}  // namespace fetchline
