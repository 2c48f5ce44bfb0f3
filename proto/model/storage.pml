/* The collector's storage alone: results come from senders that keep them until they are told that
   they are safe; what a crash leaves is what `--durability power` has to live with. */

#define STORAGE
#define TWO_KINDS
#define is_over done
bool forgotten[2];
#define came(i, kind) true /* copies of it may come for ever */
#define ended(p) true
#define total_of(p) 2

#include "collector.pml"

inline forget(i) { d_step { !is_over && !forgotten[i] && says_safe(i) -> forgotten[i] = true; believe(i) } }

active proctype Senders() {
  do
  :: forget(0) :: forget(1)
  :: is_over -> break
  od
}
