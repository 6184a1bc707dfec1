// The viewer page: follows one run of the bench, and shows it.

import { Run } from "./fold.js";
import { Link, takeToken } from "./link.js";
import { Messages } from "./messages.js";
import { Plots } from "./plots.js";
import { Samples } from "./samples.js";
import { Measurements } from "./series.js";
import { Speaker } from "./speaker.js";
import { Status } from "./status.js";
import { byId, element } from "./text.js";

const FRESH = 10; // s, the age up to which news are worth saying aloud
const LINKS = {
  connecting: ["…", "connecting"], live: ["●", "live"], lost: ["▲", "connection lost, trying again"],
  over: ["■", "recorded run"], refused: ["✕", "no access"],
};

const state = { session: null, prompts: [], runs: [] };
let run = new Run();
let link = null;
let wanted = false;
const measurements = new Measurements();
const samples = new Samples(measurements, async (channel, begin) => {
  const found = await link.get(`/runs/${encodeURIComponent(run.run)}/samples?channel=${channel}&from=${begin}&points=2000`);
  draw();
  return found;
});
const plots = new Plots(measurements, () => {
  const newest = measurements.newest ?? 0;
  return run.ended || !link?.live ? newest : Math.max(newest, Math.min(newest + 1, link.now()));
});
const messages = new Messages((line) => plots.select(measurements.moment(line)));
const status = new Status((path) => link.file(path));
const speaker = new Speaker((text) => { byId("spoken").textContent = text; });

function begin(name) {
  run = new Run(name);
  measurements.clear();
  samples.clear();
  plots.clear();
  messages.show(run.lines);
  status.clear();
  byId("report").disabled = name === null;
}

const heard = {
  snapshot(told) {
    state.session = told;
    state.prompts = told.prompts;
    if (run.run !== told.next.run) begin(told.next.run);
    run.held = told.held;
    samples.missed();
    listRuns();
    draw();
  },
  record(frame) {
    if (frame.run !== run.run) {
      begin(frame.run);
      listRuns();
    }
    const before = run.lines.length;
    run.apply(frame);
    measurements.take(frame, run.lines[before]);
    if (frame.event === "ChannelDeclared") samples.declare(frame.data);
    speaker.hear(frame, link.now() - Date.parse(frame.utc) / 1000 < FRESH);
    if (frame.event === "RunEnded") listRuns();
    draw();
  },
  samples(buffer) {
    samples.take(buffer);
    draw();
  },
  changed(name, why) {
    const [sign, word] = LINKS[name];
    byId("link").className = `link ${name}`;
    byId("link").replaceChildren(element("span", "sign", sign), " ", element("span", "word", why && name === "refused" ? why : word));
    byId("link").firstChild.setAttribute("aria-hidden", "true");
    draw();
  },
};

/** Draw in the next frame, once, however much has come until then. */
function draw() {
  if (wanted) return;
  wanted = true;
  requestAnimationFrame(() => {
    wanted = false;
    status.draw(run, state);
    messages.update();
    plots.draw();
  });
}

async function listRuns() {
  const found = await link.get("/runs").catch(() => null);
  if (!found) return;
  state.runs = found;
  const pick = byId("runs");
  const chosen = pick.value;
  const option = (value, text) => Object.assign(element("option", "", text), { value });
  const options = found.toReversed().map((one) => option(one.run, `${one.started.slice(0, 16).replace("T", " ")} ${one.dut.model}, ${one.state}`));
  pick.replaceChildren(option("", "newest"), ...options);
  pick.value = [...pick.options].some((one) => one.value === chosen) ? chosen : "";
  pick.disabled = false;
  draw();
}

/** Save the report as a file; it holds all it needs. */
async function saveReport() {
  const address = URL.createObjectURL(await link.file(`/runs/${encodeURIComponent(run.run)}/report.html`));
  Object.assign(element("a"), { href: address, download: `${run.run}.html` }).click();
  URL.revokeObjectURL(address);
}

function start() {
  const token = takeToken();
  if (!token) {
    heard.changed("refused", "Open the link that the lab gave you: it holds the access to your station.");
    return;
  }
  link = new Link(token, heard);
  byId("runs").addEventListener("change", () => {
    begin(byId("runs").value || null);
    link.watch(byId("runs").value || null);
  });
  byId("report").addEventListener("click", saveReport);
  link.watch();
}

window.addEventListener("hashchange", () => location.reload());
start();
