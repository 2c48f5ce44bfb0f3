// bench-micro: what the pure parts cost by themselves. items_per_second is the figure to look at.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "collector/reorder.h"
#include "producer/ledger.h"
#include "producer/producer_core.h"
#include "producer/task_parser.h"
#include "proto/codec.h"
#include "proto/record_json.h"

namespace fetchline {
namespace {

constexpr std::size_t kBatch = 64;  // as workers and producers make them
constexpr Epoch kEpoch{1};
constexpr WorkerId kWorker{7};

Result result_with(Index index, std::size_t body_bytes) {
  Result result;
  result.index = index;
  result.attempts = 1;
  result.outcome = Outcome::ok;
  result.response_code = 200;
  result.url = "http://127.0.0.1:8080/p/" + std::to_string(index);
  result.method = "GET";
  result.http_version = "1.1";
  result.content_type = "text/plain";
  result.remote_ip = "127.0.0.1";
  result.size_download = body_bytes;
  result.time_total = std::chrono::microseconds(1234);
  result.worker = "host:12345";
  result.header_block = "Content-Type: text/plain\r\nContent-Length: 1024\r\n";
  result.body.assign(body_bytes, 'x');
  return result;
}

Task task_with(Index index) {
  Task task;
  task.index = index;
  task.url = "http://127.0.0.1:8080/p/" + std::to_string(index);
  return task;
}

Frames copies_of(Frames& frames) {
  Frames copies;
  copies.reserve(frames.size());
  for (zmq::message_t& frame : frames) copies.emplace_back().copy(frame);
  return copies;
}

void count_items(benchmark::State& state, std::size_t per_iteration) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(per_iteration));
}

Frames results_message(std::size_t body_bytes) {
  Frames message = encode_results_header({}, kEpoch, kWorker);
  for (Index i = 0; i < kBatch; ++i) {
    EncodedResult encoded = encode_result(result_with(i, body_bytes));
    append_result(message, encoded);
  }
  return message;
}

// Making the result, two texts and a body, is in it: encoding takes it apart.
void encode_results(benchmark::State& state) {
  const auto body_bytes = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(results_message(body_bytes));
  count_items(state, kBatch);
}
BENCHMARK(encode_results)->Arg(0)->Arg(1024)->Arg(100 * 1024);

void decode_results(benchmark::State& state) {
  Frames message = results_message(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(decode(copies_of(message)));
  count_items(state, kBatch);
}
BENCHMARK(decode_results)->Arg(0)->Arg(1024)->Arg(100 * 1024);

Tasks tasks_message() {
  Tasks message;
  message.seq = 1;
  for (Index i = 0; i < kBatch; ++i) message.tasks.push_back(task_with(i));
  return message;
}

void encode_tasks(benchmark::State& state) {
  const Tasks message = tasks_message();
  for (auto _ : state) benchmark::DoNotOptimize(encode({}, kEpoch, message));
  count_items(state, kBatch);
}
BENCHMARK(encode_tasks);

void decode_tasks(benchmark::State& state) {
  Frames message = encode({}, kEpoch, tasks_message());
  for (auto _ : state) benchmark::DoNotOptimize(decode(copies_of(message)));
  count_items(state, kBatch);
}
BENCHMARK(decode_tasks);

// The argument is how far from its place a result may come; results are made beforehand and go
// round, so that only the buffer is measured.
void reorder(benchmark::State& state) {
  constexpr std::size_t kRound = 1 << 16;
  std::vector<Index> arrival(kRound);
  std::iota(arrival.begin(), arrival.end(), Index{0});
  std::mt19937_64 random(1);
  const auto spread = static_cast<std::ptrdiff_t>(state.range(0));
  for (auto at = arrival.begin(); at + spread < arrival.end(); at += spread) {
    std::shuffle(at, at + spread, random);
  }
  ReorderBuffer buffer({kMaxIndex, std::size_t{1} << 40});
  Index base = 0;
  for (auto _ : state) {
    for (const Index offset : arrival) {
      Result result;
      result.index = base + offset;
      benchmark::DoNotOptimize(buffer.store(std::move(result)));
      while (auto next = buffer.take_next()) benchmark::DoNotOptimize(next);
    }
    base += kRound;
  }
  count_items(state, kRound);
}
BENCHMARK(reorder)->Arg(1)->Arg(64)->Arg(16384);

// A task's whole way: read, handed out, delivered, committed.
void ledger(benchmark::State& state) {
  Ledger ledger;
  for (auto _ : state) {
    const Index first = ledger.next_index();
    for (std::size_t i = 0; i < kBatch; ++i) ledger.add(task_with(first + i));
    for (std::size_t i = 0; i < kBatch; ++i) {
      benchmark::DoNotOptimize(ledger.lease(kMaxIndex, {kWorker, 1}));
    }
    for (std::size_t i = 0; i < kBatch; ++i) ledger.delivered(kWorker, first + i);
    ledger.commit_below(first + kBatch);
  }
  count_items(state, kBatch);
}
BENCHMARK(ledger);

// What a look at /status costs the producer's loop: so many tasks at 1,000 workers, on 1,000 hosts.
void producer_status(benchmark::State& state) {
  constexpr unsigned kWorkers = 1'000;
  const auto tasks = static_cast<unsigned>(state.range(0));
  const Instant now{std::chrono::seconds(1'000)};
  ProducerCore core({.job = {}, .job_settings = {}, .retry = {}, .name = "bench:1"});
  for (unsigned i = 0; i < tasks; ++i) {
    Task task;
    task.url = "https://host-" + std::to_string(i % 1'000) + ".example/a/path/to/page/" +
               std::to_string(i) + "?with=query";
    core.add(std::move(task));
  }
  State opened;
  opened.seq = 1;
  opened.dispatch_limit = kMaxIndex;
  opened.whole = true;
  core.on_collector_message({{}, kEpoch, opened}, now);
  for (unsigned i = 0; i < kWorkers; ++i) {
    Heartbeat heartbeat;
    heartbeat.worker = WorkerId{i + 1};
    heartbeat.name = "machine:" + std::to_string(i);
    heartbeat.seq = 1;
    heartbeat.slots = tasks / kWorkers;
    core.on_worker_message(heartbeat.name, {{}, {}, heartbeat}, now);
  }
  core.advance(now, {});
  if (core.in_flight() != tasks) state.SkipWithError("not all tasks are handed out");
  for (auto _ : state) benchmark::DoNotOptimize(core.status(now));
}
BENCHMARK(producer_status)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

void write_record(benchmark::State& state) {
  const Result result = result_with(123'456, static_cast<std::size_t>(state.range(0)));
  std::string record;
  for (auto _ : state) {
    record.clear();
    append_record(record, result);
    benchmark::DoNotOptimize(record.data());
  }
  count_items(state, 1);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(record.size()));
}
BENCHMARK(write_record)->Arg(0)->Arg(1024)->Arg(100 * 1024);

void parse_lines(benchmark::State& state, std::string_view text) {
  TaskParser parser;
  for (auto _ : state) {
    benchmark::DoNotOptimize(parser.parse({.text = text, .too_long = false, .number = 1}, 0));
  }
  count_items(state, 1);
}
BENCHMARK_CAPTURE(parse_lines, url, "http://127.0.0.1:8080/p/123456");
BENCHMARK_CAPTURE(parse_lines, object,
                  R"({"url":"http://127.0.0.1:8080/p/123456","id":"42","max_time":5})");

}  // namespace
}  // namespace fetchline
