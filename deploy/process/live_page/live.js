// Shows /status once a second. Text only is put into the page, never markup: URLs are strangers'.
'use strict';

const find = (id) => document.getElementById(id);
const count = (n) => Number(n).toLocaleString('en');

function duration(s) {
  if (s < 60) return `${s.toFixed(1)} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(s % 60)} s`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor(minutes / 60) % 24} h`;
}

function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) { n /= 1024; ++unit; }
  return `${unit === 0 ? n : n.toFixed(1)} ${units[unit]}`;
}

function list(section, rows) {
  const terms = rows.flatMap(([name, value]) => {
    const dt = document.createElement('dt');
    const dd = document.createElement('dd');
    dt.textContent = name;
    dd.textContent = value;
    return [dt, dd];
  });
  section.hidden = false;
  section.querySelector('dl').replaceChildren(...terms);
}

function table(id, rows) {
  find(id).hidden = rows.length === 0;
  find(id).tBodies[0].replaceChildren(...rows.map((cells) => {
    const tr = document.createElement('tr');
    tr.replaceChildren(...cells.map((cell) => {
      const td = document.createElement('td');
      td.textContent = cell;
      return td;
    }));
    return tr;
  }));
}

function outcomes(counts) {
  return Object.entries(counts).map(([name, n]) => `${name} ${count(n)}`).join(', ') || 'none yet';
}

// Before the whole input is read its number of tasks is judged by the share that is: "about".
function showProgress(p, expected) {
  const total = p.total ?? expected ?? null;
  const bar = find('bar');
  if (total === null) bar.removeAttribute('value');
  else bar.value = total === 0 ? 1 : p.done / total;
  const about = p.total === null ? 'about ' : '';
  const parts = [total === null ? `${count(p.done)} done` : `${count(p.done)} of ${about}${count(total)} done`];
  parts.push(`${count(p.failed)} failed`, `${p.per_second.toFixed(1)}/s`);
  if (p.eta_seconds !== null) parts.push(`${duration(p.eta_seconds)} left`);
  find('progress').textContent = parts.join(', ');
}

function showProducer(p) {
  list(find('producer'), [
    ['phase', p.phase], ['job', p.job], ['read', count(p.tasks_read) + (p.input_ended ? ', all' : '')],
    ['in flight', count(p.in_flight)], ['wait for a retry', count(p.waiting_for_retry)],
    ['workers', count(p.worker_count)], ['workers lost', count(p.workers_lost)]]);
  table('workers', p.workers.map((w) => [w.name, count(w.held), w.draining ? 'draining' : count(w.slots),
    duration(w.silent_seconds)]));
  table('hosts', p.hosts.map((h) => [h.host, count(h.in_flight)]));
}

function showWorker(w) {
  list(find('worker'), [
    ['transfers', `${count(w.running)} of ${count(w.slots)}`], ['queued', count(w.queued)],
    ['ended', outcomes(w.transfers)], ['received', bytes(w.received_bytes)],
    ['not acknowledged', bytes(w.held_bytes)]]);
}

function showCollector(c) {
  const spilled = c.spill.limit_bytes === 0 ? 'nowhere: no file is written'
    : `${bytes(c.spill.bytes)} of ${bytes(c.spill.limit_bytes)}`;
  list(find('collector'), [
    ['phase', c.phase + (c.disk_full ? ', the disk is full' : '')], ['records', count(c.records)],
    ['outcomes', outcomes(c.outcomes)], ['wait for their turn', count(c.waiting)],
    ['in memory', `${bytes(c.memory.bytes)} of ${bytes(c.memory.limit_bytes)}`],
    ['spilled', spilled]]);
}

function show(status) {
  find('program').textContent = `${status.program} ${status.version}`;
  document.title = `${count(status.progress.done)} · ${status.program}`;
  find('state').textContent = status.ready ? status.name : `waiting for ${status.waiting_for.join(', ')}`;
  find('state').className = status.ready ? '' : 'bad';
  find('shown').className = '';
  showProgress(status.progress, status.producer && status.producer.tasks_expected);
  find('why').textContent = (status.producer && status.producer.why_slow) || '';
  if (status.producer) showProducer(status.producer);
  if (status.worker) showWorker(status.worker);
  if (status.collector) showCollector(status.collector);
}

// What was seen last stays: how far it came, and that it has gone.
function showGone() {
  find('state').textContent = last === null ? 'does not answer' : `has ended, or does not answer; last seen ${last.toLocaleTimeString()}`;
  find('state').className = 'bad';
  find('shown').className = 'gone';
  if (!find('bar').hasAttribute('value')) find('bar').value = 0;
}

let last = null;

async function look() {
  try {
    const answer = await fetch('status');
    show(await answer.json());
    last = new Date();
  } catch (error) {
    showGone();
  }
  setTimeout(look, 1000);
}

look();
