// A peer that closes its end is an error of the write, not the end of the process.
#pragma once

#include <csignal>

namespace fetchline {

inline void block_sigpipe() {  // for the calling thread
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
}

}  // namespace fetchline
