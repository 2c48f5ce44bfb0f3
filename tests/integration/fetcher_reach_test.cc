// Whom a fetcher speaks to, where a redirect leads it. 127.0.0.3 plays the inside, all else the
// public net.
#include "tests/integration/fetcher_bench.h"

namespace fetchline {
namespace {

const std::vector<SpecialRange> kInside = {{"127.0.0.3/32", "inside"}};

class FetcherReach : public testing::Test {
 protected:
  [[nodiscard]] std::string public_to_inside() const {
    return outside_.url("/?location=" + inside_.url("/secret"));
  }

  const Origin outside_{0, "127.0.0.2"};
  const Origin inside_{0, "127.0.0.3"};
};

TEST_F(FetcherReach, EndsWhereARedirectLeadsInside) {
  Bench bench({}, 64, 0, AddressPolicy("any", kInside));
  const Fetched fetched = bench.get(public_to_inside());
  EXPECT_EQ(fetched.result.outcome, Outcome::blocked);
  EXPECT_EQ(fetched.result.errormsg,
            "a redirect leads from a public address to 127.0.0.3 (127.0.0.3/32, inside), which "
            "--allow-net does not name");
  EXPECT_EQ(fetched.result.response_code, 302);
  EXPECT_FALSE(fetched.transient);
  EXPECT_EQ(inside_.connections(), 0U);
}

TEST_F(FetcherReach, EndsThereThoughTheConnectionIsKept) {
  Bench bench({}, 64, 0, AddressPolicy("any", kInside));
  ASSERT_EQ(bench.get(inside_.url("/direct")).result.outcome, Outcome::ok);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(bench.get(public_to_inside()).result.outcome, Outcome::blocked);
  }
  EXPECT_EQ(inside_.requests("/secret"), 0U);
  EXPECT_EQ(bench.get(inside_.url("/direct")).result.outcome, Outcome::ok);
  EXPECT_EQ(outside_.requests(), 3U);
}

TEST_F(FetcherReach, GoesOnFromInsideToInside) {
  Bench bench({}, 64, 0, AddressPolicy("any", kInside));
  const std::string url = inside_.url("/?location=" + inside_.url("/next"));
  EXPECT_EQ(bench.get(url).result.outcome, Outcome::ok);
  const std::string back = outside_.url("/%3Flocation=" + inside_.url("/secret"));
  EXPECT_EQ(bench.get(inside_.url("/?location=" + back)).result.outcome, Outcome::blocked);
  EXPECT_EQ(inside_.requests("/secret"), 0U);
}

TEST_F(FetcherReach, GoesWhereARangeNamesIt) {
  Bench bench({}, 64, 0, AddressPolicy("any,127.0.0.3", kInside));
  const Result result = bench.get(public_to_inside()).result;
  EXPECT_EQ(result.outcome, Outcome::ok) << result.errormsg;
  EXPECT_EQ(result.remote_ip, "127.0.0.3");
}

TEST_F(FetcherReach, IsThePublicNetWhenThatIsAll) {
  Bench bench({}, 64, 0, AddressPolicy("public", kInside));
  EXPECT_EQ(bench.get(outside_.url("/")).result.outcome, Outcome::ok);
  const Result result = bench.get(inside_.url("/secret")).result;
  EXPECT_EQ(result.outcome, Outcome::blocked);
  EXPECT_EQ(result.errormsg, "127.0.0.3 (127.0.0.3/32, inside) is not in --allow-net public");
  EXPECT_EQ(inside_.connections(), 0U);
}

TEST_F(FetcherReach, IsRefusedNotBlockedWhereSomethingWasTried) {
  Bench bench({}, 64, 0, AddressPolicy("public", kInside));
  EXPECT_EQ(bench.get(refusing_url()).result.outcome, Outcome::connect_error);
}

}  // namespace
}  // namespace fetchline
