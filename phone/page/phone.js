// The phone page. The server sends its whole state after each change, and the page follows it:
// elements are kept by key and patched, so that focus, typed text and opened details stay.
// What comes from the server is only ever set as text.

// ---- Small things -------------------------------------------------------------------------

const $ = (id) => document.getElementById(id);
const part = (node, name) => node.querySelector(`[data-part="${name}"]`);

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Writes only what differs: a live region speaks at every write, and a selection is lost by one. */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Makes the children of `parent` follow `items`, one for each key. One that stays is neither moved
 * nor made again, only updated.
 */
function follow(parent, items, key, create, update = () => {}) {
  const wanted = new Set(items.map(key));
  for (const node of [...parent.children]) if (!wanted.has(node.dataset.key)) node.remove();
  const present = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  let next = parent.firstElementChild;
  for (const item of items) {
    const id = key(item);
    const node = present.get(id) ?? create(item);
    node.dataset.key = id;
    if (node === next) next = next.nextElementSibling;
    else parent.insertBefore(node, next);
    update(node, item);
  }
}

/** What the browser keeps between visits; some browsers refuse, and then nothing is kept. */
const memory = {
  get(name, fallback) {
    try { return localStorage.getItem(`phone.${name}`) ?? fallback; } catch { return fallback; }
  },
  set(name, value) {
    try { localStorage.setItem(`phone.${name}`, value); } catch { /* private browsing */ }
  },
};

// ---- What the page knows ------------------------------------------------------------------

let state = { now: new Date().toISOString(), lines: [], contacts: [], legs: [], timeline: [] };
/** The server's clock less ours, in milliseconds. */
let skew = 0;
/** The leg a person chose to listen to; else the newest caller is heard. */
let chosen = null;
/** The leg to put the focus on as soon as its card is there. */
let toFocus = null;
/** Legs that are to ring unheard. */
const ignored = new Set();
/** Ended legs that were put away. */
const removed = new Set();
/** The words last shown for each leg, to tell a screen reader of changes only. Null before the first state. */
let told = null;

const isLive = (leg) => !leg.ended;
const isRinging = (leg) => leg.role === "callee" && leg.status === "ringing" && isLive(leg);

function earLeg() {
  const live = state.legs.filter(isLive);
  return live.find((leg) => leg.leg === chosen)
    ?? live.find((leg) => leg.role === "caller")
    ?? live.find((leg) => leg.status === "answered");
}

// ---- Words --------------------------------------------------------------------------------

const capital = (name) => name.charAt(0).toUpperCase() + name.slice(1);

/** The name of whoever has this number, or the number. */
function nameOf(number) {
  const contact = state.contacts.find((one) => one.id === number);
  if (contact?.name) return capital(contact.name);
  return state.lines.find((line) => line.number === number)?.name ?? number;
}

const calleeName = (leg) => (leg.name ? capital(leg.name) : nameOf(leg.to));
const titleOf = (leg) => (leg.role === "caller" ? leg.from : `${calleeName(leg)}’s phone`);

const listOf = new Intl.ListFormat("en-GB");

function statusOf(leg) {
  if (!isLive(leg)) {
    const ending = leg.ending ?? "over";
    return leg.answered ? `The call is over: ${ending}` : capital(ending);
  }
  const caller = leg.role === "caller";
  const other = caller ? leg.name ?? leg.to : calleeName(leg);
  if (leg.status === "started") return `Calling ${other}…`;
  if (leg.status === "ringing") return caller ? `Ringing at ${other}…` : `${other}’s phone is ringing`;
  if (leg.with.length) return `Talking with ${listOf.format(leg.with.map(nameOf))}`;
  if (leg.takes?.keys) return leg.takes.speech ? "Asked for keys or words" : "Asked for keys";
  if (leg.takes?.speech) return "Asked to speak";
  const hears = (kind) => leg.hears.some((sound) => sound.kind === kind);
  if (hears("ringback")) return waitingFor();
  if (hears("talk")) return "Listening to a message";
  if (hears("stream")) return "On hold, music plays";
  return "Connected";
}

/** Whose phone is ringing, as far as there is only one. */
function waitingFor() {
  const ringing = state.legs.filter(isRinging);
  return ringing.length === 1 ? `${titleOf(ringing[0])} is ringing` : "Waiting while it rings";
}

function captionOf(sound) {
  switch (sound.kind) {
    case "talk": return sound.text ?? "";
    case "voice": return `${sound.from ? nameOf(sound.from) : "Somebody"}: ${sound.text ?? ""}`;
    case "stream": return `♪ ${sound.text ?? "Music"}`;
    case "ringback": return sound.text ?? "It rings…";
    case "beep": return sound.text ?? "A beep";
    default: return sound.text ?? "Silence";
  }
}

const serverNow = () => Date.now() + skew;
const clockTime = (at) => new Date(at).toLocaleTimeString("en-GB");

function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function size(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

// ---- Asking the server --------------------------------------------------------------------

/** Asks, and gives the answer's JSON. A refusal is shown, and gives null. */
async function ask(path, body = {}) {
  try {
    // Always JSON, though it may say nothing: the server takes no form, since any site can send one.
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(`/phone/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    const answer = (await response.text()) || "{}";
    const json = response.headers.get("Content-Type")?.includes("json") || response.ok ? JSON.parse(answer) : {};
    if (response.ok) return json;
    notice(json.error?.message ?? `The server answered ${response.status}.`, true);
  } catch {
    notice("The server did not answer.", true);
  }
  return null;
}

/** Things done on the phones, one after the other: keys must arrive in the order they were pressed. */
let last = Promise.resolve();
function act(leg, what, body) {
  last = last.then(() => ask(`legs/${encodeURIComponent(leg)}/${what}`, body));
  return last;
}

/** How long, in milliseconds, good news stay in front of the page: time to read two lines. */
const NOTICE = 6000;
let fading;

function notice(text, bad = false) {
  $("notice").firstElementChild.textContent = text;
  $("notice").dataset.bad = bad;
  $("notice").hidden = false;
  (bad ? $("alarm") : $("announce")).textContent = text;
  clearTimeout(fading);
  // What went wrong stays until it is closed.
  if (!bad) fading = setTimeout(() => { $("notice").hidden = true; }, NOTICE);
}

/**
 * Runs `work` at most once a second, never twice at a time, and once more after the last request for
 * it: an answer that comes late would undo a newer one.
 */
function atMostOnceASecond(work) {
  let waits = false;
  let again = false;
  return async function request() {
    again = waits;
    if (waits) return;
    waits = true;
    await Promise.all([work(), new Promise((after) => setTimeout(after, 1000))]);
    waits = false;
    if (again) request();
  };
}

// ---- Sound --------------------------------------------------------------------------------

const sound = { on: memory.get("sound", "on") === "on", context: null, playing: new Map(), spoken: new Set(), ear: null };
const RINGBACK = { hertz: [400, 450], beats: [0.4, 0.2, 0.4, 2], volume: 0.05 };
const RING = { hertz: [659, 880], beats: [0.18, 0.12, 0.18, 1.7], volume: 0.035 };
/** The two tones of each key: its row, then its column. */
const KEYS = "123456789*0#";
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477];

/** Browsers let a page sound only after a person did something on it. */
function unlock() {
  if (sound.context?.state === "running") return;
  sound.context ??= new AudioContext();
  sound.context.resume();
  listen();
}

/** Plays tones in a rhythm (seconds on, off, on, …), over and over or once. Gives what stops it. */
function tones({ hertz, beats, volume }, once = false) {
  const { context } = sound;
  const gain = context.createGain();
  gain.gain.value = 0;
  gain.connect(context.destination);
  const sources = hertz.map((frequency) => {
    const source = context.createOscillator();
    source.frequency.value = frequency;
    source.connect(gain);
    source.start();
    return source;
  });
  const round = () => {
    let at = context.currentTime;
    beats.forEach((beat, index) => {
      gain.gain.setTargetAtTime(index % 2 ? 0 : volume, at, 0.01);
      at += beat;
    });
    gain.gain.setTargetAtTime(0, at, 0.01);
  };
  const length = 1000 * beats.reduce((sum, beat) => sum + beat, 0);
  const stop = () => {
    clearInterval(timer);
    for (const source of sources) source.stop(context.currentTime + 0.1);
    gain.gain.cancelScheduledValues(context.currentTime);
    gain.gain.setTargetAtTime(0, context.currentTime, 0.01);
  };
  const timer = setInterval(once ? stop : round, length);
  round();
  return stop;
}

function keyTone(key) {
  if (!sound.on || !sound.context) return;
  const index = KEYS.indexOf(key);
  tones({ hertz: [ROWS[Math.floor(index / 3)], COLUMNS[index % 3]], beats: [0.12], volume: 0.04 }, true);
}

/** Speaks once for each id. A machine's talk is cut when it stops; what a person said is not. */
function speak(id, heard) {
  if (!("speechSynthesis" in window) || sound.spoken.has(id)) return () => {};
  sound.spoken.add(id);
  const speech = new SpeechSynthesisUtterance(heard.text ?? "");
  if (heard.language) speech.lang = heard.language;
  if (heard.kind === "voice") speech.pitch = pitchOf(heard.from ?? "");
  let over = false;
  speech.onend = speech.onerror = () => { over = true; };
  speechSynthesis.speak(speech);
  return () => { if (!over && heard.kind === "talk") speechSynthesis.cancel(); };
}

/** People are told apart by their pitch: the same for the same number, never a machine's 1. */
function pitchOf(number) {
  const sum = [...number].reduce((total, digit) => total * 7 + digit.charCodeAt(0), 0);
  return [0.6, 0.75, 1.3, 1.5][sum % 4];
}

/** Plays a file from where the call is in it, as one who picks up another receiver hears it. */
function stream(heard) {
  const audio = new Audio(heard.audio);
  audio.loop = heard.loop;
  audio.volume = 0.6;
  audio.addEventListener("loadedmetadata", () => {
    const since = (serverNow() - Date.parse(heard.since)) / 1000;
    if (since > 1 && Number.isFinite(audio.duration)) {
      audio.currentTime = heard.loop ? since % audio.duration : Math.min(since, audio.duration);
    }
  });
  audio.play().catch(() => { /* not allowed yet, or no such tune: the caption says it all the same */ });
  return () => audio.pause();
}

function start(id, heard) {
  switch (heard.kind) {
    case "talk":
    case "voice": return speak(id, heard);
    case "stream": return heard.audio ? stream(heard) : () => {};
    case "ringback": return tones(RINGBACK);
    case "beep": return tones({ hertz: [1000], beats: [0.3], volume: 0.06 }, true);
    default: return () => {};
  }
}

/** Makes what sounds follow what the chosen leg hears, and the phones that ring in the room. */
function listen() {
  const leg = earLeg();
  const wanted = new Map();
  if (state.legs.some((one) => isRinging(one) && !ignored.has(one.leg))) {
    wanted.set("ring", () => tones(RING));
  }
  for (const heard of leg?.hears ?? []) {
    const id = `${leg.leg}/${heard.id}`;
    wanted.set(id, () => start(id, heard));
  }
  $("unlock").hidden = !(sound.on && !sound.context && wanted.size);
  if (!sound.on || !sound.context) wanted.clear();
  for (const [id, stop] of sound.playing) {
    if (wanted.has(id)) continue;
    sound.playing.delete(id);
    stop();
  }
  if (sound.ear !== leg?.leg || !sound.on) window.speechSynthesis?.cancel();
  sound.ear = leg?.leg;
  for (const [id, begin] of wanted) {
    if (!sound.playing.has(id)) sound.playing.set(id, begin());
  }
}

// ---- The phones ---------------------------------------------------------------------------

function newCard(leg) {
  const card = $("card").content.firstElementChild.cloneNode(true);
  card.dataset.leg = leg.leg;
  card.dataset.role = leg.role;
  card.dataset.number = leg.role === "caller" ? leg.from : leg.to;
  const title = part(card, "title");
  title.id = `title-${leg.leg}`;
  card.setAttribute("aria-labelledby", title.id);
  // Nobody rings a caller, so that phone has nothing to answer with.
  if (leg.role === "caller") part(card, "choices").remove();
  for (const key of KEYS) {
    part(card, "keys").append(element("button", { type: "button", "data-do": "press", value: key }, key));
  }
  card.querySelector('[data-do="listen"]').hidden = !Recognition;
  part(card, "say").addEventListener("submit", (event) => {
    event.preventDefault();
    say(card);
  });
  card.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) ACTIONS[button.dataset.do]?.(card, button);
  });
  card.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input");
    if (typing || event.ctrlKey || event.altKey || event.metaKey || event.key.length !== 1) return;
    if (KEYS.includes(event.key) && card.dataset.status === "answered") {
      event.preventDefault();
      press(card, event.key);
    }
  });
  return card;
}

/** What the buttons of a card do. */
const ACTIONS = {
  answer: (card) => act(card.dataset.leg, "answer"),
  decline: (card) => act(card.dataset.leg, "decline"),
  mailbox: (card) => act(card.dataset.leg, "mailbox"),
  hangup: (card) => act(card.dataset.leg, "hangup"),
  press: (card, button) => press(card, button.value),
  listen: (card, button) => listenToPerson(card, button),
  ignore(card) {
    ignored.add(card.dataset.leg);
    show();
  },
  ear(card) {
    chosen = card.dataset.leg;
    show();
  },
  remove(card) {
    removed.add(card.dataset.leg);
    const neighbour = card.nextElementSibling ?? card.previousElementSibling ?? $("call");
    show();
    neighbour.focus();
  },
};

function press(card, key) {
  keyTone(key);
  act(card.dataset.leg, "press", { keys: key });
  const line = part(card, "captions").lastElementChild;
  // Keys pressed one after the other are one line.
  if (line?.dataset.did === "press") line.append(key);
  else did(card, "press", `You pressed ${key}`);
}

async function say(card) {
  const field = part(card, "say").querySelector("input");
  const text = field.value.trim();
  if (!text) return;
  field.value = "";
  if (await act(card.dataset.leg, "say", { text })) did(card, "say", `You: ${text}`);
  else if (!field.value) field.value = text;
}

/** Keeps on the card what its person did. */
function did(card, what, text) {
  part(card, "captions").append(element("li", { "data-did": what }, text));
  trim(card);
}

const Recognition = window.SpeechRecognition ?? window.webkitSpeechRecognition;

function listenToPerson(card, button) {
  const recognition = new Recognition();
  recognition.lang = navigator.language;
  recognition.onresult = (event) => {
    part(card, "say").querySelector("input").value = event.results[0][0].transcript;
    say(card);
  };
  recognition.onerror = (event) => notice(`The microphone gave nothing (${event.error}).`, true);
  recognition.onend = () => button.setAttribute("aria-pressed", "false");
  button.setAttribute("aria-pressed", "true");
  recognition.start();
}

function updateCard(card, leg) {
  const focused = card.contains(document.activeElement) ? document.activeElement : null;
  const words = statusOf(leg);
  const ringing = isRinging(leg);
  card.dataset.status = leg.status;
  card.dataset.live = isLive(leg);
  card.dataset.ringing = ringing && !ignored.has(leg.leg);
  const title = titleOf(leg);
  write(part(card, "title"), title);
  const line = leg.name && leg.role === "caller" ? `${leg.name}, ${leg.to}` : leg.to;
  write(part(card, "line"), leg.role === "caller" ? `calls ${line}` : `${leg.to}, called from ${leg.from}`);
  write(part(card, "status"), ringing && ignored.has(leg.leg) ? `${words}, unheard` : words);
  if (part(card, "choices")) part(card, "choices").hidden = !ringing;
  const talks = isLive(leg) && leg.status === "answered";
  part(card, "say").hidden = part(card, "keys").hidden = !talks;
  part(card, "keys").dataset.wanted = Boolean(leg.takes?.keys);
  part(card, "say").dataset.wanted = Boolean(leg.takes?.speech);
  // A ringing phone is declined, not hung up; a caller may hang up at any moment.
  card.querySelector('[data-do="hangup"]').hidden = !isLive(leg) || leg.role === "callee" && !talks;
  updateEar(card.querySelector('[data-do="ear"]'), leg, title);
  const remove = card.querySelector('[data-do="remove"]');
  remove.hidden = isLive(leg);
  remove.setAttribute("aria-label", `Put away ${title}`);
  updateCaptions(card, leg);
  part(card, "more").hidden = !talks && !leg.script.length;
  write(part(card, "heading"), leg.script.length ? "Script" : "No script of its own: it takes part in another’s");
  updateScript(part(card, "script"), leg);
  if (focused && !focused.checkVisibility()) card.focus();
}

function updateEar(button, leg, title) {
  const here = earLeg() === leg;
  button.hidden = !isLive(leg) || isRinging(leg);
  button.setAttribute("aria-pressed", here);
  button.setAttribute("aria-label", `Listen to ${title}`);
  button.dataset.sounds = here && sound.on && leg.hears.length > 0;
}

/** What was heard before stays for a while, fainter; this many lines in all. */
const CAPTIONS = 5;

function updateCaptions(card, leg) {
  const captions = part(card, "captions");
  const current = new Set(leg.hears.map((heard) => String(heard.id)));
  for (const line of captions.querySelectorAll("[data-hears]")) {
    if (current.has(line.dataset.hears)) continue;
    line.dataset.heard = line.dataset.hears;
    delete line.dataset.hears;
  }
  for (const heard of leg.hears) {
    let line = captions.querySelector(`[data-hears="${Number(heard.id)}"]`);
    if (!line) {
      line = element("li", { "data-hears": heard.id, "data-kind": heard.kind });
      if (heard.language) line.lang = heard.language;
      captions.append(line);
    }
    write(line, captionOf(heard));
  }
  trim(card);
}

function trim(card) {
  const captions = part(card, "captions");
  const past = captions.querySelectorAll(":not([data-hears])");
  const surplus = Math.min(captions.children.length - CAPTIONS, past.length);
  for (let index = 0; index < surplus; index += 1) past[index].remove();
}

function updateScript(list, leg) {
  const items = leg.script.map((action, index) => ({ ...action, index, text: JSON.stringify(action.json, null, 2) }));
  follow(list, items, (item) => `${item.index} ${item.text}`, (item) => element(
    "li",
    { "data-action": item.action },
    opening([element("b", {}, item.action), " ", item.summary ?? ""], item.text),
  ), (node, item) => {
    const current = item.index === leg.current;
    node.dataset.current = current;
    if (current) node.setAttribute("aria-current", "step");
    else node.removeAttribute("aria-current");
  });
}

/** A line that opens to show a text, or only the line. */
function opening(line, text) {
  if (text === null) return element("div", { class: "row" }, ...line);
  return element("details", {}, element("summary", { class: "row" }, ...line), element("pre", { tabindex: "0" }, text));
}

function showPhones() {
  const legs = state.legs.filter((leg) => !removed.has(leg.leg));
  for (const [list, role] of [["callers", "caller"], ["callees", "callee"]]) {
    follow($(list), legs.filter((leg) => leg.role === role), (leg) => leg.leg, newCard, updateCard);
  }
  $("empty").hidden = legs.length > 0;
  const ringing = state.legs.filter(isRinging);
  const news = ringing.length === 1 ? `${titleOf(ringing[0])} is ringing` : `${ringing.length} phones are ringing`;
  document.title = ringing.length ? `☎ ${news}` : "Phone · Switchboard";
  // On a small screen the phone that rings may be far from what one sees.
  write($("ringing"), `${news}: go to it`);
  $("ringing").hidden = !ringing.length;
  // "Alice is free" has done its work, and would lie over the button that answers.
  if (ringing.length && $("notice").dataset.bad === "false") $("notice").hidden = true;
  if (toFocus && cardOf(toFocus)) {
    goTo(cardOf(toFocus));
    toFocus = null;
  }
}

const cardOf = (leg) => document.querySelector(`[data-leg="${CSS.escape(leg)}"]`);

function goTo(card) {
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

function showClocks() {
  for (const leg of state.legs) {
    const card = cardOf(leg.leg);
    if (!card) continue;
    const from = Date.parse(leg.answered ?? leg.at);
    const to = leg.ended ? Date.parse(leg.ended) : serverNow();
    // A phone that nobody picked up had no call to be timed.
    write(part(card, "clock"), leg.ended && !leg.answered ? "" : duration(to - from));
  }
}

/** Tells a screen reader what changed on the phones. */
function announce() {
  const before = told;
  told = new Map(state.legs.map((leg) => [leg.leg, statusOf(leg)]));
  if (!before) return;
  const news = [];
  for (const leg of state.legs) {
    const words = told.get(leg.leg);
    if (before.get(leg.leg) === words) continue;
    news.push(words.includes(titleOf(leg)) ? words : `${titleOf(leg)}: ${words}`);
  }
  if (news.length) $("announce").textContent = news.join(". ");
}

// ---- Placing a call -----------------------------------------------------------------------

function showLines() {
  const select = $("to");
  const before = select.options.length;
  const lines = [...state.lines, { number: "", name: "Another number…" }];
  follow(select, lines, (line) => line.number, (line) => element("option", { value: line.number }), (option, line) => {
    write(option, line.number && line.name ? `${line.name}, ${line.number}` : line.name ?? line.number);
  });
  if (before <= 1 && state.lines.length) {
    const number = memory.get("to", "");
    select.value = state.lines.some((line) => line.number === number) ? number : state.lines[0].number;
    showOther();
  }
}

function showOther() {
  $("other").hidden = $("to").value !== "";
  $("to-number").required = $("to").value === "";
}

async function placeCall(event) {
  event.preventDefault();
  const digits = (text) => text.replace(/\D/g, "");
  const from = digits($("from").value);
  const to = $("to").value || digits($("to-number").value);
  memory.set("from", from);
  memory.set("to", to);
  const call = await ask("calls", { from, to });
  if (!call) return;
  chosen = toFocus = call.leg;
  show();
}

// ---- Agents and recordings ----------------------------------------------------------------

let agents = [];

const refresh = atMostOnceASecond(async () => {
  const get = async (path) => (await fetch(`/phone/${path}`)).json();
  try {
    const [people, recordings] = await Promise.all([get("agents"), get("recordings")]);
    agents = people;
    showAgents();
    showRecordings(recordings);
  } catch { /* the lost connection is told already */ }
});

function newAgent(agent) {
  const row = $("agent").content.firstElementChild.cloneNode(true);
  row.dataset.agent = agent.name;
  write(part(row, "name"), capital(agent.name));
  row.querySelector("[role=group]").setAttribute("aria-label", capital(agent.name));
  for (const button of row.querySelectorAll("[data-do]")) {
    button.addEventListener("click", async () => {
      const answer = await ask(`agents/${encodeURIComponent(agent.name)}/${button.dataset.do}`);
      if (answer?.message) notice(answer.message);
      refresh();
    });
  }
  const manner = part(row, "manner");
  manner.addEventListener("change", async () => {
    const contact = contactOf(agent);
    if (contact) await ask(`contacts/${encodeURIComponent(contact.id)}/manner`, { manner: manner.value });
  });
  return row;
}

const contactOf = (agent) => state.contacts.find((one) => one.id === agent.number)
  ?? state.contacts.find((one) => one.name === agent.name);

function showAgents() {
  follow($("agents"), agents, (agent) => agent.name, newAgent, (row, agent) => {
    write(part(row, "state"), agent.state);
    row.dataset.state = agent.state;
    for (const button of row.querySelectorAll("[data-do]")) {
      button.setAttribute("aria-pressed", agent.state === button.dataset.do);
    }
    const manner = part(row, "manner");
    const contact = contactOf(agent);
    manner.disabled = !contact;
    // Only what the server changed is taken over, not an answer that is older than the choice.
    if (contact && row.dataset.manner !== contact.manner) {
      row.dataset.manner = contact.manner;
      manner.value = contact.manner;
    }
  });
}

const RECORDING = { pending: "being archived…", archived: "archived", empty: "nothing was said", failed: "could not be fetched" };
const recorded = new Map();

function showRecordings(recordings) {
  follow($("recordings"), recordings, (one) => one.id, (one) => element(
    "li",
    { "data-recording": one.id },
    element("span", { "data-part": "what" }),
    element("span", { class: "chip", "data-part": "state" }),
  ), (row, one) => {
    const leg = state.legs.find((known) => known.leg === one.call);
    // A call is known by name while its phone is on the page; the name stays after that.
    if (leg) row.dataset.call = `${leg.role === "caller" ? leg.from : nameOf(leg.from)} to ${leg.name ? capital(leg.name) : leg.to}`;
    const what = [row.dataset.call, clockTime(one.at), one.bytes ? size(one.bytes) : ""].filter(Boolean).join(" · ");
    write(part(row, "what"), what);
    write(part(row, "state"), RECORDING[one.state] ?? one.state);
    row.dataset.state = one.state;
    if (one.audio && !row.querySelector("audio")) {
      row.append(element("audio", { controls: "", preload: "metadata", src: one.audio, "aria-label": `Recording, ${what}` }));
    }
    if (recorded.get(one.id) === "pending" && one.state === "archived") $("announce").textContent = "A recording can be played.";
    recorded.set(one.id, one.state);
  });
  $("recordings").hidden = !recordings.length;
  $("no-recordings").hidden = recordings.length > 0;
}

// ---- The timeline -------------------------------------------------------------------------

const KINDS = {
  webhook: "the platform asks your server",
  reply: "your server replies",
  request: "your server asks the platform",
  person: "somebody does something on a phone",
  note: "a remark",
};

/** How many pixels from its end the timeline still counts as being at it. */
const NEAR = 24;

function newEntry(entry) {
  const who = state.legs.find((leg) => leg.leg === entry.leg);
  const row = [
    element("time", { datetime: entry.at, title: entry.at }, clockTime(entry.at)),
    element("span", { class: "kind", title: KINDS[entry.kind] ?? "" }, entry.kind),
    element("span", { class: "who" }, who ? titleOf(who) : ""),
  ];
  if (entry.status) row.push(element("span", { class: "code", "data-bad": entry.status >= 400 }, String(entry.status)));
  row.push(element("span", { class: "text" }, entry.text));
  const body = entry.body === null || entry.body === undefined ? null : JSON.stringify(entry.body, null, 2);
  return element("li", { "data-entry": entry.id, "data-kind": entry.kind }, opening(row, body));
}

function showTimeline() {
  const log = $("log");
  const list = $("timeline");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
  const only = $("follow").value;
  const entries = state.timeline.filter((entry) => !only || entry.leg === only);
  const newest = list.lastElementChild?.dataset.key;
  // What leaves at the top must not move what is being read.
  const mark = [...list.children].find((node) => node.getBoundingClientRect().bottom > log.getBoundingClientRect().top);
  const before = mark?.offsetTop;
  // Ids begin anew when the server does, so the time belongs to the key.
  follow(list, entries, (entry) => `${entry.id} ${entry.at}`, newEntry);
  if (mark?.isConnected && !atEnd) log.scrollTop += mark.offsetTop - before;
  if (atEnd) log.scrollTop = log.scrollHeight;
  else if (list.lastElementChild?.dataset.key !== newest) $("newest").hidden = false;
  $("no-timeline").hidden = entries.length > 0;
}

function showFollow() {
  const select = $("follow");
  const legs = [{ leg: "", title: "All calls" }, ...state.legs.map((leg) => ({
    leg: leg.leg,
    title: leg.role === "caller" ? `${leg.from} to ${leg.name ?? leg.to}` : `${titleOf(leg)}, ${clockTime(leg.at)}`,
  }))];
  // The time in the title is that of the first sight: a title that changes cannot be chosen from.
  follow(select, legs, (leg) => leg.leg, (leg) => element("option", { value: leg.leg }, leg.title));
}

function goToNewest() {
  $("log").scrollTop = $("log").scrollHeight;
  $("newest").hidden = true;
}

// ---- Following the server -----------------------------------------------------------------

function show() {
  showLines();
  showPhones();
  showClocks();
  showFollow();
  showTimeline();
  showAgents();
  announce();
  listen();
}

function connection(connected, text) {
  $("connection").dataset.connected = connected;
  write($("connection"), text);
}

function connect() {
  const events = new EventSource("/phone/events");
  events.onopen = () => connection(true, "Connected");
  events.onmessage = (event) => {
    state = JSON.parse(event.data);
    skew = Date.parse(state.now) - Date.now();
    show();
    refresh();
  };
  events.onerror = () => {
    connection(false, "Connection lost. Trying again…");
    // The browser tries again by itself, unless the server answered with something else.
    if (events.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  };
}

$("from").value = memory.get("from", $("from").value);
$("dial").addEventListener("submit", placeCall);
$("to").addEventListener("change", showOther);
$("follow").addEventListener("change", () => {
  $("wire").dataset.only = Boolean($("follow").value);
  showTimeline();
  goToNewest();
});
$("ringing").addEventListener("click", () => {
  const leg = state.legs.find(isRinging);
  if (leg) goTo(cardOf(leg.leg));
});
$("newest").addEventListener("click", goToNewest);
$("log").addEventListener("scroll", () => {
  const log = $("log");
  if (log.scrollHeight - log.scrollTop - log.clientHeight < NEAR) $("newest").hidden = true;
});
$("notice").querySelector("button").addEventListener("click", () => { $("notice").hidden = true; });
$("sound").setAttribute("aria-checked", sound.on);
$("sound").addEventListener("click", () => {
  sound.on = !sound.on;
  memory.set("sound", sound.on ? "on" : "off");
  $("sound").setAttribute("aria-checked", sound.on);
  show();
});
// Any click or key on the page is the permission to sound; the button is for who looks for one.
for (const kind of ["click", "keydown"]) document.addEventListener(kind, unlock, { capture: true });
setInterval(showClocks, 500);
// An archived recording or a rest that is over changes nothing on the phones, so nobody tells of it.
setInterval(() => { if ($("connection").dataset.connected === "true") refresh(); }, 3000);
connect();
