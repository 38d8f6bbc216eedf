// Shows the description of the API, with what the other modules of this folder add to Swagger UI.

import { authorization, withCsrfToken } from "./authorization.js";
import { repairs } from "./repairs.js";
import { samples } from "./samples.js";

const place = document.getElementById("swagger-ui");
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const followColours = () => document.documentElement.classList.toggle("dark-mode", dark.matches);

followColours();
dark.addEventListener("change", followColours);
window.SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  presets: [window.SwaggerUIBundle.presets.apis],
  plugins: [authorization, repairs, samples],
  layout: "BaseLayout",
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  persistAuthorization: false, // a key is in the memory of this page alone
  requestInterceptor: (request) => withCsrfToken(request, place.dataset.csrfToken),
  validatorUrl: null, // no call to the outside
});
