// What is asked of an origin: the job's settings with the task's wishes laid over them. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "proto/task.h"

namespace fetchline {

struct Request {
  std::string_view method;            // never empty; points into task, job or program
  const std::string* body = nullptr;  // in the task or the job; null: none
  std::vector<std::string> headers;   // all that headers_of() has, and the task's; none when as_job
  std::chrono::milliseconds max_time{0};
  bool as_job = true;  // method, headers, body and max_time are the job's: nothing is special
};

[[nodiscard]] std::string user_agent_of(const JobSettings& settings);

// What each request of the job has: its headers, and User-Agent and Accept-Encoding unless it names
// them. libcurl, told to add those two by itself, formats them twice for each request, at 20 ns a
// byte.
[[nodiscard]] std::vector<std::string> headers_of(const JobSettings& settings);

// Points into both; they must outlive it.
[[nodiscard]] Request request_for(const JobSettings& settings, const Task& task);

// Why this cannot be sent safely, for a record's errormsg: a control character in a header, a
// method that is no token, a NUL in a URL. Empty: nothing is wrong. libcurl sends what it is
// given, so a line break let through here would be another header, or another request.
[[nodiscard]] std::string flaw_of(const JobSettings& settings);
[[nodiscard]] std::string flaw_of(const Task& task);

// The addresses a task may be fetched from. A stage's are tried at once, the next stage when none
// of them was ok: first the task's url together with `race`, then each of `failover` alone.
// Repetitions are left out. Never empty. Points into the task.
using Stage = std::vector<const std::string*>;
[[nodiscard]] std::vector<Stage> stages_of(const Task& task);

}  // namespace fetchline
