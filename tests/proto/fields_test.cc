// Fields that are written and read by hand, against protobuf's own classes.
#include "proto/fields.h"

#include <gtest/gtest.h>

#include <utility>

#include "proto/field_reader.h"
#include "proto/field_writer.h"
#include "tests/proto/samples.h"
#include "wire.pb.h"

namespace fetchline {
namespace {

std::string written(const Result& result) {
  std::string bytes;
  FieldWriter writer(bytes);
  const BesideFields beside{
      .body_bytes = result.body.size(), .body = "b", .emit_bytes = 7, .emit_error = "e"};
  for_each_result_field(result, beside, writer);
  return bytes;
}

std::string written(const Task& task) {
  std::string bytes;
  FieldWriter writer(bytes);
  for_each_task_field(task, writer);
  return bytes;
}

// What was read, written again; empty: it was refused.
std::string reread(std::string_view bytes) {
  Result result;
  result.outcome = Outcome::ok;
  BesideFields beside;
  FieldReader reader(bytes);
  const bool whole = reader.read([&](auto& pass) { for_each_result_field(result, beside, pass); });
  result.body.resize(beside.body_bytes);
  return whole && !reader.out_of_range() ? written(result) : "";
}

template <class Wire>
Wire parsed(const std::string& bytes) {
  Wire message;
  EXPECT_TRUE(message.ParseFromString(bytes));
  return message;
}

TEST(Fields, AResultIsWrittenAsProtobufWritesIt) {
  for (const Result& result : {samples::result(), samples::bare_result()}) {
    EXPECT_EQ(parsed<wire::Result>(written(result)).SerializeAsString(), written(result));
  }
  const auto message = parsed<wire::Result>(written(samples::result()));
  EXPECT_EQ(message.exitcode(), samples::result().exitcode);
  EXPECT_EQ(message.header_block(), samples::result().header_block);
  EXPECT_EQ(message.time_total_us(),
            static_cast<std::uint64_t>(samples::result().time_total.count()));
}

TEST(Fields, ATaskIsWrittenAsProtobufWritesIt) {
  const auto message = parsed<wire::Task>(written(samples::task()));
  EXPECT_EQ(message.SerializeAsString(), written(samples::task()));
  EXPECT_TRUE(message.has_body());
  EXPECT_EQ(message.race_size(), 2);
}

TEST(Fields, ANegativeNumberIsOneThatProtobufReads) {
  Result result;
  result.exitcode = -2;
  EXPECT_EQ(parsed<wire::Result>(written(result)).exitcode(), -2);
  EXPECT_EQ(reread(written(result)), written(result));
}

TEST(Fields, OrderDoesNotMatterAndTheLastOfSeveralCounts) {
  const std::string bytes = written(samples::result());
  wire::Result early;
  early.set_url("http://earlier.example/");
  early.set_attempts(99);
  EXPECT_EQ(reread(early.SerializeAsString() + bytes), bytes);
  wire::Result late;
  late.set_worker("last:1");
  wire::Result first;
  first.set_index(7);
  const auto both =
      parsed<wire::Result>(reread(late.SerializeAsString() + first.SerializeAsString()));
  EXPECT_EQ(both.worker(), "last:1");
  EXPECT_EQ(both.index(), 7U);
}

TEST(Fields, UnknownFieldsArePassedOver) {
  const std::string bytes = written(samples::result());
  const std::string unknown(
      "\xA0\x06\x01"  // 100, a varint
      "\xAA\x06\x03"
      "abc"  // 101, bytes
      "\x0A\x02"
      "xy"                          // 1 as bytes, which it is not
      "\xB3\x06\x08\x01\xB4\x06");  // 102, a group with a field in it
  EXPECT_EQ(reread(unknown + bytes + unknown), bytes);
}

TEST(Fields, WhatIsCutShortIsRefused) {
  const std::string bytes = written(samples::result());
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    const std::string front = bytes.substr(0, size);
    wire::Result message;
    EXPECT_EQ(reread(front).empty(), !message.ParseFromString(front)) << size;
  }
  EXPECT_EQ(reread(bytes + '\0'), "");
  EXPECT_EQ(reread(bytes + "\x0C"), "");              // the end of a group that did not begin
  EXPECT_EQ(reread("\x3A\xFF\xFF\xFF\xFF\x0F"), "");  // a text of 4 GiB
}

TEST(Fields, AnOutcomeThatThereIsNotIsRefused) {
  wire::Result message;
  message.set_outcome(kOutcomeCount);
  EXPECT_EQ(reread(message.SerializeAsString()), "");
  message.set_outcome(1);
  EXPECT_NE(reread(message.SerializeAsString()), "");
}

}  // namespace
}  // namespace fetchline
