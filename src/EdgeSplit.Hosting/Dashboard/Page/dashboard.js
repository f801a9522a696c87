"use strict";
const keptSeconds = 300, keptRequests = 200, mostLayers = 3000;
const state = { now: 0, devices: [], models: [], plans: new Map(), graphs: new Map(), requests: [], seconds: [], decisions: [], paused: false, token: sessionStorage.getItem("edgesplit-token") ?? "", mayAct: false };
const byId = id => document.getElementById(id);
const time = seconds => duration(seconds, 3);
const percent = share => share === null || share === undefined ? "–" : `${Math.round(share * 100)}%`;
const order = [];
// A device keeps its colour, whatever comes and goes.
const colourOf = (device, light) => {
  if (!order.includes(device)) order.push(device);
  return colour(order.indexOf(device), light);
};

// ---- what comes from the coordinator

async function listen() {
  let delay = 500;
  for (;;) {
    try {
      const response = await fetch("api/events", { headers: headers(), cache: "no-store" });
      if (!response.ok) throw new Error((await response.json()).error);
      delay = 500;
      connection("live", "good");
      await read(response.body);
      throw new Error("The coordinator has closed the connection.");
    } catch (error) {
      connection("not connected", "bad");
      if (!(error instanceof TypeError)) notice(error.message);
    }
    await new Promise(resolve => setTimeout(resolve, delay));
    delay = Math.min(delay * 2, 10000);
  }
}

async function read(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(event);
      take[name](JSON.parse(data));
    }
    draw();
  }
}

const take = {
  state: data => {
    state.now = data.at;
    Object.assign(state, { devices: data.devices, models: data.models, inFlight: data.inFlight, queued: data.queued });
    for (const device of data.devices) colourOf(device.id);
    if (state.allowsActions !== data.allowsActions) { state.allowsActions = data.allowsActions; checkToken(); }
  },
  plan: plan => { state.plans.set(plan.model, plan); },
  requests: list => { if (!state.paused) state.requests = [...state.requests, ...list].slice(-keptRequests); },
  seconds: list => {
    const known = state.seconds.at(-1)?.at ?? 0;
    state.seconds = [...state.seconds, ...list.filter(second => second.at > known)].slice(-keptSeconds);
  },
  decisions: list => { state.decisions = list; },
};

function connection(text, kind) {
  byId("connection").textContent = text;
  byId("connection").className = `pill ${kind}`;
  document.body.classList.toggle("stale", kind !== "good");
  if (kind === "good") notice("");
}

function notice(text) {
  byId("notice").hidden = text === "";
  byId("notice").textContent = text;
}

// ---- what goes to the coordinator

const headers = () => state.token ? { authorization: `Bearer ${state.token}` } : {};

async function act(method, path, body, button) {
  if (button) button.disabled = true;
  try {
    const response = await fetch(`api/${path}`, { method, headers: { ...headers(), ...(body ? { "content-type": "application/json" } : {}) }, body: body && JSON.stringify(body) });
    notice(response.ok ? "" : (await response.json()).error);
    return response.ok;
  } catch (error) {
    notice(`The coordinator does not answer: ${error.message}`);
    return false;
  } finally {
    if (button) button.disabled = false;
  }
}

async function checkToken() {
  state.mayAct = state.allowsActions && state.token !== "" && (await fetch("api/token", { method: "POST", headers: headers() })).ok;
  byId("token-form").hidden = !state.allowsActions || state.mayAct;
  byId("load-form").hidden = !state.mayAct;
  byId("access").textContent = state.mayAct ? "actions allowed" : state.allowsActions ? "" : "read-only";
  if (state.token && state.allowsActions && !state.mayAct) notice("The token is wrong.");
  draw();
}

byId("token-form").addEventListener("submit", event => {
  event.preventDefault();
  state.token = byId("token").value.trim();
  sessionStorage.setItem("edgesplit-token", state.token);
  byId("token").value = "";
  notice("");
  checkToken();
});
byId("load-form").addEventListener("submit", async event => {
  event.preventDefault();
  if (await act("POST", "models", { model: byId("load-model").value.trim(), name: byId("load-name").value.trim() }, event.submitter)) event.target.reset();
});
byId("pause").addEventListener("click", event => {
  state.paused = !state.paused;
  state.pausedAt = state.now;
  event.target.textContent = state.paused ? "Go on" : "Pause";
});

// ---- what is seen

// Keeps one element for each key, so that what one points at or has opened stays.
function keyed(parent, keys, make) {
  const known = new Map([...parent.children].map(child => [child.dataset.key, child]));
  for (const [key, child] of known) if (!keys.includes(key)) child.remove();
  return keys.map(key => {
    if (known.has(key)) return known.get(key);
    const child = make();
    child.dataset.key = key;
    parent.append(child);
    return child;
  });
}

function button(parent, text, action) {
  const made = html(parent, "button", text);
  made.type = "button";
  made.addEventListener("click", () => action(made));
  return made;
}

// Buttons are made anew only when others are due, or a click could fall between two updates.
function actions(parent, list) {
  const wanted = state.mayAct ? list : [], names = wanted.map(([name]) => name).join();
  if (parent.dataset.names === names) return;
  parent.dataset.names = names;
  parent.replaceChildren();
  for (const [name, action] of wanted) button(parent, name, action);
}

function figures() {
  const recent = state.seconds.slice(-10), answered = recent.reduce((sum, second) => sum + second.answered, 0), last = recent.findLast(second => second.answered > 0);
  const failed = state.seconds.reduce((sum, second) => sum + second.failed, 0), there = state.devices.filter(device => device.state !== "Lost").length;
  byId("figures").replaceChildren();
  for (const [name, value] of [
    ["devices", there === state.devices.length ? there : `${there} of ${state.devices.length}`],
    ["requests per second", recent.length ? (answered / recent.length).toPrecision(3) : "–"],
    ["median latency", last ? time(last.p50) : "–"],
    ["99th percentile", last ? time(last.p99) : "–"],
    ["in flight", state.inFlight ?? "–"], ["waiting", state.queued ?? "–"], ["failed, 5 minutes", failed],
  ]) figure(name, value);
}

function meter(parent, name, share, text) {
  const row = html(parent, "div");
  row.className = "meter";
  html(row, "span", name).className = "soft";
  const bar = html(row, "span");
  bar.className = "bar";
  if (share !== null) html(bar, "i").style.width = `${Math.round(Math.max(0, Math.min(1, share)) * 100)}%`;
  html(row, "span", text);
}

function devices() {
  if (state.devices.length === 0) { byId("devices").replaceChildren(Object.assign(document.createElement("div"), { className: "empty", textContent: "No device is connected yet." })); return; }
  const cards = keyed(byId("devices"), state.devices.map(device => device.id), () => {
    const card = document.createElement("div");
    card.className = "card";
    html(card, "div").className = "body";
    html(card, "div").className = "actions";
    return card;
  });
  state.devices.forEach((device, index) => {
    const card = cards[index], body = card.querySelector(".body"), lost = device.state === "Lost";
    card.style.borderLeftColor = colourOf(device.id);
    body.replaceChildren();
    const top = html(body, "div");
    top.className = "top";
    html(top, "b", device.id).title = device.id;
    html(top, "span", device.state.toLowerCase()).className = `pill ${device.state === "Available" ? "good" : lost ? "bad" : "warn"}`;
    html(body, "div", `${device.isCoordinator ? "the coordinator itself, " : ""}${device.host}, ${device.platform}, ${device.processors} cores, ${device.provider}`).className = "small soft";
    if (device.reason) html(body, "div", device.reason).className = "small";
    if (!lost) {
      const used = device.memoryUsed, all = used !== null && device.memoryAvailable !== null ? used + device.memoryAvailable : null;
      meter(body, "CPU", device.cpu, `${percent(device.cpu)}, ours ${percent(device.processCpu)}`);
      meter(body, "memory", all ? used / all : null, used === null ? "–" : `${bytes(used)} ours`);
      const count = device.partitions ?? 0, parts = [`${count} ${count === 1 ? "part" : "parts"} loaded, ${device.pending ?? 0} running or waiting`];
      if (device.memoryAvailable !== null) parts.push(`${bytes(device.memoryAvailable)} free`);
      if (device.linkBytesPerSecond !== null) parts.push(`link ${time(device.linkLatency)}, ${scaled(device.linkBytesPerSecond, 1000, ["B/s", "kB/s", "MB/s", "GB/s"])}`);
      if (device.temperature !== null) parts.push(`${Math.round(device.temperature)} °C`);
      if (device.watts !== null) parts.push(`${device.watts.toPrecision(2)} W`);
      if (device.battery !== null) parts.push(`battery ${percent(device.battery)}`);
      html(body, "div", parts.join(" · ")).className = "small soft";
    }
    actions(card.querySelector(".actions"), device.state === "Available" && !device.isCoordinator ? [["Drain", made => act("POST", `agents/${encodeURIComponent(device.id)}/drain`, null, made)]]
      : device.state === "Draining" || device.state === "Quarantined" ? [["Resume", made => act("POST", `agents/${encodeURIComponent(device.id)}/resume`, null, made)]] : []);
  });
}

function models() {
  if (state.models.length === 0) { byId("models").replaceChildren(Object.assign(document.createElement("div"), { className: "empty", textContent: "No model is served." })); return; }
  const boxes = keyed(byId("models"), state.models.map(model => model.name), () => {
    const box = document.createElement("div");
    box.className = "model";
    html(box, "div").className = "top";
    html(box, "div").className = "stages";
    html(box, "div").className = "actions";
    const details = html(box, "details");
    html(details, "summary", "The graph, coloured by device");
    html(details, "div").className = "graph";
    details.addEventListener("toggle", () => graph(box));
    details.open = true;
    return box;
  });
  state.models.forEach((model, index) => {
    const box = boxes[index], plan = state.plans.get(model.name), top = box.querySelector(".top"), stages = box.querySelector(".stages");
    const served = model.state === "Served" && plan;
    top.replaceChildren();
    html(top, "b", model.name);
    html(top, "span", model.state.toLowerCase()).className = `pill ${model.state === "Served" ? "good" : model.state === "Failed" ? "bad" : "warn"}`;
    html(top, "span", served ? `plan ${plan.epoch} by ${plan.partitioner}: ${plan.stages.length} stages${plan.latency > 0 ? `, predicted ${time(plan.latency)}, at most ${(1 / plan.bottleneck).toPrecision(3)}/s, moves ${bytes(plan.transferredBytes)}` : ""}` : model.reason).className = "soft";
    stages.hidden = !served;
    box.querySelector("details").hidden = !served;
    if (served && box.dataset.epoch !== String(plan.epoch)) {
      box.dataset.epoch = plan.epoch;
      stages.replaceChildren();
      for (const stage of plan.stages) {
        const part = html(stages, "span", `${stage.device} · ${stage.layers}${stage.share < 1 ? ` · ${Math.round(stage.share * 100)}%` : ""}`);
        part.title = `${stage.device}: ${stage.layers} layers, ${time(stage.seconds)} predicted`;
        part.style.background = colourOf(stage.device);
        part.style.flex = `${Math.max(stage.layers, 1)} 1 0`;
      }
      graph(box);
    }
    actions(box.querySelector(".actions"), served ? [
      ["Plan anew", made => act("POST", `models/${encodeURIComponent(model.name)}/repartition`, null, made)],
      ["Unload", made => act("DELETE", `models/${encodeURIComponent(model.name)}`, null, made)],
    ] : []);
  });
}

async function graph(box) {
  const name = box.dataset.key, plan = state.plans.get(name), parent = box.querySelector(".graph");
  if (!plan || !box.querySelector("details").open || parent.dataset.epoch === String(plan.epoch)) return;
  parent.dataset.epoch = plan.epoch;
  if (!state.graphs.has(name)) state.graphs.set(name, fetch(`api/models/${encodeURIComponent(name)}/graph`, { headers: headers() }).then(response => response.ok ? response.json() : Promise.reject()));
  let model;
  try { model = await state.graphs.get(name); } catch { state.graphs.delete(name); return; }
  const at = parent.scrollTop;
  parent.replaceChildren();
  if (model.layers.length > mostLayers) { html(parent, "div", `${model.layers.length} layers are too many to draw.`).className = "empty"; return; }
  drawGraph(parent, { devices: plan.devices, edges: model.edges, layers: model.layers.map((layer, index) => ({ ...layer, device: plan.assignment[index] })) }, device => colourOf(plan.devices[device]));
  parent.scrollTop = at;
}

function charts() {
  const to = state.now, from = to - Math.max(30, Math.min(keptSeconds, to - (state.seconds[0]?.at ?? to)));
  const marks = state.decisions.filter(decision => decision.switched).map(decision => ({ at: decision.at, text: `plan ${decision.epoch}: ${decision.cause}` }));
  byId("latency").replaceChildren();
  drawLines(byId("latency"), { from, to, marks, format: time, lines: [["--two", "p99"], ["--one", "p50"]].map(([colour, name]) => ({ colour, values: state.seconds.map(second => [second.at + 1, second[name]]) })) });
  byId("throughput").replaceChildren();
  drawLines(byId("throughput"), { from, to, marks, least: 1, format: value => +value.toPrecision(3), lines: [["--one", second => second.answered], ["--bad", second => second.failed || null]].map(([colour, value]) => ({ colour, values: state.seconds.map(second => [second.at + 1, value(second)]) })) });
}

function gantt() {
  const parent = byId("gantt");
  if (state.requests.length === 0) { parent.replaceChildren(Object.assign(document.createElement("div"), { className: "empty", textContent: "No request yet." })); return; }
  const latencies = state.requests.map(request => request.latency).sort((a, b) => a - b), median = latencies[latencies.length >> 1];
  const to = state.paused ? state.pausedAt : state.now, from = to - Math.max(1, Math.min(20, 12 * median));
  const bars = state.requests.flatMap((request, index) => request.stages.map(stage => {
    const start = request.started + stage.started, idle = stage.total - stage.compute - stage.queue;
    return { lane: stage.device, start, end: start + stage.total, computeFrom: start + idle / 2 + stage.queue, computeTo: start + idle / 2 + stage.queue + stage.compute, shade: 38 + index % 3 * 9,
      title: `${request.model}, stage ${stage.stage} on ${stage.device}\ncompute ${time(stage.compute)}, waiting ${time(stage.queue)}, travelling ${time(Math.max(0, idle))}\nrequest ${time(request.latency)}, plan ${request.epoch}` };
  }));
  const lanes = state.devices.map(device => device.id).filter(id => bars.some(bar => bar.lane === id && bar.end >= from));
  parent.replaceChildren();
  if (lanes.length === 0) html(parent, "div", "No request of late.").className = "empty";
  else drawBars(parent, { lanes, bars, from, to, colourOf });
}

function decisions() {
  const parent = byId("decisions"), newest = state.decisions[0], key = newest ? `${state.decisions.length} ${newest.at} ${newest.repetitions}` : "";
  if (key === "" || parent.dataset.key === key) return;
  parent.dataset.key = key;
  const body = parent.tBodies[0];
  body.replaceChildren();
  for (const decision of state.decisions) {
    const row = html(body, "tr");
    html(row, "td", new Date(decision.at * 1000).toLocaleTimeString([], { hour12: false }));
    html(html(row, "td"), "span", decision.switched ? "switched" : "stayed").className = `pill ${decision.switched ? "warn" : ""}`;
    html(row, "td", `${decision.model}, plan ${decision.epoch}`);
    const figures = [decision.gain ? `gain ${percent(decision.gain)}` : "", decision.bytesToMove ? `moves ${bytes(decision.bytesToMove)}` : "", decision.elapsed ? `took ${time(decision.elapsed)}` : "", decision.repetitions > 1 ? `${decision.repetitions} times` : ""].filter(Boolean).join(", ");
    html(row, "td", `${decision.cause} ${decision.reason}${figures ? ` (${figures})` : ""}`);
  }
}

function draw() {
  if (state.now === 0) return;
  figures();
  devices();
  charts();
  gantt();
  models();
  decisions();
}

addEventListener("resize", draw);
listen();
