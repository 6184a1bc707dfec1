// A link to a record opens the case that holds it; printing opens every case.
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let part = target; part; part = part.parentElement) {
    if (part.matches("details.case, details.sequence")) part.open = true;
  }
  target.scrollIntoView({ block: "center" });
}
addEventListener("hashchange", reveal);
addEventListener("load", reveal);
addEventListener("beforeprint", () => {
  document.querySelectorAll("details.case, details.sequence").forEach((part) => { part.open = true; });
});
