// Burns down one step at a time: how a role dies between any two steps of its turn.
#pragma once

namespace fetchline {

struct Crash {};  // thrown by the step that is not made any more

class Fuse {
 public:
  void light(int steps) { left_ = steps; }
  void step() {
    if (left_ > 0 && --left_ == 0) throw Crash{};
  }

 private:
  int left_ = 0;  // 0: not lit
};

}  // namespace fetchline
