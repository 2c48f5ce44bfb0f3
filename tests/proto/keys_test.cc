#include "proto/keys.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

const KeyPair kOne = random_key_pair(), kOther = random_key_pair();

std::string line_of(Role role, const std::string& key) {
  return std::string(to_string(role)) + " " + key + "\n";
}

template <class Parse>
std::string error_of(Parse parse) {
  try {
    (void)parse();
  } catch (const KeyError& error) {
    return error.what();
  }
  return "no error";
}
std::string error_in_key(const std::string& text) {
  return error_of([&] { return parse_key_file(text, Role::worker); });
}
std::string error_in_authorized(const std::string& text) {
  return error_of([&] { return parse_authorized_file(text); });
}

TEST(KeyFile, HasTheSecretKeyFromWhichThePublicOneFollows) {
  const KeyPair pair = parse_key_file(line_of(Role::worker, kOne.secret_key), Role::worker);
  EXPECT_EQ(pair.secret_key, kOne.secret_key);
  EXPECT_EQ(pair.public_key, kOne.public_key);
}

TEST(KeyFile, MayHaveCommentsBlankLinesSpacesAndCarriageReturns) {
  const std::string text =
      "# about\r\n\n  \t worker\t" + kOne.secret_key + "  of host a\r\n # more\n";
  EXPECT_EQ(parse_key_file(text, Role::worker).secret_key, kOne.secret_key);
  EXPECT_EQ(parse_key_file("worker " + kOne.secret_key, Role::worker).public_key, kOne.public_key);
}

TEST(KeyFile, OfAnotherRoleIsRefused) {
  EXPECT_EQ(error_in_key("\n" + line_of(Role::collector, kOne.secret_key)),
            "line 2: is the key of a collector, and this is a worker");
}

TEST(KeyFile, MayHaveKeysOfSeveralRolesForAProcessThatIsAllOfThem) {
  const KeyPair two = random_key_pair();
  const std::string text =
      line_of(Role::producer, two.secret_key) + line_of(Role::worker, kOne.secret_key);
  EXPECT_EQ(parse_key_file(text, Role::worker).public_key, kOne.public_key);
  EXPECT_EQ(parse_key_file(text, Role::producer).public_key, two.public_key);
}

TEST(KeyFile, HasOneKeyOfARole) {
  EXPECT_EQ(error_in_key(""), "there is no key in it");
  EXPECT_EQ(error_in_key("# worker\n"), "there is no key in it");
  const std::string line = line_of(Role::worker, kOne.secret_key);
  EXPECT_EQ(error_in_key(line + line), "line 2: is a second key of a worker");
}

TEST(KeyFile, ThatIsNoneIsRefusedWithoutQuotingWhatMayBeSecret) {
  const std::string& key = kOne.secret_key;
  for (const std::string& text : {key, "wörker " + key, "Worker " + key, "workers " + key}) {
    EXPECT_EQ(error_in_key(text), "line 1: does not begin with producer, worker or collector");
  }
  const std::string short_by_one = key.substr(1), not_z85 = "~" + short_by_one;
  for (const std::string& text : {std::string("worker"), "worker " + short_by_one,
                                  "worker " + key + "0", "worker " + not_z85, "worker # " + key}) {
    EXPECT_EQ(error_in_key(text), "line 1: has no key of 40 characters after the role");
  }
}

TEST(AuthorizedFile, HasAnyNumberOfKeysOfARoleAndComments) {
  const auto keys = parse_authorized_file("# all\n" + line_of(Role::worker, kOne.public_key) +
                                          "worker " + kOther.public_key + " since # yesterday\n");
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].public_key, kOne.public_key);
  EXPECT_EQ(keys[1].public_key, kOther.public_key);
  EXPECT_EQ(keys[1].role, Role::worker);
  EXPECT_TRUE(parse_authorized_file("").empty());
}

TEST(AuthorizedFile, GivesAKeyOneRoleOnly) {
  const std::string text =
      line_of(Role::worker, kOne.public_key) + "\n" + line_of(Role::producer, kOne.public_key);
  EXPECT_EQ(error_in_authorized(text), "line 3: has a key that stands above already");
}

TEST(AuthorizedFile, WithALineThatIsNoneIsRefusedAsAWhole) {
  const std::string good = line_of(Role::worker, kOne.public_key);
  EXPECT_EQ(error_in_authorized(good + "root " + kOther.public_key),
            "line 2: does not begin with producer, worker or collector");
  EXPECT_EQ(error_in_authorized(good + "worker key"),
            "line 2: has no key of 40 characters after the role");
}

TEST(Keys, SayWhoAKeyIsAndWhichKeysARoleHas) {
  Keys keys;
  EXPECT_TRUE(keys.empty());
  keys.own = kOne;
  keys.authorized = {{Role::collector, kOne.public_key}, {Role::worker, kOther.public_key}};
  EXPECT_FALSE(keys.empty());
  EXPECT_EQ(keys.role_of(kOther.public_key), Role::worker);
  EXPECT_EQ(keys.role_of(random_key_pair().public_key), std::nullopt);
  EXPECT_EQ(keys.role_of(""), std::nullopt);
  EXPECT_EQ(keys.keys_of(Role::collector), std::vector<std::string>{kOne.public_key});
  EXPECT_TRUE(keys.keys_of(Role::producer).empty());
}

TEST(IsOfThisMachine, IsTrueOfLoopbackAddressesOnly) {
  for (const char* endpoint : {"inproc://tasks", "ipc:///run/a", "tcp://127.0.0.1:5555",
                               "tcp://127.9.8.7:*", "tcp://localhost:1", "tcp://[::1]:5555"}) {
    EXPECT_TRUE(is_of_this_machine(endpoint)) << endpoint;
  }
  for (const char* endpoint :
       {"tcp://*:5555", "tcp://0.0.0.0:5555", "tcp://[::]:5555", "tcp://10.0.0.1:1", "tcp://lo:1",
        "tcp://127.0.0.1.example:1", "tcp://127.1:1", "tcp://[fe80::1]:1", "tcp://128.0.0.1:1",
        "tcp://eth0;127.0.0.1:1", "tcp://:1", "tcp://", "udp://127.0.0.1:1", ""}) {
    EXPECT_FALSE(is_of_this_machine(endpoint)) << endpoint;
  }
}

}  // namespace
}  // namespace fetchline
