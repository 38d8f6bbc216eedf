// Asks, ever more seldom, what became of the deliveries on this page that wait.
import { showLocalTimes } from "./times.js";

const place = document.querySelector("[data-outcomes]");
const news = document.querySelector("[data-news]");
const FIRST = 1000;
const SLOWEST = 15000;
let wait = FIRST;

const waiting = () => [...place.querySelectorAll("[data-delivery][data-status=PENDING]")];

async function look() {
  const rows = waiting();
  if (rows.length === 0) return;
  if (!document.hidden) {
    wait = Math.min(wait * 1.3, SLOWEST);
    try {
      const query = new URLSearchParams(rows.map((row) => ["id", row.dataset.delivery]));
      const answer = await fetch(`${place.dataset.outcomes}?${query}`, { headers: { accept: "application/json" } });
      if (answer.redirected || answer.status === 403 || answer.status === 404) return; // a reload says why
      if (answer.ok) show(rows, await answer.json());
    } catch {
      // No connection: the next look will tell.
    }
  }
  setTimeout(look, wait);
}

function show(rows, found) {
  const told = [];
  for (const row of rows) {
    const now = found[row.dataset.delivery] ?? { status: "GONE", outcome: "Removed", answer: "", tries: "", response: "" };
    const part = (name) => row.querySelector(`[data-part=${name}]`);
    if (part("outcome").textContent === now.outcome && part("tries").textContent === now.tries) continue;
    row.dataset.status = now.status;
    part("outcome").dataset.status = now.status;
    part("outcome").textContent = now.outcome;
    part("answer").textContent = now.answer;
    part("tries").textContent = now.tries;
    part("response").textContent = now.response || "(nothing)";
    part("next").replaceChildren(...nextTry(now.nextTryAt));
    told.push(`${row.dataset.name}: ${now.outcome}${now.answer ? `, ${now.answer}` : ""}.`);
    wait = FIRST;
  }
  if (told.length > 0) news.textContent = told.join(" ");
}

/** As the tag `when` writes it. */
function nextTry(moment) {
  if (!moment) return [];
  const shown = document.createElement("span");
  const time = document.createElement("time");
  time.dateTime = moment;
  time.dataset.local = "";
  const clock = document.createElement("span");
  clock.className = "clock";
  clock.textContent = moment.slice(11, 16);
  time.append(`${moment.slice(0, 10)} `, clock);
  shown.append(", next ", time);
  showLocalTimes(shown);
  return [shown];
}

setTimeout(look, wait);
