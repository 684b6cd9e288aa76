// Shows the OpenAPI file that the app servers serve. The viewer is a script that leaves one global.

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);

follow();
dark.addEventListener("change", follow);
globalThis.SwaggerUIBundle({
  url: "/openapi.json",
  domNode: document.getElementById("reference"),
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  // By itself the viewer would ask a server elsewhere whether the file is valid.
  validatorUrl: null,
});
