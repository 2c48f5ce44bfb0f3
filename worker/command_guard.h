// Ends the commands of a worker that was killed: a small process beside it that knows their process
// groups and, when the worker is gone however that came, kills those that are left.
//
// It is a shell that reads a pipe. A command enters itself before it begins, so that none is
// missed; the worker, who alone may take one out, does so while the group's number is still its
// own. When the pipe ends so has the worker.
#pragma once

#include <sys/types.h>

#include "proto/file_descriptor.h"

namespace fetchline {

// Owned by the thread that runs the commands. Throws std::system_error when it cannot start.
class CommandGuard {
 public:
  CommandGuard();
  ~CommandGuard();  // what is not forgotten is killed
  CommandGuard(const CommandGuard&) = delete;
  CommandGuard& operator=(const CommandGuard&) = delete;

  // Starts another one when somebody has killed it: true, and it has to be told of the groups there
  // are. Throws as the constructor.
  [[nodiscard]] bool revive();
  void enter(pid_t group);
  void forget(pid_t group);  // it has ended and was not waited for yet
  // A command's copy of it is to be descriptor 3; it writes "+ GROUP".
  [[nodiscard]] int fd() const { return pipe_.get(); }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  void start();
  void say(char what, pid_t group);

  FileDescriptor pipe_;
  pid_t pid_ = -1;
};

}  // namespace fetchline
