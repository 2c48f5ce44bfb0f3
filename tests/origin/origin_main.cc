// fetchline-origin [--port N]: the scripted origin as a program, for demonstrations. Prints its
// port, runs until SIGTERM or SIGINT. What it answers: tests/origin/origin.h.
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "tests/origin/origin.h"

int main(int argc, char** argv) {
  unsigned long port = 0;
  if (argc == 3 && std::string_view(argv[1]) == "--port") {
    port = std::strtoul(argv[2], nullptr, 10);
  } else if (argc != 1) {
    std::fprintf(stderr, "usage: %s [--port N]\n", argv[0]);
    return 2;
  }
  // Blocked before the origin's thread starts, so that it inherits the mask and we can wait.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  try {
    const fetchline::Origin origin(static_cast<std::uint16_t>(port));
    std::printf("%u\n", static_cast<unsigned>(origin.port()));
    std::fflush(stdout);
    int which = 0;
    sigwait(&ends, &which);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fetchline-origin: %s\n", error.what());
    return 1;
  }
  return 0;
}
