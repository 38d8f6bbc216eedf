// Under each open operation: the samples of the description (`x-codeSamples`), one tab for each language.

let preferred = "curl"; // chosen last, for the operations that are opened next

export function samples() {
  return {
    wrapComponents: {
      responses: (Original, { React, specSelectors }) => {
        const h = React.createElement;
        const Samples = component(React);
        return (properties) => {
          const { path, method } = properties;
          const found = specSelectors.specJson().getIn(["paths", path, method, "x-codeSamples"]);
          return h(
            React.Fragment,
            null,
            found && h(Samples, { samples: found.toJS(), name: `${method.toUpperCase()} ${path}` }),
            h(Original, properties),
          );
        };
      },
    },
  };
}

function component(React) {
  const h = React.createElement;

  return function Samples({ samples, name }) {
    const id = React.useId();
    const tabs = React.useRef([]);
    const code = React.useRef(null);
    const [chosen, setChosen] = React.useState(() =>
      Math.max(0, samples.findIndex((sample) => sample.label === preferred)),
    );
    const [said, setSaid] = React.useState("");

    function choose(number) {
      preferred = samples[number].label;
      setChosen(number);
      setSaid("");
    }

    function move(event) {
      const last = samples.length - 1;
      const number = {
        ArrowRight: chosen === last ? 0 : chosen + 1,
        ArrowLeft: chosen === 0 ? last : chosen - 1,
        Home: 0,
        End: last,
      }[event.key];
      if (number === undefined) return;
      event.preventDefault();
      choose(number);
      tabs.current[number].focus();
    }

    async function copy() {
      try {
        await navigator.clipboard.writeText(samples[chosen].source);
        setSaid("Copied.");
      } catch {
        // A page without TLS, or a person who refused: no clipboard.
        window.getSelection().selectAllChildren(code.current);
        setSaid("Selected: copy it with your keyboard or menu.");
      }
    }

    return h(
      "section",
      { className: "samples", "aria-labelledby": `${id}-title` },
      h("h4", { id: `${id}-title` }, "Samples"),
      h(
        "div",
        { className: "samples-bar" },
        h(
          "div",
          { role: "tablist", "aria-label": `Samples of ${name}`, onKeyDown: move },
          samples.map(({ label }, number) =>
            h(
              "button",
              {
                key: label,
                type: "button",
                role: "tab",
                id: `${id}-tab-${number}`,
                "aria-controls": `${id}-panel`,
                "aria-selected": number === chosen,
                tabIndex: number === chosen ? 0 : -1,
                ref: (tab) => {
                  tabs.current[number] = tab;
                },
                onClick: () => choose(number),
              },
              label,
            ),
          ),
        ),
        h("span", { role: "status" }, said),
        h("button", { type: "button", className: "samples-copy", onClick: copy }, `Copy ${samples[chosen].label}`),
      ),
      h(
        "div",
        { role: "tabpanel", id: `${id}-panel`, "aria-labelledby": `${id}-tab-${chosen}`, tabIndex: 0 },
        h("pre", null, h("code", { ref: code }, samples[chosen].source)),
      ),
    );
  };
}
