// Which role may connect to which, and say what: the table of proto/PROTOCOL.md as code. Pure.
#pragma once

#include "proto/keys.h"
#include "proto/messages.h"

namespace fetchline {

// Workers connect to producers and collectors, producers to collectors.
[[nodiscard]] bool may_connect(Role from, Role to);

// Of results a producer sends only those that no worker could: of lines that are no tasks, and of
// tasks that are given up.
[[nodiscard]] bool may_send(Role from, Role to, const Message& message);

}  // namespace fetchline
