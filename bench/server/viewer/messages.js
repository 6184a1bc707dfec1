// The message list and the sequence chart: one list of which only the visible rows exist.

import { badge, byId, clock, element, plural, say, SIGNS, spoken } from "./text.js";

export const ROW = 28; // px, the height of a row; style.css has the same
const BEYOND = 6; // rows drawn above and below what is visible
const KINDS = { call: "CALL", result: "CALLRESULT", error: "CALLERROR", broken: "broken frame" };
const SHOWS = {
  all: () => true,
  message: (line) => line.type === "message",
  call: (line) => line.type === "message" && line.kind === "call",
  error: (line) => line.type === "message" && (line.kind === "error" || line.kind === "broken" || line.lost),
  step: (line) => ["case", "step", "verdict"].includes(line.type),
  check: (line) => line.type === "check" || (line.type === "verdict" && line.case.verdict !== "pass"),
  act: (line) => ["act", "prompt", "note"].includes(line.type),
};

export class Messages {
  /** Show the lines of a run; `chosen` is called with the line that the reader selects. */
  constructor(chosen) {
    this._chosen = chosen;
    this._list = byId("list");
    this._space = this._list.firstElementChild;
    this._follow = true;
    this._sequence = false;
    this.show([]);
    this._list.addEventListener("scroll", () => this._scrolled(), { passive: true });
    this._list.addEventListener("keydown", (event) => this._key(event));
    this._space.addEventListener("click", (event) => {
      const row = event.target.closest("[data-at]");
      if (row) this._select(Number(row.dataset.at));
    });
    byId("filter").addEventListener("input", () => this._filter());
    byId("kind").addEventListener("change", () => this._filter());
    byId("sequence").addEventListener("click", () => {
      this._sequence = !this._sequence;
      byId("sequence").setAttribute("aria-pressed", String(this._sequence));
      byId("heads").hidden = !this._sequence;
      this._draw();
    });
    byId("follow").addEventListener("click", () => this._following(!this._follow));
    new ResizeObserver(() => this._layout()).observe(this._list);
  }

  /** Show the lines of another run, which may grow. */
  show(lines) {
    this._lines = lines;
    this._selected = null;
    byId("detail").replaceChildren(element("p", "empty", "Select a message to read it."));
    this._filter();
  }

  /** Take the lines that have come since. */
  update() {
    if (this._taken === this._lines.length) return;
    for (; this._taken < this._lines.length; this._taken += 1) {
      const line = this._lines[this._taken];
      if (this._wanted(line)) this._rows.push(line);
    }
    this._layout();
  }

  _filter() {
    const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    const shows = SHOWS[byId("kind").value];
    this._wanted = (line) => shows(line) && (!words.length || words.every((word) => searched(line).includes(word)));
    this._rows = [];
    this._taken = 0;
    this.update();
    this._layout();
  }

  _layout() {
    this._space.style.height = `${Math.max(1, this._rows.length) * ROW}px`;
    if (this._follow) this._list.scrollTop = this._rows.length * ROW;
    this._top = this._list.scrollTop;
    const all = this._lines.length;
    say("shown", all === this._rows.length ? plural(all, "line") : `${this._rows.length.toLocaleString("en")} of ${plural(all, "line")}`);
    this._draw();
  }

  _draw() {
    const { scrollTop, clientHeight } = this._list;
    const first = Math.max(0, Math.floor(scrollTop / ROW) - BEYOND);
    const end = Math.min(this._rows.length, Math.ceil((scrollTop + clientHeight) / ROW) + BEYOND);
    const made = [];
    for (let at = first; at < end; at += 1) made.push(this._row(this._rows[at], at));
    this._space.replaceChildren(...made);
    const active = made.find((row) => row.getAttribute("aria-selected") === "true");
    if (active) this._list.setAttribute("aria-activedescendant", active.id);
    else this._list.removeAttribute("aria-activedescendant");
  }

  _row(line, at) {
    const row = element("div", `row ${line.type} ${line.kind ?? ""}`);
    row.id = `row-${at}`;
    row.dataset.at = String(at);
    row.style.top = `${at * ROW}px`;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(line === this._selected));
    row.setAttribute("aria-setsize", String(this._rows.length));
    row.setAttribute("aria-posinset", String(at + 1));
    row.append(element("span", "at", clock(line.utc)), ...(this._sequence ? lanes(line) : columns(line)));
    return row;
  }

  _select(at) {
    const line = this._rows[at];
    if (!line) return;
    this._selected = line;
    const top = at * ROW;
    const { scrollTop, clientHeight } = this._list;
    if (top < scrollTop) this._list.scrollTop = top;
    else if (top + ROW > scrollTop + clientHeight) this._list.scrollTop = top + ROW - clientHeight;
    if (at < this._rows.length - 1) this._following(false);
    this._draw();
    byId("detail").replaceChildren(...details(line));
    byId("detail").scrollTop = 0;
    this._chosen(line);
  }

  _key(event) {
    const at = this._rows.indexOf(this._selected);
    const page = Math.max(1, Math.floor(this._list.clientHeight / ROW) - 1);
    const last = this._rows.length - 1;
    const places = {
      ArrowDown: Math.min(last, at + 1), ArrowUp: at < 0 ? last : Math.max(0, at - 1),
      PageDown: Math.min(last, at + page), PageUp: Math.max(0, at - page), Home: 0, End: last,
    };
    if (event.key === "Enter" && at >= 0) byId("detail").focus();
    else if (event.key in places) this._select(places[event.key]);
    else return;
    event.preventDefault();
  }

  _scrolled() {
    const { scrollTop } = this._list;
    if (scrollTop < this._top - 1) this._following(false); // the reader went back
    this._top = scrollTop;
    this._draw();
  }

  _following(on) {
    this._follow = on;
    byId("follow").setAttribute("aria-pressed", String(on));
    if (on) this._layout();
  }
}

const searched = (line) => (line.searched ??= `${described(line)} ${line.text ?? ""}`.toLowerCase());
const way = (line) => (line.received ? "station to bench" : "bench to station");

/** Say a line in words, for the filter. */
function described(line) {
  switch (line.type) {
    case "message": return `${way(line)} ${KINDS[line.kind]} ${line.action} ${line.lost ? "lost" : ""}`;
    case "case": return `case ${line.case.id} ${line.case.title}`;
    case "verdict": return `case ${line.case.id} ${line.case.verdict} ${line.case.reason ?? ""}`;
    case "step": return `step ${line.step.title}`;
    case "check": return `${line.check.verdict} ${line.check.text}: expected ${line.check.expected}, got ${line.check.actual}`;
    case "act": return `lab ${line.act.device} ${act(line.act)} ${line.act.error ?? ""}`;
    case "prompt": return `prompt ${line.prompt.text}`;
    default: return line.text;
  }
}

const act = ({ method, arguments: given }) => {
  const values = Object.entries(given ?? {}).filter(([, value]) => value !== null);
  return `${method.replaceAll("_", " ")}${values.length ? ` ${values.map(([, one]) => short(one)).join(" ")}` : ""}`;
};
const short = (value) => (typeof value === "object" ? (value.name ?? JSON.stringify(value)) : String(value));

/** Write what a line is, beside its time. */
function content(line) {
  switch (line.type) {
    case "case": return [element("b", "", line.case.id), ` ${line.case.title}`];
    case "verdict": return [element("b", "", line.case.id), " ", badge(line.case.verdict), ` ${line.case.reason ?? ""}`];
    case "step": return [line.step.title];
    case "check": return [badge(line.check.verdict), ` ${line.check.text}: expected ${line.check.expected}, got ${line.check.actual}`];
    case "act": return [element("span", "tag", line.act.device), ` ${act(line.act)}${line.act.error ? ` – ${line.act.error}` : outcome(line.act)}`];
    case "prompt": return [element("span", "tag", "prompt"), ` ${line.prompt.text}`];
    default: return [line.text];
  }
}

const outcome = ({ result }) => (result === null || typeof result === "object" ? "" : ` – ${result}`);

function columns(line) {
  if (line.type !== "message") return [element("span", "wide", ...content(line))];
  const sign = element("span", "way", element("span", "hidden", way(line)));
  sign.dataset.way = line.received ? "→" : "←";
  const mark = { result: "reply", error: "refusal", broken: "broken", call: "" }[line.kind];
  return [
    sign,
    element("span", "action", line.action || "?", mark ? element("span", `kind ${line.kind}`, ` ${mark}`) : ""),
    element("span", "payload", payload(line)),
    element("span", "took", line.answers ? spoken(line.mono - line.answers.mono) : (flag(line) ?? "")),
  ];
}

/** Write a message as an arrow between the lanes of station and bench. */
function lanes(line) {
  if (line.type !== "message") return [element("span", "lane between", element("span", "across", ...content(line))), element("span", "took")];
  const took = line.answers ? spoken(line.mono - line.answers.mono) : "";
  const label = element("span", "label", element("span", "hidden", `${way(line)} `), `${line.action || "?"}${line.kind === "call" ? "" : line.kind === "result" ? ".conf" : ` ${KINDS[line.kind]}`}`);
  const unanswered = line.kind === "call" && !line.answered ? " unanswered" : "";
  return [element("span", `lane arrow ${line.received ? "right" : "left"} ${line.kind}${unanswered}`, label), element("span", "took", took || flag(line) || "")];
}

const flag = (line) => (line.lost ? "lost" : line.leftUnanswered ? "unanswered" : null);
const payload = (line) => line.text.replace(/^\[\d+,\s*"[^"]*",\s*("[^"]*",\s*)?/, "").replace(/\]$/, "");

/** Write everything that is known of a line. */
function details(line) {
  const rows = [["Record", `${line.n}, ${line.utc.replace("T", " ").replace("Z", " UTC")}`]];
  if (line.caseId) rows.push(["Case", line.caseId]);
  if (line.type === "message") {
    rows.push(["Message", `${KINDS[line.kind]}, ${way(line)}`]);
    if (line.answers) rows.push(["Answers", `record ${line.answers.n}, after ${spoken(line.mono - line.answers.mono)}`]);
    if (line.answered) rows.push(["Answered by", `record ${line.answered.n}, after ${spoken(line.answered.mono - line.mono)}`]);
    if (line.lost) rows.push(["Lost", line.lost]);
    if (line.leftUnanswered) rows.push(["Answer", "left out on purpose"]);
  }
  if (line.type === "act") rows.push(["Took", spoken(line.act.duration)]);
  if (line.type === "check") rows.push(["Expected", line.check.expected], ["Got", line.check.actual]);
  if (line.type === "prompt" && line.prompt.answer) rows.push(["Answer", `${line.prompt.answer.answer}, ${line.prompt.answer.by}`]);
  const list = element("dl", "facts", ...rows.flatMap(([name, value]) => [element("dt", "", name), element("dd", "", value)]));
  const title = element("h3", "", ...(line.type === "message" ? [line.action || KINDS[line.kind]] : content(line)));
  const checks = (line.checks ?? []).map((check) =>
    element("li", check.verdict, element("span", "sign", SIGNS[check.verdict] ?? "–"), ` ${check.text}: expected ${check.expected}, got ${check.actual}`));
  const raw = { message: line.text, act: line.act, check: line.check && { ...line.check }, prompt: line.prompt, case: line.case && facts(line.case) }[line.type];
  return [
    title, list,
    ...(checks.length ? [element("h4", "", "Judged by this message"), element("ul", "checks", ...checks)] : []),
    ...(raw ? [element("h4", "", "Raw JSON"), element("pre", "raw", pretty(raw))] : []),
  ];
}

const facts = ({ id, title, mark, group, purpose, refs }) => ({ id, title, mark, group, purpose, refs });

/** Indent JSON; what is none is shown as it came. */
function pretty(raw) {
  if (typeof raw !== "string") return JSON.stringify(raw, null, 2);
  try { return JSON.stringify(JSON.parse(raw), null, 2); } catch { return raw; }
}
