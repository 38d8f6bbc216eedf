// The mail with the link says until when it is good by the clock of who sends it; when it ends, the page says so.
const mail = document.querySelector("[data-mail]");
const { until, untilWords } = mail.dataset;
const LONGEST = 2 ** 31 - 1; // milliseconds that a timer can wait

const local = new Date(until).toLocaleString(undefined, { dateStyle: "full", timeStyle: "short" });
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
mail.href = mail.href.replace(encodeURIComponent(untilWords), encodeURIComponent(`${local} (${zone})`));

const left = new Date(until) - Date.now() + 1000;
if (left < LONGEST) {
  setTimeout(() => {
    if (document.querySelector("[data-run]")?.dataset.status === "CREATED") location.reload();
  }, Math.max(left, 1000));
}
