#include "proto/nonsense_watch.h"

namespace fetchline {

void NonsenseWatch::add(const std::string& peer, std::string_view why) {
  const bool known = peers_.size() < kPeers || peers_.contains(peer);
  Count& count = peers_[known ? (peer.empty() ? "a peer" : peer) : "other peers"];
  ++count.dropped;
  count.why = why;
}

std::vector<std::string> NonsenseWatch::due_lines(Instant now) {
  std::vector<std::string> lines;
  for (auto at = peers_.begin(); at != peers_.end();) {
    Count& count = at->second;
    if (count.said != Instant{} && now - count.said < kEvery) {
      ++at;
      continue;
    }
    if (count.dropped == 0) {
      at = peers_.erase(at);
      continue;
    }
    const std::string messages =
        count.dropped == 1 ? "a message" : std::to_string(count.dropped) + " messages";
    lines.push_back("dropped " + messages + " from " + at->first + ": " + std::string(count.why));
    count.dropped = 0;
    count.said = now;
    ++at;
  }
  return lines;
}

}  // namespace fetchline
