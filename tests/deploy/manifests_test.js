// manifests_test.js NAME FILE: validates rendered manifests. manifests_test.js --self-test FILE:
// plants mistakes into good ones and looks for them. Run by manifests_test.sh.
'use strict';
const fs = require('fs');
const path = require('path');
const YAML = require('yaml');

const packages = ['kubernetes-models', '@kubernetes-models/keda'].map((name) => path.dirname(require.resolve(name)));

// The schema of a kind, compiled, by the class that uses it.
function validatorOf(apiVersion, kind) {
  const models = packages.find((folder) => fs.existsSync(path.join(folder, apiVersion, `${kind}.js`)));
  if (!models) throw new Error(`${apiVersion} has no ${kind}`);
  const file = path.join(models, apiVersion, `${kind}.js`);
  const schema = /_schemas\/(\w+)/.exec(fs.readFileSync(file, 'utf8'))[1];
  return require(path.join(models, '_schemas', `${schema}.js`)).validate;
}

// The published schemas allow fields that they do not know; an API server drops them, and a
// misspelt one does nothing. A validator asks for every field that it knows: what nobody asked for
// is unknown.
function watched(value, where, unasked) {
  if (value === null || typeof value !== 'object') return value;
  const copy = Array.isArray(value) ? [] : {};
  for (const key of Object.keys(value)) copy[key] = watched(value[key], `${where}/${key}`, unasked);
  if (Array.isArray(value)) return copy;
  for (const key of Object.keys(value)) unasked.add(`${where}/${key}`);
  return new Proxy(copy, {
    get(target, key) {
      unasked.delete(`${where}/${String(key)}`);
      return target[key];
    },
  });
}

// Below these anything goes; the schema does not look at it.
const FREE = /^\/(data|metadata\/(labels|annotations))\/|\/(matchLabels|labels|annotations|requests|limits)\//;

function schemaProblems(object) {
  const unasked = new Set();
  const validate = validatorOf(object.apiVersion, object.kind);
  const good = validate(watched(object, '', unasked));
  const problems = good ? [] : validate.errors.map((e) => `${e.instancePath}: ${e.keyword} ${JSON.stringify(e.params)}`);
  for (const field of unasked) {
    const parent = field.slice(0, field.lastIndexOf('/'));
    if (!FREE.test(field) && !unasked.has(parent)) problems.push(`${field}: no such field`);
  }
  return problems;
}

// What the "restricted" level of Pod Security asks for, and a read-only root.
function securityProblems(pod) {
  const problems = [];
  const expect = (good, what) => { if (!good) problems.push(what); };
  const context = pod.securityContext || {};
  expect(context.runAsNonRoot === true, 'runAsNonRoot is not true');
  expect((context.seccompProfile || {}).type === 'RuntimeDefault', 'seccompProfile is not RuntimeDefault');
  expect(pod.automountServiceAccountToken === false, 'a service account is mounted');
  expect(!pod.hostNetwork && !pod.hostPID && !pod.hostIPC, "the host's namespaces are used");
  for (const container of [...(pod.initContainers || []), ...pod.containers]) {
    const own = container.securityContext || {};
    expect(own.allowPrivilegeEscalation === false, `${container.name}: allowPrivilegeEscalation`);
    expect(own.readOnlyRootFilesystem === true, `${container.name}: the root is writable`);
    expect(JSON.stringify((own.capabilities || {}).drop) === '["ALL"]', `${container.name}: capabilities`);
    expect(container.resources && container.resources.limits.memory, `${container.name}: no limit of memory`);
  }
  return problems;
}

function named(objects, kind) { return objects.filter((o) => o.kind === kind).map((o) => o.metadata.name); }

// Names that must be there: settings, claims that are ours, and services that endpoints name.
function referenceProblems(pod, objects) {
  const problems = [];
  const containers = [...(pod.initContainers || []), ...pod.containers];
  const maps = [...containers.flatMap((c) => (c.envFrom || []).map((e) => e.configMapRef.name)),
    ...(pod.volumes || []).flatMap((v) => (v.configMap ? [v.configMap.name] : []))];
  for (const map of maps) if (!named(objects, 'ConfigMap').includes(map)) problems.push(`no ConfigMap ${map}`);
  const volumes = new Set((pod.volumes || []).map((v) => v.name));
  for (const container of containers) {
    for (const mount of container.volumeMounts || []) {
      if (!volumes.has(mount.name)) problems.push(`${container.name}: no volume ${mount.name}`);
    }
    for (const [host] of endpointsOf(container)) {
      if (!named(objects, 'Service').includes(host)) problems.push(`${container.name}: no Service ${host}`);
    }
  }
  return problems;
}

// Whom it connects to, by its arguments: [service, port].
function endpointsOf(container) {
  return [...(container.command || []), ...(container.args || [])].flatMap((argument) =>
    [...argument.matchAll(/tcp:\/\/(?:[^:"/*]*\.)?([a-z][\w-]*):(\d+)/g)].map(([, host, port]) => [host, Number(port)]));
}

const COMPONENT = 'app.kubernetes.io/component';

// Whether some policy says of `own` that it may reach, or be reached by, `peer`: by its labels, as
// a block of addresses is none of the cluster's own to some network plugins.
function isAllowed(objects, type, own, peer, port) {
  const [rules, peers] = type === 'Ingress' ? ['ingress', 'from'] : ['egress', 'to'];
  const isOf = (selector, component) => Boolean(selector) && (selector.matchLabels || {})[COMPONENT] === component;
  return objects.some((o) => o.kind === 'NetworkPolicy' && isOf(o.spec.podSelector, own) &&
    (o.spec[rules] || []).some((rule) => (rule.ports || []).some((p) => p.port === port) &&
      (rule[peers] || []).some((selected) => isOf(selected.podSelector, peer))));
}

// All policies together close what none of them opens.
function policyProblems(template, objects) {
  const own = template.metadata.labels[COMPONENT];
  return template.spec.containers.flatMap(endpointsOf).flatMap(([host, port]) => {
    const peer = host.replace(/^fetchline-/, '');
    return [['Egress', own, peer], ['Ingress', peer, own]]
      .filter(([type, one, other]) => !isAllowed(objects, type, one, other, port))
      .map(([type]) => `no policy opens ${own} to ${peer}, port ${port}: ${type}`);
  });
}

// Numbers that must fit each other.
function numberProblems(object, settings) {
  const problems = [];
  const pod = object.spec.template.spec;
  if (object.metadata.name === 'fetchline-join') return problems;
  if (!(pod.terminationGracePeriodSeconds >= Number(settings.FETCHLINE_DRAIN_TIMEOUT) + 5)) {
    problems.push('terminationGracePeriodSeconds leaves no time to drain');
  }
  const shards = settings.SHARDS;
  if (shards && object.kind === 'Job' &&
      (object.spec.completions !== Number(shards) || object.spec.parallelism !== Number(shards))) {
    problems.push(`completions and parallelism are not SHARDS, ${shards}`);
  }
  return problems;
}

// Who scales a Deployment is its only master, and asks for what the producer has: the other names
// are checked against what the programs say, by metrics_test.py.
function scalingProblems(object, objects) {
  const target = object.spec && object.spec.scaleTargetRef;
  if (!target) return [];
  const scaled = objects.find((o) => o.kind === 'Deployment' && o.metadata.name === target.name);
  if (!scaled) return [`no Deployment ${target.name}`];
  return scaled.spec.replicas === undefined ? [] : [`${target.name} has replicas of its own`];
}

// Who waits for its peers is not ready: they must find it all the same, or all wait for ever.
function readinessProblems(object, objects) {
  const waits = objects.some((o) => JSON.stringify(o).includes('"path":"/ready"'));
  const found = object.kind !== 'Service' || object.spec.publishNotReadyAddresses === true;
  return waits && !found ? ['peers find it only when it is ready'] : [];
}

function problemsIn(objects) {
  const settings = Object.assign({}, ...objects
    .filter((o) => o.kind === 'ConfigMap' && o.metadata.name.startsWith('fetchline-settings')).map((o) => o.data));
  return objects.flatMap((object) => {
    const problems = [...schemaProblems(object), ...scalingProblems(object, objects),
      ...readinessProblems(object, objects)];
    const pod = object.spec && object.spec.template && object.spec.template.spec;
    if (pod) {
      problems.push(...securityProblems(pod), ...referenceProblems(pod, objects), ...numberProblems(object, settings),
        ...policyProblems(object.spec.template, objects));
    }
    return problems.map((problem) => `${object.kind} ${object.metadata.name}: ${problem}`);
  });
}

function load(file) {
  const documents = YAML.parseAllDocuments(fs.readFileSync(file, 'utf8'));
  return documents.map((document) => {
    if (document.errors.length) throw document.errors[0];
    return document.toJS();
  });
}

function selfTest(file) {
  const planted = {
    'no such field': (o, pod) => { pod.containers[0].livenesProbe = {}; },
    'no such field ': (o) => { o.spec.podFailurePolicy.rules[0].onExit = 1; },
    'type ': (o) => { o.spec.backoffLimit = 'twenty'; },
    required: (o) => { delete o.spec.template; },
    readOnly: (o, pod) => { pod.containers[0].securityContext.readOnlyRootFilesystem = false; },
    writable: (o, pod) => { delete pod.containers[0].securityContext; },
    grace: (o, pod) => { pod.terminationGracePeriodSeconds = 20; },
    SHARDS: (o) => { o.spec.completions = 3; },
    Service: (o, pod) => { pod.containers[0].args[1] = '--collector=tcp://nobody:5556'; },
    volume: (o, pod) => { pod.volumes = []; },
    'find it': (o, pod, objects) => {
      pod.containers[0].readinessProbe = { httpGet: { path: '/ready', port: 8080 } };
      for (const service of objects.filter((other) => other.kind === 'Service')) delete service.spec.publishNotReadyAddresses;
    },
    'policy opens': (o, pod, objects) => {
      objects.find((other) => other.kind === 'NetworkPolicy' && other.metadata.name === 'fetchline-worker').spec.egress.splice(1, 1);
    },
    'replicas of its own': (o, pod, objects) => {
      objects.find((other) => other.kind === 'NetworkPolicy').spec.scaleTargetRef = { name: 'fetchline-worker' };
    },
  };
  const missed = Object.entries(planted).filter(([, plant]) => {
    const objects = load(file);
    const job = objects.find((o) => o.kind === 'Job' && o.metadata.name === 'fetchline-producer');
    plant(job, job.spec.template.spec, objects);
    return problemsIn(objects).length === 0;
  });
  for (const [name] of missed) console.log(`a planted mistake is not found: ${name}`);
  console.log(`${Object.keys(planted).length - missed.length} of ${Object.keys(planted).length} planted mistakes are found`);
  return missed.length;
}

const [name, file] = process.argv.slice(2);
if (name === '--self-test') {
  process.exit(selfTest(file) ? 1 : 0);
} else {
  const objects = load(file);
  const problems = problemsIn(objects);
  for (const problem of problems) console.log(`${name}: ${problem}`);
  console.log(`${name}: ${objects.length} objects, ${problems.length} problems`);
  process.exit(problems.length || objects.length === 0 ? 1 : 0);
}
