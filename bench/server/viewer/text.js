// How values are written, and elements made.

export const SIGNS = { pass: "✔", fail: "✘", inconclusive: "?", error: "!", none: "–" };

/** Make an element: its class, and what is in it. */
export function element(name, className = "", ...content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

/** Write a verdict as sign, word and colour. */
export const badge = (verdict, word = verdict) => element("span", `badge ${verdict}`, unheard(verdict), ` ${word}`);

/** Write a verdict as a sign that is read out as its word. */
export const sign = (verdict) => element("span", `sign ${verdict}`, unheard(verdict), element("span", "hidden", verdict));

function unheard(verdict) {
  const made = element("span", "", SIGNS[verdict] ?? "–");
  made.setAttribute("aria-hidden", "true");
  return made;
}

/** Write seconds as a person would. */
export function spoken(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "";
  if (seconds < 0.00095) return "< 1 ms";
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours ? `${hours} h ${minutes} min` : `${minutes} min ${whole % 60} s`;
}

/** Write the time of day of a UTC moment, with milliseconds. */
export const clock = (utc) => utc.slice(11, 23);

export const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

export const byId = (id) => document.getElementById(id);

/** Set a text only when it changed, so that nothing is read out or laid out for no reason. */
export function say(id, text) {
  const place = byId(id);
  if (place.textContent !== text) place.textContent = text;
}
