/* A collector without a journal starts anew, with a log that knows nothing, beside a producer that
   resumed: who was told that a result is safe, or which epoch is the newest, was told by the old log.
   The producer that hears of another log ends. With BUG_NEW_LOG_GOES_ON it hands out again what is
   delivered and not committed, and ends only when something committed is missing; EPOCHS_GO_ON
   besides has the new log's epochs above the old one's. Either way the job can be stuck.

   One task, one worker; nothing is put out before the end. A producer that had not heard of the old
   log offers the new one a job of its own, which is none of this. */

#define P 2 /* producers; a nonce is a producer's number */
#define EPOCHS 5

/* ---- the collector, all in memory */
byte log = 1;
byte newest;     /* epoch */
byte granted[P]; /* epochs, by nonce */
bool accepted;
bool total_known;
/* ---- producers */
bool resumed;    /* the second was started */
bool gone[P];    /* dead, or fenced and ended */
byte epoch[P];   /* as State told it */
byte log_of[P];  /* as State told it */
byte ledger[P];
#define ready 0
#define leased 1
#define delivered 2
#define committed 3
/* ---- the worker */
byte session;    /* an epoch */
bool keeps;      /* the result, until it is acknowledged */
bool report;     /* delivered; read once: numbered, repeated until seen or until the session ends */
/* ---- the soup */
byte tasks[P];   /* the epoch it was handed out in; read once */
bool results;
bool acks[EPOCHS]; /* by epoch */
/* ---- */
bool done, forgotten;

#define is_over (done || forgotten)
#define lives(p) (!is_over && !gone[p] && ((p) == 0 || resumed))
#define leads(p) (lives(p) && epoch[p])

/* -------------------------------------------------------------- collector */

#ifdef EPOCHS_GO_ON
#define below (log == 1 -> 0 : 2)
#else
#define below 0
#endif
inline grant(p) {
  d_step {
    lives(p) && !granted[p] ->
    newest = (newest > below -> newest : below) + 1;
    granted[p] = newest
  }
}
inline fence(p) { d_step { lives(p) && granted[p] && granted[p] < newest -> gone[p] = true } }
inline accept() { d_step { !is_over && newest && results && !accepted -> accepted = true } }
inline acknowledge() { d_step { !is_over && results && accepted && !acks[newest] -> acks[newest] = true } }
inline hear_end(p) { d_step { leads(p) && epoch[p] == newest && !total_known -> total_known = true } }
inline finish_job() { d_step { !is_over && accepted && total_known -> done = true } }
inline start_anew() {
  d_step {
    !is_over && log == 1 && (epoch[1] || !resumed) && newest ->
    log = 2;
    newest = 0;
    granted[0] = 0;
    granted[1] = 0;
    accepted = false;
    total_known = false
  }
}

active proctype Collector() {
  do
  :: grant(0) :: grant(1)
  :: fence(0) :: fence(1)
  :: accept()
  :: acknowledge()
  :: hear_end(0) :: hear_end(1)
  :: finish_job()
  :: start_anew()
  :: is_over -> break
  od
}

/* -------------------------------------------------------------- producers */

inline hear_state(p) {
  d_step {
    lives(p) && granted[p] && granted[p] == newest && (epoch[p] != newest || log_of[p] != log) ->
    if
#ifdef BUG_NEW_LOG_GOES_ON
    :: log_of[p] && log_of[p] != log && ledger[p] == committed && !accepted -> forgotten = true
    :: ledger[p] == delivered -> ledger[p] = ready /* redeliver() */
    :: ledger[p] == leased && epoch[p] != newest -> ledger[p] = ready /* begin_epoch() */
#else
    :: log_of[p] && log_of[p] != log -> forgotten = true
#endif
    :: else
    fi;
    epoch[p] = newest;
    log_of[p] = log
  }
}
inline hear_committed(p) {
  d_step { leads(p) && epoch[p] == newest && log_of[p] == log && accepted && ledger[p] != committed ->
    ledger[p] = committed }
}
inline hand_out(p) {
  d_step { leads(p) && ledger[p] == ready && !tasks[p] ->
    ledger[p] = leased;
    tasks[p] = epoch[p] }
}
inline hear_report(p) {
  d_step { leads(p) && report && session == epoch[p] ->
    ledger[p] = (ledger[p] == leased -> delivered : ledger[p]);
    report = false }
}
inline resume() { d_step { !is_over && !resumed && epoch[0] && log == 1 -> resumed = true } }
inline kill_producer() { d_step { lives(0) && resumed && granted[1] == newest -> gone[0] = true } }

active [P] proctype Producer() {
#define me (_pid - 1)
  do
  :: hear_state(me)
  :: hear_committed(me)
  :: hand_out(me)
  :: hear_report(me)
  :: is_over -> break
  od
#undef me
}

active proctype Operator() {
  do
  :: resume()
  :: kill_producer()
  :: is_over -> break
  od
}

/* ----------------------------------------------------------------- worker */

inline take(p) {
  d_step {
    !is_over && tasks[p] && tasks[p] >= session ->
    report = keeps;
    session = tasks[p];
    tasks[p] = 0;
    if
    :: !keeps -> keeps = true; report = true; results = true
    :: else
    fi
  }
}
inline drop_tasks(p) { /* of an epoch that is over: their producer hands out others */
  d_step { !is_over && tasks[p] && tasks[p] < session && tasks[p] != epoch[p] -> tasks[p] = 0 }
}
inline send_again() { d_step { !is_over && keeps && !results -> results = true } }
inline forget(e) {
  d_step { !is_over && keeps && acks[e] ->
    keeps = false;
    results = false /* at worst no copy of it is under way */ }
}

active proctype Worker() {
  do
  :: take(0) :: take(1)
  :: drop_tasks(0) :: drop_tasks(1)
  :: send_again()
  :: forget(1) :: forget(2) :: forget(3) :: forget(4)
  :: is_over -> break
  od
}
