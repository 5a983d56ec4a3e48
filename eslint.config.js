import tseslint from "typescript-eslint";

/** Folders that must never import one another; what two of them share is in ipc/, config/, sandbox/ or native/. */
const processes = ["daemon", "broker", "session", "worker"];
/** Confined or privileged code: a package here is a package that can betray it. */
const bare = [...processes, "ipc", "config", "sandbox", "native"];

const layering = (folder) => ({
  files: [`${folder}/**/*.ts`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          ...processes
            .filter((other) => other !== folder)
            .map((other) => ({
              group: [`**/${other}/**`],
              message: `${folder}/ must not import ${other}/`,
            })),
          {
            group: ["**/lab/**", "**/fuzz/**"],
            message: "What attacks the server is no part of it",
          },
          ...(folder === "ipc" ? [{ group: ["../*"], message: "ipc/ imports nobody" }] : []),
          {
            regex: folder === "daemon" ? "^(?!node:|\\.|pino$)" : "^(?!node:|\\.)",
            message: "No packages in confined or privileged processes",
          },
        ],
      },
    ],
  },
});

export default tseslint.config(
  { ignores: ["dist", "native/build", "var", ".tap", "eslint.config.js"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/prefer-readonly": "error",
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  // A table of the kernel's numbers is one idea however long it is.
  { files: ["sandbox/syscalls-*.ts"], rules: { "max-lines": "off" } },
  ...bare.map(layering),
  {
    // The lab attacks the broker; of other processes it knows what stands in their compiled files, and nothing else.
    files: ["lab/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              group: ["**/daemon/**", "**/session/**", "**/worker/**", "**/tools/**", "**/test/**"],
              message: "lab/ stands beside the broker only",
            },
            { regex: "^(?!node:|\\.)", message: "No packages in the lab" },
          ],
        },
      ],
    },
  },
  // Hands a forked process to its own main, and rehearses its part before: the one place where the folders meet.
  {
    files: ["daemon/zygote/roles.ts", "daemon/zygote/rehearse-*.ts"],
    rules: { "no-restricted-imports": "off" },
  },
  {
    // Forked processes share what these cache: two siblings would draw the same "random" bytes.
    files: ["broker/**/*.ts", "session/**/*.ts", "worker/**/*.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: "The same in forked siblings" },
        {
          object: "crypto",
          property: "randomUUID",
          message: "Cached: the same in forked siblings",
        },
        {
          object: "process",
          property: "exit",
          message: "Hangs in a forked process: use exitNow() of native/",
        },
        { object: "process", property: "pid", message: "Cached: use currentPid() of native/" },
      ],
    },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafePromises: [
            { from: "package", name: "PromiseWithSubtest", package: "@tapjs/core" },
          ],
        },
      ],
    },
  },
);
