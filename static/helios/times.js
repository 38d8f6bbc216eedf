// Puts the moments of a page, and of its forms, into the zone of who looks at it. Without this they are in UTC.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const two = (number) => String(number).padStart(2, "0");
const day = (moment) => `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
const clock = (moment) => `${two(moment.getHours())}:${two(moment.getMinutes())}`;

/** Those below `place`; called again by scripts that add some. */
export function showLocalTimes(place = document) {
  for (const time of place.querySelectorAll("time[data-local]")) {
    const moment = new Date(time.dateTime);
    time.firstChild.data = `${day(moment)} `;
    time.querySelector(".clock").textContent = clock(moment);
    time.title = moment.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
    delete time.dataset.local;
  }
}

if (zone) {
  showLocalTimes();
  for (const place of document.querySelectorAll("[data-zone]")) place.textContent = zone;
  for (const field of document.querySelectorAll("form input[name=zone]")) {
    if (field.value !== "UTC") continue; // what was typed is in the zone that it was typed in
    field.value = zone;
    for (const input of field.form.querySelectorAll("input[type=datetime-local]")) {
      if (!input.value) continue;
      const moment = new Date(`${input.value}Z`);
      input.value = `${day(moment)}T${clock(moment)}`;
    }
  }
}
