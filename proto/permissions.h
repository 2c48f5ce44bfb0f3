// Which role may connect to which, and say what: the table of proto/PROTOCOL.md as code. Pure.
#pragma once

#include <string_view>

#include "proto/keys.h"
#include "proto/messages.h"

namespace fetchline {

// Workers connect to producers and collectors, producers to collectors.
[[nodiscard]] bool may_connect(Role from, Role to);

// Of results a producer sends only those that no worker could: of lines that are no tasks, and of
// tasks that are given up.
[[nodiscard]] bool may_send(Role from, Role to, const Message& message);

[[nodiscard]] std::string_view name_of(const Message& message);  // "Heartbeat"

}  // namespace fetchline
