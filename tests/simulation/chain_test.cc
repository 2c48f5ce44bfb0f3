// The two ends of a chain on a network that loses, repeats and delays what they say, while either
// dies and begins anew at any time.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <random>

#include "collector/next_stage_core.h"
#include "producer/stage_before_core.h"
#include "tests/proto/frames.h"

namespace fetchline {
namespace {

using std::chrono::milliseconds;

struct Chances {
  double lost = 0, repeated = 0, late = 0, sender_dies = 0, listener_dies = 0;
};

class Chain {
 public:
  Chain(std::uint64_t seed, const Chances& chances) : random_(seed), chances_(chances) {
    const std::size_t records = draw(0, 300);
    for (std::size_t i = 0; i < records; ++i) records_.push_back(lines_of(i));
    for (const auto& lines : records_) {
      for (const std::string& line : lines) {
        record_of_line_.push_back(&lines - records_.data());
        text_ += line + '\n';
      }
    }
    begin_sender();
    begin_listener();
  }

  // Until both ends are over; at most so many steps of a millisecond.
  void run(int most_steps) {
    for (int step = 0; step < most_steps && !over(); ++step) {
      if (step == most_steps / 2) chances_ = {};
      now_ += milliseconds(1);
      if (chance(0.2)) written_ += draw(0, 3);
      written_ = std::min<Index>(written_, records_.size());
      if (chance(chances_.sender_dies)) begin_sender();
      if (chance(chances_.listener_dies)) begin_listener();
      deliver();
      turn_of_sender();
      turn_of_listener();
      if (testing::Test::HasFailure()) return;
    }
    EXPECT_TRUE(over()) << "position " << listener_.position() << " of " << record_of_line_.size();
    EXPECT_EQ(taken_, text_.size());
  }

 private:
  struct Message {
    bool to_sender = false;
    PeerId from;
    std::string bytes;
  };

  std::size_t draw(std::size_t least, std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(least, most)(random_);
  }
  bool chance(double share) {
    return std::uniform_real_distribution<double>(0, 1)(random_) < share;
  }

  std::vector<std::string> lines_of(std::size_t record) {
    std::vector<std::string> lines;
    const std::size_t count = chance(0.3) ? 0 : chance(0.01) ? 2000 : draw(1, 4);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t bytes = chance(0.005) ? 60000 : draw(0, 40);
      lines.push_back(std::to_string(record) + "/" + std::to_string(i) + std::string(bytes, 'x'));
    }
    return lines;
  }

  void begin_sender() {
    sender_.emplace(BootId{++boots_});
    read_ = 0;
    connection_ = "connection " + std::to_string(boots_);
  }
  void begin_listener() {
    if (listener_.is_done()) return;  // it would have nothing to do
    listener_ = StageBeforeCore();
    taken_ = 0;
  }

  void carry(Message message) {
    if (chance(chances_.lost)) return;
    const int copies = chance(chances_.repeated) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      const auto delay = milliseconds(chance(chances_.late) ? draw(2, 3000) : 1);
      under_way_.emplace(now_ + delay, message);
    }
  }

  static Frames frames_in(const std::string& bytes) {
    Frames frames;
    frames.push_back(frame_of(bytes));
    return frames;
  }

  void deliver() {
    while (!under_way_.empty() && under_way_.begin()->first <= now_) {
      const Message message = std::move(under_way_.extract(under_way_.begin()).mapped());
      const Received received = received_of(frames_in(message.bytes));
      if (message.to_sender) {
        sender_->on_message(received, now_);
      } else {
        listener_.on_message(message.from, received, now_);
      }
    }
  }

  void turn_of_sender() {
    sender_->set_stage(
        {.job = job_number(1), .records = written_, .complete = written_ == records_.size()});
    if (sender_->take_rewind()) read_ = 0;
    for (int i = 0; i < 8 && sender_->wants_record(); ++i) {
      ASSERT_EQ(sender_->next_record(), read_);
      ASSERT_LT(read_, written_) << "reads what is not safe";
      sender_->add(records_[read_++]);
    }
    while (auto frames = sender_->next_message(now_)) {
      if (chance(chances_.lost)) {
        sender_->not_sent();
        break;
      }
      carry({.to_sender = false, .from = connection_, .bytes = frames->front().to_string()});
    }
    const Index wanted = sender_->wanted_record();
    const bool all_taken = most_position_ == record_of_line_.size();
    const Index most = all_taken ? records_.size() : record_of_line_[most_position_];
    ASSERT_LE(wanted, most) << "nobody was there yet";
  }

  void turn_of_listener() {
    for (std::size_t i = draw(0, 2); i > 0; --i) {
      const std::string taken = listener_.take_text();
      ASSERT_TRUE(text_.compare(taken_, taken.size(), taken) == 0) << "behind byte " << taken_;
      taken_ += taken.size();
    }
    ASSERT_FALSE(listener_.shorter_total());
    most_position_ = std::max<std::size_t>(most_position_, listener_.position());
    if (listener_.ended()) listener_.set_done(now_);
    listener_.advance(now_);
    for (auto& outgoing : listener_.take_outgoing()) {
      if (outgoing.peer != connection_) {
        listener_.unreachable(outgoing.peer);
      } else {
        carry({.to_sender = true, .from = {}, .bytes = outgoing.frames.front().to_string()});
      }
    }
  }

  [[nodiscard]] bool over() const { return sender_->over() && listener_.is_done(); }

  std::mt19937_64 random_;
  Chances chances_;
  std::vector<std::vector<std::string>> records_;
  std::vector<Index> record_of_line_;
  std::string text_;
  Index written_ = 0;

  Instant now_{std::chrono::hours(1)};
  std::multimap<Instant, Message> under_way_;
  std::uint64_t boots_ = 0;
  PeerId connection_;
  std::optional<NextStageCore> sender_;
  StageBeforeCore listener_;
  Index read_ = 0;
  std::size_t taken_ = 0;  // bytes
  std::size_t most_position_ = 0;
};

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

void run_seeds(const Chances& chances) {
  const std::uint64_t alone = number_from("TEST_SEED", 0);
  const std::uint64_t last = alone != 0 ? alone : number_from("TEST_SEEDS", 100);
  for (std::uint64_t seed = std::max<std::uint64_t>(alone, 1); seed <= last; ++seed) {
    Chain(seed, chances).run(60'000);
    ASSERT_FALSE(testing::Test::HasFailure()) << "replay with TEST_SEED=" << seed;
  }
}

TEST(Chain, CarriesEveryLineOnceAndInOrder) { run_seeds({}); }

TEST(Chain, CarriesThemOverANetworkThatLosesRepeatsAndDelays) {
  run_seeds({.lost = 0.2, .repeated = 0.2, .late = 0.1});
}

TEST(Chain, CarriesThemWhileEitherEndDies) {
  run_seeds({.sender_dies = 0.001, .listener_dies = 0.001});
}

TEST(Chain, CarriesThemWhileAllOfThatHappens) {
  run_seeds(
      {.lost = 0.1, .repeated = 0.1, .late = 0.05, .sender_dies = 0.0005, .listener_dies = 0.0005});
}

}  // namespace
}  // namespace fetchline
