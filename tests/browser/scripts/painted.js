// Wait until the plot of the power has drawn a value, and that frame was handed on; return when, in s since 1970.
(kilowatts) => new Promise((resolve) => {
  const panels = document.querySelector("#panels");
  function look() {
    if (!panels.querySelector("[data-panel=power] .newest").textContent.includes(String(kilowatts))) return;
    panels.removeEventListener("drawn", look);
    // A message that is sent in the next frame is taken when that frame's painting is done.
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => resolve((performance.timeOrigin + performance.now()) / 1000);
      port2.postMessage(null);
    });
  }
  panels.addEventListener("drawn", look);
  look();
})
