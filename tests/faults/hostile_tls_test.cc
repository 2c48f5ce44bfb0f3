// Peers that one must not believe, and one that one may.
#include <filesystem>
#include <optional>

#include "tests/faults/meeting.h"

namespace fetchline {
namespace {

using nlohmann::json;
using std::chrono::hours;

const Act kAnswers = [](Wire& wire) {
  wire.say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
};

TEST(HostileTls, IsAnErrorWhenTheCertificateHasExpired) {
  meet({.act = kAnswers,
        .outcome = "tls_error",
        .identity = Meeting::authority().issue({.begins = -hours(2), .ends = -hours(1)})});
}

TEST(HostileTls, IsAnErrorWhenTheCertificateIsOfAnotherHost) {
  meet({.act = kAnswers,
        .outcome = "tls_error",
        .identity = Meeting::authority().issue({.names = "IP:127.0.0.2,DNS:other.example"})});
}

TEST(HostileTls, IsAnErrorWhenTheCertificateIsSelfSigned) {
  meet({.act = kAnswers, .outcome = "tls_error", .identity = self_signed()});
}

TEST(HostileTls, IsAnErrorWhenTheAuthorityIsUnknown) {
  meet({.act = kAnswers, .outcome = "tls_error", .identity = Authority().issue()});
}

TEST(HostileTls, TimesOutWhenTheHandshakeHangs) {
  const HostileOrigin deaf({}, 1);  // waits for a line of HTTP that never comes
  meet({.act = {},
        .outcome = "timeout",
        .url = "https://127.0.0.1:" + std::to_string(deaf.port()) + "/"});
}

TEST(HostileTls, IsAnErrorWhenTheOriginSpeaksInTheClear) {
  const Origin plain;
  meet({.act = {},
        .outcome = "tls_error",
        .url = "https://127.0.0.1:" + std::to_string(plain.port()) + "/"});
}

TEST(HostileTls, IsResetWhenItIsNotAskedFor) {
  const HostileOrigin secret(kAnswers, 1, Meeting::authority().issue());
  meet({.act = {},
        .outcome = "reset",
        .url = "http://127.0.0.1:" + std::to_string(secret.port()) + "/"});
}

// Anybody on the way can end a connection of TCP, and make of a body what they like that way; the
// word of goodbye they cannot say. RFC 8446, 6.1.
TEST(HostileTls, IsResetWhenABodyWithoutLengthEndsWithoutAGoodbye) {
  const std::string body = "HTTP/1.1 200 OK\r\n\r\nhalf a body";
  const Act cuts = [body](Wire& wire) {
    wire.say(body);
    wire.cut();
  };
  const Act resets = [body](Wire& wire) {
    wire.say(body);
    wire.pause(std::chrono::milliseconds(20));
    wire.reset();
  };
  const Act cuts_before = [](Wire& wire) {
    wire.say("HTTP/1.1 200 OK\r\n\r\n");
    wire.cut();
  };
  for (const Act& act : {cuts, resets, cuts_before}) {
    meet({.act = act, .outcome = "reset", .identity = Meeting::authority().issue()});
  }
}

TEST(Tls, IsOkWhenABodyWithoutLengthEndsWithAGoodbye) {
  const Act act = [](Wire& wire) {
    wire.say("HTTP/1.0 200 OK\r\n\r\na body");
    wire.close();
  };
  const json record = meet({.act = act, .outcome = "ok", .identity = Meeting::authority().issue()});
  EXPECT_EQ(record.value("body", ""), "a body");
}

TEST(Tls, IsOkWithoutAGoodbyeWhereTheEndIsKnownWithoutIt) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                             "HTTP/1.1 204 None\r\n\r\n"}) {
    const Act act = [answer](Wire& wire) {
      wire.say(answer);
      wire.cut();
    };
    meet({.act = act, .outcome = "ok", .identity = Meeting::authority().issue()});
  }
}

TEST(Tls, IsOkWithoutAGoodbyeWhenNoBodyWasAskedFor) {
  const Act act = [](Wire& wire) {
    wire.say("HTTP/1.1 200 OK\r\n\r\n");
    wire.cut();
  };
  const HostileOrigin origin(act, 1, Meeting::authority().issue());
  TemporaryDirectory directory;
  write_file(directory.file("ca.pem"), Meeting::authority().certificate());
  const Ended ended = run(fetchline_path(), {origin.url("/bad"), "-X", "HEAD", "-q"},
                          {.environment = {{"CURL_CA_BUNDLE", directory.file("ca.pem")}}});
  EXPECT_EQ(json::parse(ended.out).value("outcome", ""), "ok") << ended.out;
}

TEST(Tls, IsOkWithACertificateOfTheAuthorityThatTheEnvironmentNames) {
  TemporaryDirectory directory;
  write_file(directory.file("ca.pem"), Meeting::authority().certificate());
  write_file(directory.file("other.pem"), Authority().certificate());
  const HostileOrigin origin(kAnswers, 1, Meeting::authority().issue());
  const auto outcome_with = [&](std::map<std::string, std::string> environment) {
    for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"}) {
      environment.try_emplace(name);  // this machine's own; empty is as good as none
    }
    const Ended ended = run(fetchline_path(), {origin.url("/bad"), "--retry", "0", "-q"},
                            {.environment = environment});
    return json::parse(ended.out).value("outcome", "");
  };
  EXPECT_EQ(outcome_with({}), "tls_error") << "the system does not know it";
  EXPECT_EQ(outcome_with({{"SSL_CERT_FILE", directory.file("ca.pem")}}), "ok");
  EXPECT_EQ(outcome_with({{"CURL_CA_BUNDLE", directory.file("ca.pem")}}), "ok");
  EXPECT_EQ(outcome_with({{"CURL_CA_BUNDLE", directory.file("other.pem")},
                          {"SSL_CERT_FILE", directory.file("ca.pem")}}),
            "tls_error")
      << "the bundle comes first, as for curl";
  EXPECT_EQ(outcome_with({{"SSL_CERT_FILE", directory.file("missing.pem")}}), "tls_error");
}

TEST(Tls, IsOkAndKeepsItsConnections) {
  const HostileOrigin origin(kAnswers, Meeting::kAtOnce, Meeting::authority().issue());
  Meeting meeting;
  for (int round = 0; round < 3; ++round) meeting.fetch_good(origin);
  EXPECT_EQ(origin.connections(), Meeting::kAtOnce);
}

// An origin that speaks HTTP/2 and nothing else.
class Http2 : public testing::Test {
 protected:
  static constexpr const char* kServer = "/usr/sbin/nghttpd";

  void SetUp() override {
    ASSERT_TRUE(std::filesystem::exists(kServer)) << "nghttp2-server has it";
    const Identity identity = Meeting::authority().issue();
    write_file(directory_.file("ca.pem"), Meeting::authority().certificate());
    write_file(directory_.file("key.pem"), identity.key);
    write_file(directory_.file("certificate.pem"), identity.certificate);
    origin_.emplace(kServer,
                    Args{"-a", "127.0.0.1", "-d", directory_.path().string(), std::to_string(port_),
                         directory_.file("key.pem"), directory_.file("certificate.pem")});
  }

  Records fetch(const std::string& name, std::size_t times, const Args& flags) {
    const std::string url = "https://127.0.0.1:" + std::to_string(port_) + "/" + name;
    const Ended ended =
        run(fetchline_path(),
            Args(times, url) +
                Args{"-q", "--retry-delay", "50ms", "--retry", "9", "--fail-on", "never"} + flags,
            {.environment = {{"CURL_CA_BUNDLE", directory_.file("ca.pem")}}});
    EXPECT_EQ(ended.code, 0) << ended.err;
    Records records = parse_records(ended.out);
    EXPECT_EQ(records.size(), times);
    return records;
  }

  const TemporaryDirectory directory_;
  const std::uint16_t port_ = free_port();
  std::optional<RunningProgram> origin_;
};

TEST_F(Http2, IsSpokenUnlessTheUserSaysOtherwise) {
  write_file(directory_.file("page.txt"), "a page\n");
  for (const Args& flags : {Args{}, Args{"--http2"}}) {
    for (const json& record : fetch("page.txt", 2, flags)) {
      EXPECT_EQ(record.value("outcome", ""), "ok") << record;
      EXPECT_EQ(record.value("http_version", ""), "2");
      EXPECT_EQ(record.value("body", ""), "a page\n");
    }
  }
  const json refused = fetch("page.txt", 1, {"--http1.1", "--retry", "0"}).at(0);
  EXPECT_NE(refused.value("outcome", ""), "ok") << refused;
  EXPECT_NE(refused.value("http_version", ""), "2") << refused;
}

// More than a worker has memory for: some wait, on the connection that the others use.
TEST_F(Http2, LetsLargeBodiesOfOneConnectionWaitForOneAnother) {
  constexpr std::size_t kSize = std::size_t{7} << 20;
  constexpr std::size_t kCount = 12;
  write_file(directory_.file("large.txt"), std::string(kSize, 'x'));
  const Records records =
      fetch("large.txt", kCount, {"-j", std::to_string(kCount), "--threads", "1", "--retry", "1"});
  for (const json& record : records) {
    EXPECT_EQ(record.value("outcome", ""), "ok") << record.value("errormsg", "");
    EXPECT_EQ(record.value("http_version", ""), "2");
    EXPECT_EQ(record.value("body", "").size(), kSize);
  }
}

}  // namespace
}  // namespace fetchline
