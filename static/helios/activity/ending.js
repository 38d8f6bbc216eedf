// There is nothing to record: the page around is told why.

import { tell } from "./messages.js";

const { code } = document.body.dataset;
if (code) tell("error", { code });
else tell("complete");
