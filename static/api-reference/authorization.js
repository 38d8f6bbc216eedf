// How the page treats what lets a developer in: a key is typed and never written down, a session is the browser's own.

const READING = ["GET", "HEAD", "OPTIONS"];

// Calls with the session need the token of this page when they write. A call to elsewhere never gets it.
export function withCsrfToken(request, token) {
  const url = new URL(request.url, window.location.href);
  const method = (request.method || "GET").toUpperCase();
  if (token && url.origin === window.location.origin && !READING.includes(method)) {
    request.headers["X-CSRFToken"] = token;
  }
  return request;
}

export function authorization() {
  return {
    wrapComponents: {
      apiKeyAuth: (Original, { React }) => {
        const h = React.createElement;

        // Browsers offer again what was typed into a field, unless it says that they must not.
        function Key(properties) {
          const place = React.useRef(null);
          React.useEffect(() => {
            for (const field of place.current.querySelectorAll("input")) {
              field.autocomplete = "off";
              field.spellcheck = false;
            }
          });
          return h("div", { ref: place }, h(Original, properties));
        }

        // No page can send a cookie of its own choice.
        function Session() {
          return h(
            "div",
            { className: "of-session" },
            h("h4", null, "Session"),
            h("p", null, "Calls that need the session of an admin use the one of this browser: ",
              h("a", { href: "/login" }, "sign in"), " and load this page again. There is nothing to enter here."),
          );
        }

        return (properties) => h(properties.schema.get("in") === "cookie" ? Session : Key, properties);
      },
      curl: () => () => null, // would show the key in the page; the samples name it by its variable
    },
  };
}
