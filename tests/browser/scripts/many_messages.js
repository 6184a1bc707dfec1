// Show 100,000 messages; return how many rows there are at the end, and with a filter.
async () => {
  const [{ Messages }, { Run }] = await Promise.all(
    [import("/view/messages.js"), import("/view/fold.js")]);
  const fresh = document.querySelector("#list").cloneNode(true);
  document.querySelector("#list").replaceWith(fresh); // the page's own list lets go
  const run = new Run("r");
  const list = new Messages(() => {});
  list.show(run.lines);
  for (let n = 1; n <= 100_000; n += 1) {
    run.apply({ n, utc: "2031-01-01T00:00:00.000Z", mono: n / 100,
      event: n % 2 ? "FrameReceived" : "FrameSent", data: { connection: 1,
      text: n % 2 ? `[2,"m${n}","Heartbeat",{}]` : `[3,"m${n - 1}",{"n":"x${n}x"}]` } });
    if (n % 1000 === 0) list.update();
  }
  const rows = () => [...document.querySelectorAll("#list .row")];
  const last = () => rows().at(-1).getAttribute("aria-posinset");
  const first = [rows().length, last()];
  const filter = document.querySelector("#filter");
  filter.value = "x77778x";
  filter.dispatchEvent(new Event("input"));
  return [...first, rows().length, rows()[0].textContent, document.querySelector("#shown").textContent];
}
