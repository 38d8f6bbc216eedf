// Asks, ever more seldom, what became of the unfinished runs on this page.
const place = document.querySelector("[data-statuses]");
const news = document.querySelector("[data-news]");
const FIRST = 2000;
const SLOWEST = 15000;
let wait = FIRST;

const waiting = () => [...document.querySelectorAll("[data-run]")];

async function look() {
  const marks = waiting();
  if (marks.length === 0) return;
  if (!document.hidden) {
    try {
      const query = new URLSearchParams(marks.map((mark) => ["id", mark.dataset.run]));
      const answer = await fetch(`${place.dataset.statuses}?${query}`, { headers: { accept: "application/json" } });
      if (answer.redirected || answer.status === 403) return; // signed out: a reload says so
      if (answer.ok) show(marks, await answer.json());
    } catch {
      // No connection: the next look will tell.
    }
    wait = Math.min(wait * 1.3, SLOWEST);
  }
  setTimeout(look, wait);
}

function show(marks, found) {
  const told = [];
  for (const mark of marks) {
    const now = found[mark.dataset.run] ?? { status: "GONE", words: "Deleted" };
    if (now.status === mark.dataset.status) continue;
    mark.dataset.status = now.status;
    mark.textContent = now.words;
    told.push(`${mark.dataset.name}: ${now.words}.`);
    wait = FIRST;
    if (now.status !== "CREATED" && now.status !== "RUNNING") {
      delete mark.dataset.run;
      if ("reload" in place.dataset) location.reload();
    } else if ("reload" in place.dataset) {
      for (const part of document.querySelectorAll("[data-while]")) part.hidden = part.dataset.while !== now.status;
    }
  }
  if (told.length > 0) news.textContent = told.join(" ");
}

setTimeout(look, wait);
