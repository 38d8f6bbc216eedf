// The mail with the link says until when it is good by the clock of who sends it; when it ends, the page says so. How
// long that is comes from the server: the clock here may be wrong, and the page would be loaded again and again.
const mail = document.querySelector("[data-mail]");
const { until, untilWords, secondsLeft } = mail.dataset;
const LONGEST = 2 ** 31 - 1; // milliseconds that a timer can wait

const local = new Date(until).toLocaleString(undefined, { dateStyle: "full", timeStyle: "short" });
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
mail.href = mail.href.replace(encodeURIComponent(untilWords), encodeURIComponent(`${local} (${zone})`));

const left = (Number(secondsLeft) + 1) * 1000;
if (left < LONGEST) {
  setTimeout(() => {
    if (document.querySelector("[data-run]")?.dataset.status === "CREATED") location.reload();
  }, left);
}
