// The proof at the start that nobody comes in without a key, against checks that are broken.
#include "proto/key_check.h"

#include <gtest/gtest.h>

#include "proto/sockets.h"

namespace fetchline {
namespace {

class ProofOfRefusal : public testing::Test {
 protected:
  zmq::context_t context_ = make_context(1);
  const KeyPair own_ = random_key_pair();
};

TEST_F(ProofOfRefusal, SucceedsWithTheRealCheck) {
  Keys keys;
  keys.own = own_;
  KeyCheck check(context_, keys, Link::stage);
  Complaints complaints;
  EXPECT_NO_THROW(prove_refusal(context_, own_, [&] { check.answer(complaints); }));
  EXPECT_TRUE(complaints.next(Instant{}).has_value());
}

TEST_F(ProofOfRefusal, FailsWhenEverybodyIsLetIn) {
  zmq::socket_t yes_man = bind_key_questions(context_);
  const auto answer = [&] {
    std::vector<std::string> question;
    for (zmq::message_t frame; yes_man.recv(frame, zmq::recv_flags::dontwait);) {
      question.push_back(frame.to_string());
      if (frame.more()) continue;
      for (const std::string& part : {std::string("1.0"), question.at(1), std::string("200"),
                                      std::string("OK"), std::string("worker")}) {
        yes_man.send(zmq::buffer(part), zmq::send_flags::sndmore);
      }
      yes_man.send(zmq::message_t(), zmq::send_flags::none);
      return;
    }
  };
  EXPECT_THROW(prove_refusal(context_, own_, answer), KeyError);
}

TEST_F(ProofOfRefusal, FailsWhenNobodyIsAsked) {
  EXPECT_THROW(prove_refusal(context_, own_, [] {}), KeyError);
}

}  // namespace
}  // namespace fetchline
