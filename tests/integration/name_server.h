// A name server of the test's own, for threads that have a network and a resolver of their own.
#pragma once

#include <netinet/in.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fetchline {

// Runs it on a thread in a network of its own, with nothing but 127.0.0.0/8, whose names are asked
// for there, once, for a second. Threads that it starts are there too. False when that needs root:
// it has not run.
[[nodiscard]] bool in_own_network(const std::function<void()>& test);

// Says that each name is 127.0.0.1, or that it does not exist when it begins with "no-". Says
// nothing until answer(). Owns a thread.
class NameServer {
 public:
  NameServer();  // in_own_network(); throws std::system_error
  ~NameServer();
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  void answer();                                             // from now on, and what was asked
  [[nodiscard]] std::size_t asked(const std::string& name);  // how often, for an IPv4 address
  [[nodiscard]] std::size_t names_asked();

 private:
  struct Question {
    std::string packet;
    sockaddr_in from;
  };
  void run();
  void take(const Question& question);
  void reply(const Question& question) const;

  const int socket_;
  std::mutex mutex_;
  bool answers_ = false;
  std::vector<Question> unanswered_;
  std::map<std::string, std::size_t> asked_;
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

}  // namespace fetchline
