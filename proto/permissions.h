// Which role may connect to which, and say what: the table of proto/PROTOCOL.md as code. Pure.
#pragma once

#include "proto/keys.h"
#include "proto/messages.h"

namespace fetchline {

// Where they meet: within a stage, or where the lines of one stage become the input of the next.
enum class Link : std::uint8_t { stage, chain };

// Within a stage workers connect to producers and collectors, producers to collectors; a collector
// connects to the producer of the next stage.
[[nodiscard]] bool may_connect(Role from, Role to, Link link = Link::stage);

// Of results a producer sends only those that no worker could: of lines that are no tasks, and of
// tasks that are given up.
[[nodiscard]] bool may_send(Role from, Role to, const Message& message, Link link = Link::stage);

}  // namespace fetchline
