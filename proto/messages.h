// The messages of the protocol as values. proto/PROTOCOL.md says who sends which, when, and what
// happens when one is lost; here is what each field means, of tasks in task.h and of results, with
// the numbers of the outcomes, in result.h.
//
// Every message says how things stand, not what changed: it may be lost, repeated or overtaken.
// Where a newer one replaces an older one, `seq` grows and the receiver drops what is older.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "proto/ids.h"
#include "proto/index_set.h"
#include "proto/result.h"
#include "proto/task.h"

namespace fetchline {

// What a worker says of one attempt that it no longer works on.
struct Report {
  enum class Verdict : std::uint8_t {
    delivered = 0,  // its result is on the way to the collector, held until acknowledged
    retry = 1,      // failed in a way that may pass; no result exists
    returned = 2,   // never started, or given up while draining; nobody is to blame
  };
  Index index = 0;
  std::uint32_t attempt = 1;
  Verdict verdict = Verdict::delivered;
  // Of the attempt, when delivered or to be retried. What is delivered is counted by it for who
  // watches; it decides nothing.
  Outcome outcome = Outcome::ok;
  std::optional<std::chrono::milliseconds> retry_after;  // of a retry: what the origin asked for
};

// Worker to producer: login, sign of life, credit and reports in one.
struct Heartbeat {
  WorkerId worker{};
  std::string name;                // "host:pid"
  std::uint64_t seq = 0;           // of this worker process
  std::uint32_t slots = 0;         // transfers it can run at once
  std::uint32_t backlog = 0;       // tasks it wants beyond those, so that no slot waits
  bool draining = false;           // wants no more; gives back what it has not started
  bool cut_off = false;            // cannot reach the collector: then draining too, for the while
  IndexSet received;               // Tasks::seq received in this session
  std::uint64_t first_report = 1;  // sequence number of reports[0]; earlier ones are acknowledged
  std::vector<Report> reports;
  // Of the tasks it holds, those not started; all others it holds may be running. Each second.
  std::optional<IndexSet> queued;
  std::uint32_t running = 0;  // how many have been started and not ended; with `queued`
  // Tasks that must not be requested twice, given by a producer before this one, and still held:
  // waiting, running, or as a result that is not acknowledged. Each second.
  IndexSet of_older_epoch;
};

// Producer to worker: work, and the answer to every heartbeat (then often without tasks).
struct Tasks {
  // From 1 in each session; 0: not counted, and without tasks. One without tasks may be counted
  // too: that it arrived proves that an earlier one is lost.
  std::uint64_t seq = 0;
  std::uint64_t reports_seen = 0;       // every report up to this one is known
  std::optional<JobSettings> settings;  // until the worker has shown that it received one
  std::vector<Task> tasks;
};

// Worker to collector; producer too, for what ends without a worker: faulty lines, abandoned tasks.
struct Results {
  WorkerId sender{};
  std::vector<Result> results;
};

// Collector to a sender of results.
struct Acks {
  BootId boot{};                  // another one than before: resend everything
  std::uint64_t seq = 0;          // of this collector process
  Index watermark = 0;            // the oldest index not yet put out; always admitted
  Index admit_limit = 0;          // results below it are admitted, others are to wait
  std::uint64_t byte_window = 0;  // bytes that may be under way unacknowledged
  IndexSet accepted;              // safe: the sender forgets them
  IndexSet refused;               // not kept for want of room: send again when admitted
};

// Producer to collector, each second: asks for the job, then for its whole state. In the epoch that
// it was granted, or that it would end.
struct Open {
  std::uint64_t nonce = 0;    // of this producer process
  std::uint64_t in_hand = 0;  // tasks handed out and not finished
  bool resume = false;        // takes the job that the collector has, if it has one
  // It cannot show its input: that was the lines of another stage, which is over. Of a job that is
  // done nothing is compared then.
  bool input_gone = false;
};

// Producer to collector, when it resumes: what the tasks are that it would hand out. The collector
// compares them with those whose results it has; how far it came it says in State.
struct Recap {
  Index first = 0;
  std::vector<std::uint64_t> hashes;  // Task::hash of first, first + 1, …
};

// Collector to producer: the truth about the job.
struct State {
  BootId boot{};
  std::uint64_t nonce = 0;     // of the Open that this epoch was granted to
  std::uint64_t seq = 0;       // of this collector process
  Index watermark = 0;         // the oldest index not put out, as safely as was promised
  Index dispatch_limit = 0;    // hand out indices below it only; may shrink
  std::optional<Index> total;  // known once End was heard
  IndexSet committed;          // of those at or above the watermark; when `whole`
  std::uint64_t log = 0;       // the durable log that this stands in; a new one knows nothing
  Index compare_to = 0;        // a Recap is asked for of every index below it
  Index compared = 0;          // below it the tasks are the same as before
  bool whole = false;          // an answer to Open: what is not committed here is not committed
  // Of tasks that must not be requested twice: those below may be handed out, and those that the
  // producers before may have handed out.
  Index begun_below = 0;
  Index begun_before = 0;
};

// Producer to collector, until State::total says it is known: the input's sentinel.
struct End {
  Index total = 0;
};

// Producer to collector, when a task that must not be requested twice is next and State does not
// allow it yet: that it may be handed out is to be on record before it is.
struct Begin {
  Index below = 0;  // such tasks with a lower index
};

// The sentinel: every record is out. Collector to everybody, producer to workers.
struct Done {
  OutcomeCounts counts{};
};

// "I know that it is over", or "I leave": answers Done or Enough, and is said unasked by who leaves
// early.
struct Bye {
  WorkerId worker{};  // none from a producer, or from a collector to the next stage
  // Of a producer that leaves before the end: no task that must not be requested twice was sent, or
  // may have been, from there on. Not said: what State allowed may have been handed out.
  std::optional<Index> begun_below{};
};

// Collector to a producer that cannot have this collector, and to a worker whose results are of
// another job; producer to a collector whose lines it does not take.
struct Refused {
  enum class Reason : std::uint8_t {
    busy = 0,         // it serves another job, or takes the lines of another sender
    fenced = 1,       // a newer producer of the same job was granted its epoch
    other_input = 2,  // the task at `index` is not the one whose result is here; or lines of
                      // another job were taken, that of the envelope
    outdated = 3,     // the Open does not name the epoch that it would end: the one of this answer
  };
  Reason reason = Reason::busy;
  Index index = 0;
};

// A producer to the collector of the stage before, whose records' lines are its input: what it
// wants next.
struct Want {
  std::uint64_t from = 0;          // every line before it is here; they count from 0
  std::uint64_t credit_bytes = 0;  // room for lines from there on
};

// A collector to the producer of the next stage, each second and when it is wanted: the lines that
// its records emit, one after the other as if they were one file. Without lines: a sign of life.
struct Lines {
  BootId boot{};                       // of the sender; two of one job are told apart by it
  std::uint64_t first = 0;             // number of lines[0]
  std::vector<std::string> lines;      // without their ends
  std::optional<std::uint64_t> total;  // known when the stage is complete
};

// A producer to the collector of the stage before: its own job is done, so the lines are not needed
// any more.
struct Enough {};

using Message = std::variant<Heartbeat, Tasks, Results, Acks, Open, State, End, Done, Bye, Refused,
                             Recap, Want, Lines, Enough, Begin>;

}  // namespace fetchline
