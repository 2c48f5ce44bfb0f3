/* Restarts: a second producer resumes the job beside or after the first, workers die, the collector
   crashes. A nonce is a producer's number.

   State and Acks are not stored: they hold facts that stay true, so that to read one late is the same
   as to act late. Tasks are not stored either: one that is read late is one handed out late, by the
   zombie if need be; one that is lost is one that was never handed out, and how that is noticed is
   in leases.pml. A worker starts what it is given and may finish at once: if it dies before, that is
   as if it had never been given it. */

#ifdef OTHER_INPUT
#define TWO_KINDS
#define is_over (done || refused)
#else
#define is_over done
#endif
#define RESTARTS
#define P 2 /* producers */
#define W 2 /* workers */
#ifndef KILLS
#define KILLS 0 /* of workers; another one comes at once */
#endif
#ifndef LOSSES
#define LOSSES 0 /* of Results */
#endif

/* ---- durable, at the collector */
byte granted[P]; /* epochs, by nonce */
/* ---- producers */
bool gone[P];    /* dead, or fenced and ended */
byte epoch[P];   /* as State told it; what it says carries it */
byte leader;     /* whose ledger this is; the older one, when it has lost it, hands out whatever it likes */
byte ledger[2];
#define ready 0
#define leased(w) (1 + (w)) /* or delivered: both are handed out again when w dies */
#define committed 3
bool unheard[W]; /* this worker died and the leader has not noticed */
bool resumed;    /* the second producer was started */
/* ---- workers */
byte keeps[W * 2]; /* the result's kind */
/* ---- the soup */
bool results[2 * 2];
byte end[P];     /* the total it says; 0: it has not */

byte kills, lost;

#ifdef OTHER_INPUT
/* ---- durable, at the collector: FILE.spill/tasks */
byte recap[2];   /* what the second producer says that the task is */
/* ---- */
bool refused;    /* and it is not the one whose result is here */
bool agreed;     /* so far they were the same; the producer hands out */
byte changed;    /* the line that is another in its input, 2: none */
#define line(p, i) ((p) == 1 && (i) == changed -> other : real)
#ifdef BUG_COMPARE_HELD_ONLY
#define differs(i, kind) false
#else
#define differs(i, kind) (recap[i] && recap[i] != (kind))
#endif
#else
#define line(p, i) real
#endif

#define WI(w, i) ((w) * 2 + (i))
#define RESULT(i, kind) (((kind) - 1) * 2 + (i))
#define came(i, kind) results[RESULT(i, kind)]
#define total_of(p) end[p]
#define newest (granted[0] > granted[1] -> granted[0] : granted[1])
#ifdef BUG_NO_FENCE
#define ended(p) end[p]
#else
#define ended(p) (end[p] && epoch[p] == newest)
#endif

#include "collector.pml"

#define lives(p) (!is_over && !gone[p] && ((p) == 0 || resumed))
#define leads(p) (lives(p) && epoch[p] && leader == (p))

/* ---------------------------------------------------------------- epochs */

/* Open by a nonce that is new; one that outlives its sender is Refused(outdated). The journal has the epoch before State tells it. */
inline grant(p) { d_step { lives(p) && !granted[p] -> granted[p] = newest + 1 } }

#ifdef BUG_GRANT_BEFORE_JOURNAL
inline forget_grant(p) {
  d_step { !is_over && crashes < CRASHES && granted[p] && granted[p] == newest ->
    crashes++;
    granted[p] = 0 }
}
#endif

/* State, also one that is late: another has the job. */
inline hear_epoch(p) {
  d_step {
    lives(p) && granted[p] && !epoch[p] ->
    epoch[p] = granted[p];
    assert(epoch[0] != epoch[1]); /* one epoch, one producer */
    if
    :: p > leader ->
      leader = p;
      ledger[0] = ready;
      ledger[1] = ready;
      unheard[0] = false;
      unheard[1] = false
    :: else
    fi
  }
}

/* Refused: fenced. It may hear that late or never, and is a zombie until then. */
inline hear_fenced(p) { d_step { lives(p) && granted[p] && granted[p] < newest -> gone[p] = true } }

/* -------------------------------------------------------------- producers */

inline hear_committed(p, i) {
  d_step {
    leads(p) && epoch[p] == newest && ledger[i] != committed && says_safe(i) ->
    believe(i);
    ledger[i] = committed
  }
}

#ifdef OTHER_INPUT
#define may_hand_out(p) ((p) == 0 || agreed)
#else
#define may_hand_out(p) true
#endif

inline give(p, w, i) {
  if
  :: !keeps[WI(w, i)] ->
    keeps[WI(w, i)] = line(p, i);
    results[RESULT(i, line(p, i))] = true
  :: else
  fi
}

inline hand_out(p, w, i) {
  d_step {
    leads(p) && may_hand_out(p) && ledger[i] == ready && !unheard[w] ->
    ledger[i] = leased(w);
    give(p, w, i)
  }
}

/* The older one, or Tasks of its that were under way when it died. */
inline hand_out_late(w, i) {
  d_step {
    !is_over && leader == 1 && epoch[0] && !keeps[WI(w, i)] &&
      !came(i, real) -> /* else there is nothing new in it */
    give(0, w, i)
  }
}

inline notice_death(p, w) {
  d_step {
    leads(p) && unheard[w] ->
    unheard[w] = false;
    EACH(x, 2)
      ledger[x] = (ledger[x] == leased(w) -> ready : ledger[x]);
    NEXT(x)
  }
}

inline say_end(p) { d_step { lives(p) && epoch[p] && !end[p] -> end[p] = 2 } }
/* Its input broke off, after another had the job. */
inline say_short_end() { d_step { lives(0) && epoch[0] && epoch[0] < newest && end[0] != 1 -> end[0] = 1 } }

#ifdef OTHER_INPUT
/* Recap, all of it at once: every line that an older epoch may have handed out. Its hashes are kept,
   for a result may come later. */
inline compare() {
  d_step {
    lives(1) && epoch[1] && !agreed ->
    agreed = true;
    EACH(x, 2)
      recap[x] = line(1, x);
      if
      :: is_accepted(x) && held[x] != line(1, x) && out[x] != line(1, x) -> refused = true
      :: else
      fi;
    NEXT(x)
  }
}
#endif

#ifdef BUG_COMPARISON_FORGOTTEN
/* A collector that starts anew knows the nonce and not that it was comparing. */
inline begin_without_comparing() {
  d_step { lives(1) && epoch[1] && !agreed && crashes -> agreed = true; recap[0] = 0; recap[1] = 0 }
}
#endif

active [P] proctype Producer() {
  do
  :: grant(_pid - 1)
  :: hear_epoch(_pid - 1)
  :: hear_fenced(_pid - 1)
  :: hear_committed(_pid - 1, 0) :: hear_committed(_pid - 1, 1)
  :: hand_out(_pid - 1, 0, 0) :: hand_out(_pid - 1, 0, 1) :: hand_out(_pid - 1, 1, 0) :: hand_out(_pid - 1, 1, 1)
  :: notice_death(_pid - 1, 0) :: notice_death(_pid - 1, 1)
  :: say_end(_pid - 1)
  :: is_over -> break
  od
}

/* ---------------------------------------------------------------- workers */

#define FIRST_WORKER (1 + P) /* the collector is process 0 */

#if LOSSES
inline send_again(w, i) {
  d_step {
    !is_over && keeps[WI(w, i)] && !came(i, keeps[WI(w, i)]) ->
    came(i, keeps[WI(w, i)]) = true
  }
}
inline lose(i) { d_step { !is_over && lost < LOSSES && came(i, real) -> came(i, real) = false; lost++ } }
#endif

inline forget(w, i) {
  d_step {
    !is_over && keeps[WI(w, i)] && came(i, keeps[WI(w, i)]) && says_safe(i) ->
    believe(i);
    keeps[WI(w, i)] = 0
  }
}

active [W] proctype Worker() {
  do
  :: forget(_pid - FIRST_WORKER, 0) :: forget(_pid - FIRST_WORKER, 1)
#if LOSSES
  :: send_again(_pid - FIRST_WORKER, 0) :: send_again(_pid - FIRST_WORKER, 1)
#endif
  :: is_over -> break
  od
}

/* ----------------------------------------------------------------- faults */

/* It resumes what runs or ran; `line` of its input is another, or none is. */
inline resume(which) {
  d_step {
    !is_over && !resumed && (granted[0] || gone[0]) ->
    resumed = true;
#ifdef OTHER_INPUT
    changed = which
#endif
  }
}
inline kill_producer() { d_step { !is_over && !gone[0] -> gone[0] = true } }

#if KILLS
inline kill(w) {
  d_step {
    !is_over && kills < KILLS ->
    kills++;
    EACH(x, 2)
      keeps[WI(w, x)] = 0;
      unheard[w] = unheard[w] || ledger[x] == leased(w);
    NEXT(x)
  }
}
#endif

active proctype Faults() {
  do
#ifdef OTHER_INPUT
  :: resume(0) :: resume(1) :: resume(2)
#else
  :: resume(2)
#endif
  :: kill_producer()
  :: hand_out_late(0, 0) :: hand_out_late(0, 1) :: hand_out_late(1, 0) :: hand_out_late(1, 1)
  :: say_short_end()
#if KILLS
  :: kill(0) /* the two are alike */
#endif
#if LOSSES
  :: lose(0) :: lose(1)
#endif
#ifdef OTHER_INPUT
  :: compare()
#ifdef BUG_COMPARISON_FORGOTTEN
  :: begin_without_comparing()
#endif
#endif
#ifdef BUG_GRANT_BEFORE_JOURNAL
  :: forget_grant(0) :: forget_grant(1)
#endif
  :: is_over -> break
  od
}
