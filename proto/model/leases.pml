/* One producer and its leases: messages lost and late, reports, workers that die or are presumed dead;
   with
     POISON  tasks that workers die of become `abandoned`, made by the producer and sent like any
             result; a second lease on what is slow; with UNSAFE too, task 1 must not be requested twice
     DRAIN   worker 0 gives back what it has not started, finishes, leaves when all is acknowledged.
   State and Acks are as in restarts.pml. In POISON task 0 is somebody else's and its result comes at
   any time: it decides whether that of task 1 waits, in memory and journal, or goes straight out. */

#define is_over done
#ifdef POISON
#define TWO_KINDS
#define FIRST 1 /* task that is modelled in full */
#else
#define FIRST 0
#endif
#define W 2 /* workers */
#ifndef KILLS
#define KILLS 0 /* of workers; another one comes at once */
#endif
#ifndef LOSSES
#define LOSSES 0 /* of Tasks and Results */
#endif
#ifndef SUSPICIONS
#define SUSPICIONS 0 /* a worker presumed dead that lives, a message presumed lost that travels */
#endif
#define BLAME 2 /* so many deaths make a task poison */

/* ---- the producer's ledger */
byte ledger[2];
#define ready 0
#define leased(w) (1 + (w))
#define delivered(w) (3 + (w))
#define own 5 /* its own result for it is held and sent until it is committed */
#define committed 6
bool unheard[W]; /* this worker died, and with it what it held; the producer has not noticed */
#ifdef POISON
byte again[2];   /* 1 + the worker that has a second lease */
byte deaths[2];
bool twice[W * 2]; /* it had its second lease */
#endif
bool said_end;

/* ---- workers */
byte job[W * 2];
#define none 0
#define queued 1
#define fetching 2
#define kept 3   /* the result, until it is acknowledged */
#ifdef DRAIN
bool to_drain = true, draining, known_to_drain, left, known_to_have_left; /* worker 0 */
#endif
#ifdef UNSAFE
byte requests; /* of task 1 */
#endif

/* ---- the soup. Tasks and reports have numbers: what was received once is ignored when it comes again */
bool tasks[W * 2];
byte report[W * 2];
#define is_delivered 1
#define is_returned 2
bool results[2 * 2]; /* by kind; may come again at any time */

byte kills, lost, suspicions;

#define WI(w, i) ((w) * 2 + (i))
#define RESULT(i, kind) (((kind) - 1) * 2 + (i))
#define came(i, kind) (results[RESULT(i, kind)] || ((i) < FIRST && (kind) == real))
#define total_of(p) 2
#define ended(p) said_end

#include "collector.pml"

#ifdef UNSAFE
#define unsafe(i) ((i) == 1)
#else
#define unsafe(i) false
#endif
#ifdef DRAIN
#define wants(w) ((w) != 0 || !known_to_drain)
#define is_there(w) ((w) != 0 || !left)
#define is_draining(w) ((w) == 0 && draining)
#else
#define wants(w) true
#define is_there(w) true
#define is_draining(w) false
#endif

/* --------------------------------------------------------------- producer */

inline hear_committed(i) {
  d_step {
    !is_over && ledger[i] != committed && says_safe(i) ->
    believe(i);
    ledger[i] = committed
#ifdef POISON
    ; again[i] = 0
#endif
  }
}

inline hand_out(w, i) {
  d_step {
    !is_over && ledger[i] == ready && !unheard[w] && wants(w) ->
    ledger[i] = leased(w);
    tasks[WI(w, i)] = true
  }
}

inline hear_report(w, i) {
  d_step {
    !is_over && report[WI(w, i)] && !unheard[w] ->
    if
    :: ledger[i] == leased(w) && report[WI(w, i)] == is_delivered ->
#ifdef BUG_RELEASE_ON_DELIVERED
      believe(i);
      ledger[i] = committed
#else
      ledger[i] = delivered(w)
#endif
#ifdef DRAIN
    :: ledger[i] == leased(w) && report[WI(w, i)] == is_returned ->
      ledger[i] = ready;
      known_to_drain = true /* stands in the same heartbeat */
#endif
#ifdef POISON
    :: again[i] == 1 + w -> /* the second was faster */
      ledger[i] = delivered(w);
      again[i] = 0
#endif
    :: else
    fi;
    report[WI(w, i)] = 0
  }
}

/* worker_lost(). A task is blamed that may have run; the last heartbeat, a second old, says which. */
inline end_lease(w, i, blame) {
  if
#ifdef POISON
  :: again[i] == 1 + w -> again[i] = 0
  :: ledger[i] == leased(w) && again[i] ->
    ledger[i] = leased(again[i] - 1);
    again[i] = 0
  :: !again[i] && (ledger[i] == leased(w) || ledger[i] == delivered(w)) ->
    if
    :: blame && ledger[i] == leased(w) -> deaths[i]++
    :: else
    fi;
#ifdef BUG_REPEAT_UNSAFE
    ledger[i] = (deaths[i] == BLAME -> own : ready)
#else
    ledger[i] = (deaths[i] == BLAME || unsafe(i) -> own : ready)
#endif
#else
  :: ledger[i] == leased(w) || ledger[i] == delivered(w) -> ledger[i] = ready
#endif
  :: else
  fi
}

inline end_leases(w, blame) {
#if FIRST == 0
  end_lease(w, 0, blame);
#endif
  end_lease(w, 1, blame)
}

inline notice_death(w, blame) {
  d_step {
    !is_over && unheard[w] ->
    unheard[w] = false;
    end_leases(w, blame)
  }
}

#if SUSPICIONS
#define has(w, i) (ledger[i] == leased(w) || ledger[i] == delivered(w))
inline suspect(w, blame) {
  d_step {
    !is_over && suspicions < SUSPICIONS && !unheard[w] && (has(w, 0) || has(w, 1)) ->
    suspicions++;
    end_leases(w, blame)
  }
}
#endif

/* take_lost_messages(): a later one was received and this was not, or it is overdue. */
inline notice_loss(w, i) {
  d_step {
    !is_over && ledger[i] == leased(w) && !unheard[w] &&
      !tasks[WI(w, i)] && job[WI(w, i)] == none && !report[WI(w, i)] ->
    ledger[i] = ready
  }
}

#if SUSPICIONS
/* It is not lost. That it is ignored when it comes after all, having been overtaken, is what makes
   it right to request again what must not be requested twice. */
inline presume_lost(w, i) {
  d_step {
    !is_over && suspicions < SUSPICIONS && ledger[i] == leased(w) && tasks[WI(w, i)] ->
    suspicions++;
    ledger[i] = ready
#ifndef BUG_LATE_TASKS
    ; tasks[WI(w, i)] = (unsafe(i) -> false : true)
#endif
  }
}
#endif

#ifdef POISON
inline lease_again(w, i) {
  d_step {
    !is_over && ledger[i] == leased(1 - w) && !again[i] && !unheard[w] && !unsafe(i) && !twice[WI(w, i)] ->
    again[i] = 1 + w;
    twice[WI(w, i)] = true; /* once, so that a job comes to its end */
    tasks[WI(w, i)] = true
  }
}

inline send_own(i) {
  d_step {
    !is_over && ledger[i] == own && !results[RESULT(i, other)] ->
    results[RESULT(i, other)] = true
  }
}
#endif

#ifdef DRAIN
inline hear_draining() { d_step { !is_over && draining && !known_to_drain -> known_to_drain = true } }

/* Bye, worker_left(): what it delivered is safe. */
inline hear_bye() {
  d_step {
    !is_over && left && !known_to_have_left && !unheard[0] ->
    known_to_have_left = true;
    known_to_drain = true;
    EACH(x, 2)
      ledger[x] = (ledger[x] == leased(0) -> ready : ledger[x]);
    NEXT(x)
  }
}
#endif

inline say_end() { d_step { !is_over && !said_end -> said_end = true } }

active proctype Producer() {
  do
#if FIRST == 0
  :: hand_out(0, 0) :: hand_out(1, 0)
  :: hear_report(0, 0) :: hear_report(1, 0)
  :: hear_committed(0)
#endif
  :: hand_out(0, 1) :: hand_out(1, 1)
  :: hear_report(0, 1) :: hear_report(1, 1)
  :: hear_committed(1)
  :: say_end()
#if KILLS
  :: notice_death(0, false) :: notice_death(1, false)
#ifdef POISON
  :: notice_death(0, true) :: notice_death(1, true)
#endif
#endif
#if SUSPICIONS
  :: suspect(0, false) :: suspect(1, false)
#ifdef POISON
  :: suspect(0, true) :: suspect(1, true)
#endif
#if FIRST == 0
  :: presume_lost(0, 0) :: presume_lost(1, 0)
#endif
  :: presume_lost(0, 1) :: presume_lost(1, 1)
#endif
#if LOSSES
#if FIRST == 0
  :: notice_loss(0, 0) :: notice_loss(1, 0)
#endif
  :: notice_loss(0, 1) :: notice_loss(1, 1)
#endif
#ifdef POISON
#ifndef UNSAFE
  :: lease_again(0, 1) :: lease_again(1, 1)
#endif
  :: send_own(1)
#endif
#ifdef DRAIN
  :: hear_draining()
  :: hear_bye()
#endif
  :: is_over -> break
  od
}

/* ----------------------------------------------------------------- worker */

inline take(w, i) {
  d_step {
    !is_over && tasks[WI(w, i)] && is_there(w) ->
    tasks[WI(w, i)] = false;
    if
    :: job[WI(w, i)] == kept -> report[WI(w, i)] = is_delivered
#ifdef DRAIN
    :: job[WI(w, i)] == none && is_draining(w) -> report[WI(w, i)] = is_returned
#endif
    :: job[WI(w, i)] == none && !is_draining(w) -> job[WI(w, i)] = queued
    :: else /* what is queued or runs answers for both */
    fi
  }
}

inline start(w, i) {
  d_step {
    !is_over && job[WI(w, i)] == queued ->
    job[WI(w, i)] = fetching;
#ifdef UNSAFE
    requests++;
    assert(requests == 1)
#endif
  }
}

inline finish(w, i) {
  d_step {
    !is_over && job[WI(w, i)] == fetching ->
    job[WI(w, i)] = kept;
    report[WI(w, i)] = is_delivered;
    results[RESULT(i, real)] = true
  }
}

#if LOSSES
inline send_again(w, i) {
  d_step { !is_over && job[WI(w, i)] == kept && !came(i, real) ->
    results[RESULT(i, real)] = true }
}
#endif

inline forget(w, i) {
  d_step {
    !is_over && job[WI(w, i)] == kept && came(i, real) && says_safe(i) ->
    believe(i);
    job[WI(w, i)] = none
  }
}

#ifdef DRAIN
inline drain() {
  d_step {
    !is_over && to_drain ->
    to_drain = false;
    draining = true;
    EACH(x, 2)
      if
      :: job[WI(0, x)] == queued -> job[WI(0, x)] = none; report[WI(0, x)] = is_returned
      :: else
      fi;
    NEXT(x)
  }
}

/* Reports that are not seen do not hold it for ever: the producer may be silent. */
#ifdef BUG_LEAVE_EARLY
#define finished(i) (job[WI(0, i)] == none || job[WI(0, i)] == kept)
#else
#define finished(i) (job[WI(0, i)] == none)
#endif
inline leave() {
  d_step {
    !is_over && draining && !left && finished(0) && finished(1) ->
    left = true;
    EACH(x, 2)
      assert(ledger[x] != delivered(0) || is_safe(x) || unheard[0]); /* nothing that only it had */
      job[WI(0, x)] = none;
      tasks[WI(0, x)] = false;
    NEXT(x)
  }
}
#endif

active [W] proctype Worker() {
#define me (_pid - 2)
  do
#if FIRST == 0
  :: take(me, 0) :: start(me, 0) :: finish(me, 0) :: forget(me, 0)
#endif
  :: take(me, 1) :: start(me, 1) :: finish(me, 1) :: forget(me, 1)
#if LOSSES
#if FIRST == 0
  :: send_again(me, 0)
#endif
  :: send_again(me, 1)
#endif
  :: is_over -> break
  od
#undef me
}

/* ----------------------------------------------------------------- faults */

#if KILLS
inline kill(w) {
  d_step {
    !is_over && kills < KILLS && is_there(w) ->
    kills++;
    EACH(x, 2)
      job[WI(w, x)] = none;
      report[WI(w, x)] = 0;
      tasks[WI(w, x)] = false;
#ifdef POISON
      unheard[w] = unheard[w] || ledger[x] == leased(w) || ledger[x] == delivered(w) || again[x] == 1 + w;
#else
      unheard[w] = unheard[w] || ledger[x] == leased(w) || ledger[x] == delivered(w);
#endif
    NEXT(x);
#ifdef DRAIN
    draining = (w == 0 -> false : draining);
    known_to_drain = (w == 0 -> false : known_to_drain)
#endif
  }
}
#endif

#if LOSSES
inline lose(message) { d_step { !is_over && lost < LOSSES && message -> message = false; lost++ } }
#endif

active proctype Faults() {
  do
#if KILLS
  :: kill(0) :: kill(1)
#endif
#if LOSSES
#if FIRST == 0
  :: lose(results[0]) :: lose(tasks[WI(0, 0)]) :: lose(tasks[WI(1, 0)])
#endif
  :: lose(results[1]) :: lose(tasks[WI(0, 1)]) :: lose(tasks[WI(1, 1)])
#endif
#ifdef POISON
#if LOSSES
  :: lose(results[3])
#endif
#endif
#ifdef DRAIN
  :: drain() :: leave()
#endif
  :: is_over -> break
  od
}
