/* The collector: what it accepts, keeps, puts out and says, and what is left of it after a crash.
   Included by the models of the other two roles, which define is_over and what is in the soup:
   came(i, kind) for Results, ended(p) and total_of(p) for End. */

#define N 2 /* tasks */
#define EACH(i, limit) i = 0; do :: i < limit ->
#define NEXT(i) i++ :: else -> break od; i = 0

/* Two different results for one index are of different kinds; 0 is none. */
#define real 1
#define other 2

/* ---- durable: the output and the journal */
byte synced;     /* records of the output that are as safe as was promised */
byte journal[N]; /* the accepted result that stands there */
byte total;      /* 0: not known */
bool done;       /* the manifest; from now on Done is the answer to whatever is said */
/* ---- written, so that a kill does not harm it, but a power failure does */
byte written;    /* records of the output: the watermark in memory */
byte out[N];
byte copies[N];  /* lines of the output, whole or torn, that are this record */
#ifdef STORAGE
byte unsynced[N]; /* the journal as far as it is written */
#else
#define unsynced journal /* elsewhere a segment is written and synced at once */
#endif
/* ---- memory */
byte held[N];    /* accepted and not out */

/* ---- to check by: what somebody has forgotten on the collector's word */
byte promised[N];

#ifndef CRASHES
#define CRASHES 0
#endif
byte crashes;
hidden byte x, y; /* scratch, of no meaning between steps */

#define is_accepted(i) (held[i] || (i) < written)
#define is_safe(i) (journal[i] || (i) < synced)
#if defined(BUG_ACK_BEFORE_WRITE)
#define says_safe(i) is_accepted(i)
#elif defined(BUG_NO_SYNC_AT_RECOVERY)
#define says_safe(i) (is_safe(i) || (crashes && (unsynced[i] || (i) < written)))
#else
#define says_safe(i) is_safe(i)
#endif

/* In a d_step of who forgets a result or a task because Acks or State said so. */
inline believe(i) {
  assert(is_safe(i));
  promised[i] = (journal[i] -> journal[i] : out[i])
}

inline accept(i, kind) {
  d_step {
#ifdef BUG_ACCEPT_TWICE
    !is_over && came(i, kind) && held[i] != kind && out[i] != kind -> /* another result, it thinks */
#else
    !is_over && came(i, kind) && !is_accepted(i) ->
#endif
#ifdef OTHER_INPUT
    if
    :: differs(i, kind) -> refused = true /* the producer: its input is another */
    :: else -> held[i] = kind
    fi
#else
    held[i] = kind
#endif
  }
}

#ifdef STORAGE
#define may_write(i) true
#else
#define may_write(i) ((i) > written) /* the head goes straight to the output; see storage.pml */
#endif
inline write_journal(i) {
  d_step { !is_over && held[i] && !unsynced[i] && may_write(i) -> unsynced[i] = held[i] }
}

inline put_out(i) {
  d_step {
#ifdef BUG_ACCEPT_TWICE
    !is_over && i <= written && held[i] ->
#else
    !is_over && i == written && held[i] ->
#endif
    out[i] = held[i];
    held[i] = 0;
    copies[i]++;
    assert(copies[i] == 1); /* each once, at every instant */
    assert(!promised[i] || promised[i] == out[i]);
    written++
  }
}

inline sync_output() {
  d_step {
    !is_over && synced < written ->
    synced = written;
#ifndef STORAGE
    EACH(x, N)
      journal[x] = (x < synced -> 0 : journal[x]); /* segments go; when else they may, see storage.pml */
    NEXT(x)
#endif
  }
}

#ifdef STORAGE
inline sync_journal(i) {
  d_step { !is_over && unsynced[i] && !journal[i] -> journal[i] = unsynced[i] }
}

inline drop_segment(i) {
  d_step {
#ifdef BUG_DROP_SEGMENT_EARLY
    !is_over && unsynced[i] && i < written ->
#else
    !is_over && unsynced[i] && i < synced ->
#endif
    unsynced[i] = 0;
    journal[i] = 0
  }
}
#endif

/* The journal has the total before anything follows from it: State says so, or Done. */
inline hear_end(p) {
  d_step {
    !is_over && !total && ended(p) && total_of(p) >= written ->
    total = total_of(p)
  }
}

inline finish_job() {
  d_step {
    !is_over && total && written == total ->
    synced = written;
    assert(total == N); /* as the producer of the current epoch said */
    assert(copies[0] == 1 && copies[1] == 1);
#ifdef OTHER_INPUT
    assert(!agreed || (out[0] == line(1, 0) && out[1] == line(1, 1))); /* of one input */
#endif
    done = true
  }
}

#if CRASHES
/* It is killed, or its machine stops: of what is written and not synced everything from some record on
   is gone. That record may be torn; then it is cut. What recovery finds it syncs before it speaks.
   A journal[] that is synced at once survives either; see unsynced[]. */
inline crash(at, power_failure) {
  d_step {
    !is_over && crashes < CRASHES && synced <= at && at <= written && (power_failure || at == written) ->
    crashes++;
    EACH(x, N)
      if
#ifdef BUG_NO_TRUNCATE
      :: x == at && x < written /* stays as it is, torn */
      :: x == at && x == written -> copies[x] = 1 /* killed in the middle of it */
      :: x > at -> copies[x] = 0; out[x] = 0
#else
      :: x >= at -> copies[x] = 0; out[x] = 0
#endif
      :: else
      fi;
#ifdef STORAGE
      unsynced[x] = (power_failure -> journal[x] : unsynced[x]);
#ifndef BUG_NO_SYNC_AT_RECOVERY
      journal[x] = unsynced[x];
#endif
#endif
      held[x] = (x < at -> 0 : unsynced[x]);
      assert(!promised[x] || journal[x] == promised[x] || (x < at && out[x] == promised[x]));
    NEXT(x);
    written = at;
#ifndef BUG_NO_SYNC_AT_RECOVERY
    synced = at
#endif
  }
}
#endif

active proctype Collector() {
  do
  :: accept(0, real) :: accept(1, real)
#ifdef TWO_KINDS
  :: accept(0, other) :: accept(1, other)
#endif
  :: write_journal(0) :: write_journal(1)
#ifdef STORAGE
  :: sync_journal(0) :: sync_journal(1)
  :: drop_segment(0) :: drop_segment(1)
#endif
  :: put_out(0) :: put_out(1)
  :: sync_output()
  :: hear_end(0)
#ifdef RESTARTS
  :: hear_end(1)
#endif
  :: finish_job()
#if CRASHES
  :: crash(0, true) :: crash(1, true) :: crash(2, true)
#ifdef STORAGE
  :: crash(0, false) :: crash(1, false) :: crash(2, false)
#endif
#endif
  :: is_over -> break
  od
}
