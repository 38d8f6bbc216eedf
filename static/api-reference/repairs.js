// What Swagger UI gets wrong: bodies that no API would take, and what people with a keyboard or a screen reader need.

export function repairs() {
  return {
    afterLoad() {
      const { getSampleSchema } = this.fn;
      this.fn.getSampleSchema = (schema, mediaType, ...rest) => {
        // A field of a form, which would be filled, and sent, with made-up text.
        if (mediaType === false) return "";
        // Lines of JSON are text. Anything with "json" in its name would be shown, and sent, with quotes around it.
        return getSampleSchema(schema, mediaType === "application/x-ndjson" ? "text/plain" : mediaType, ...rest);
      };
    },
    components: {
      InfoContainer: () => null, // title and description are the page's
    },
    wrapComponents: {
      // A link inside the button that opens an operation: the address follows the button anyway.
      DeepLink: (Original, { React }) => ({ text }) => React.createElement("span", null, text),
      // Fields of a form that are left empty are not sent, unless the box beside them is ticked.
      ParameterIncludeEmpty: (Original, { React }) => ({ isIncludedOptions, ...rest }) =>
        React.createElement(Original, {
          ...rest,
          isIncludedOptions: isIncludedOptions && { ...isIncludedOptions, defaultValue: false },
        }),
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
