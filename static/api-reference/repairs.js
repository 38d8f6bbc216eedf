// What Swagger UI lacks for people who use a keyboard or a screen reader, and what this page says better itself.

export function repairs() {
  return {
    components: {
      InfoContainer: () => null, // title and description are the page's
    },
    wrapComponents: {
      // A link inside the button that opens an operation: the address follows the button anyway.
      DeepLink: (Original, { React }) => ({ text }) => React.createElement("span", null, text),
      RequestBodyEditor: (Original, { React }) => (properties) =>
        React.createElement(
          "label",
          { className: "body-editor" },
          React.createElement("span", null, "Body"),
          React.createElement(Original, properties),
        ),
    },
  };
}
