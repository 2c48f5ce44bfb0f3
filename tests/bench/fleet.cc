// bench-fleet: many workers in one process that fetch nothing: every task is answered at once. So
// a producer and a collector run as fast as they can, over real sockets, and nothing else is
// measured with them.
//
// Each worker has its own two connections and the state machine of the real one; only the
// fetchers are missing. Ends with the job.
//
//     bench-fleet --workers 256 --body 100
#include <chrono>
#include <cstdio>
#include <deque>
#include <exception>
#include <string>
#include <utility>
#include <variant>
#include <vector>
#include <zmq.hpp>

#include "proto/sockets.h"
#include "tests/bench/arguments.h"
#include "worker/worker_core.h"

namespace fetchline::bench {
namespace {

constexpr std::chrono::milliseconds kTick{1};  // reports leave each 2 ms
constexpr int kMessagesPerTurn = 64;           // of one connection, so that none starves another

Fetched answer_to(Fetch order, const std::string& name, std::size_t body_bytes) {
  Fetched fetched;
  fetched.job = order.job;
  Result& result = fetched.result;
  result.index = order.task.index;
  result.attempts = order.task.attempt;
  result.outcome = Outcome::ok;
  result.response_code = 200;
  result.url = std::move(order.task.url);
  result.method = "GET";
  result.http_version = "1.1";
  result.content_type = "text/plain";
  result.remote_ip = "127.0.0.1";
  result.size_download = body_bytes;
  result.time_total = std::chrono::microseconds(1);
  result.worker = name;
  result.header_block = "Content-Type: text/plain\r\n";
  result.body.assign(body_bytes, 'x');
  return fetched;
}

class SimulatedWorker {
 public:
  SimulatedWorker(zmq::context_t& context, const Arguments& arguments, std::size_t number)
      : name_("fleet:" + std::to_string(number)),
        body_bytes_(arguments.number<std::size_t>("body")),
        core_({.id = WorkerId{random_u64()},
               .name = name_,
               .slots = arguments.number<std::uint32_t>("slots")}),
        producer_(connect_to(context, arguments.text("producer"))),
        collector_(connect_to(context, arguments.text("collector"))) {}

  [[nodiscard]] zmq::socket_t& producer() { return producer_; }
  [[nodiscard]] zmq::socket_t& collector() { return collector_; }
  [[nodiscard]] bool over() const { return core_.over(); }

  void receive_from_producer(Instant now) {
    for (int i = 0; i < kMessagesPerTurn; ++i) {
      auto incoming = receive(producer_);
      if (!incoming) return;
      core_.on_producer_message(0, std::get<Received>(std::move(incoming->content)), now);
    }
  }

  void receive_from_collector(Instant now) {
    for (int i = 0; i < kMessagesPerTurn; ++i) {
      auto incoming = receive(collector_);
      if (!incoming) return;
      core_.on_collector_message(0, std::get<Received>(std::move(incoming->content)), now);
    }
  }

  void turn(Instant now) {
    core_.advance(now);
    for (FetchCommand& command : core_.take_commands()) {
      auto* order = std::get_if<Fetch>(&command);
      if (order != nullptr) core_.on_fetched(answer_to(std::move(*order), name_, body_bytes_));
    }
    for (auto& outgoing : core_.take_outgoing()) {
      const bool to_producer = outgoing.to == WorkerCore::To::producer;
      (void)send(to_producer ? producer_ : collector_, outgoing.frames);
    }
    while (auto batch = core_.next_results(0, now)) {
      if (send(collector_, *batch) == SendResult::sent) continue;
      core_.results_not_sent(0);
      break;
    }
  }

 private:
  const std::string name_;
  const std::size_t body_bytes_;
  WorkerCore core_;
  zmq::socket_t producer_, collector_;
};

void run(std::deque<SimulatedWorker>& workers) {
  std::vector<zmq::pollitem_t> items;
  for (SimulatedWorker& worker : workers) {
    items.push_back({worker.producer().handle(), 0, ZMQ_POLLIN, 0});
    items.push_back({worker.collector().handle(), 0, ZMQ_POLLIN, 0});
  }
  bool over = false;
  while (!over) {
    zmq::poll(items, kTick);
    const Instant now = std::chrono::steady_clock::now();
    over = true;
    for (std::size_t i = 0; i < workers.size(); ++i) {
      if (items[2 * i].revents != 0) workers[i].receive_from_producer(now);
      if (items[2 * i + 1].revents != 0) workers[i].receive_from_collector(now);
      workers[i].turn(now);
      over = over && workers[i].over();
    }
  }
}

int main_of(int argc, char** argv) {
  const Arguments arguments(argc, argv,
                            {{"producer", "tcp://127.0.0.1:5555"},
                             {"collector", "tcp://127.0.0.1:5556"},
                             {"workers", "16"},
                             {"slots", "256"},
                             {"body", "0"}});
  zmq::context_t context = make_context(1);
  std::deque<SimulatedWorker> workers;
  for (std::size_t i = 0; i < arguments.number<std::size_t>("workers"); ++i) {
    workers.emplace_back(context, arguments, i);
  }
  run(workers);
  return 0;
}

}  // namespace
}  // namespace fetchline::bench

int main(int argc, char** argv) {
  try {
    return fetchline::bench::main_of(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench-fleet: %s\n", error.what());
    return 1;
  }
}
