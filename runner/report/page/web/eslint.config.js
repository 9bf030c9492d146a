import js from "@eslint/js";

// The page has a strict Content-Security-Policy and shows texts from strangers: text becomes text, never markup.
const markup = ["innerHTML", "outerHTML", "insertAdjacentHTML", "srcdoc"].map((property) => ({
  property,
  message: "Use h() or svg() of dom.js: text stays text.",
}));
const outside = ["fetch", "XMLHttpRequest", "WebSocket", "EventSource", "Worker", "importScripts", "eval", "Function"];

export default [
  { ignores: ["node_modules/", "demo/"] },
  js.configs.recommended,
  {
    files: ["**/*.js", "**/*.mjs"],
    languageOptions: { ecmaVersion: 2022, sourceType: "module" },
    rules: {
      eqeqeq: "error",
      complexity: ["error", 12],
      "no-implicit-coercion": "error",
      "no-shadow": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "max-len": ["error", { code: 120, ignoreUrls: true }],
    },
  },
  {
    files: ["src/**/*.js"],
    rules: {
      "no-undef": "off", // tsc checks names
      "no-console": "error",
      "no-restricted-properties": ["error", ...markup, { object: "document", property: "write" }],
      "no-restricted-globals": ["error", ...outside],
      "no-restricted-syntax": [
        "error",
        {
          selector: "CallExpression[callee.property.name='setAttribute'][arguments.0.value='style']",
          message: "The policy of the page forbids it: use a class, or style.setProperty.",
        },
      ],
    },
  },
  {
    files: ["test/**/*.js", "build.mjs"],
    languageOptions: {
      globals: Object.fromEntries(
        ["Buffer", "URL", "console", "document", "process", "window"].map((name) => [name, "readonly"]),
      ),
    },
  },
];
