// Writes docs/api.md from the comments of the contract: a plugin for buf generate.
import { ScalarType } from "@bufbuild/protobuf";
import { createEcmaScriptPlugin, getComments, runNodeJs } from "@bufbuild/protoplugin";

/** What is said of a service, call, message or field, on one line. */
const said = (desc) => (getComments(desc).leading ?? "").trim().replace(/\s*\n\s*/g, " ");

/** The same, to go on after the name of what it is said of. */
const which = (desc) => said(desc).replace(new RegExp(`^${desc.name} `), "which ");

const anchor = (name) => `[${name}](#${name.toLowerCase()})`;

/** A type that the page describes is a link; one of Google's goes by its name. */
function named(desc) {
  return desc.typeName.startsWith("campfire.v1.") ? anchor(desc.name) : `\`${desc.typeName}\``;
}

function typeOf(field) {
  switch (field.fieldKind) {
    case "scalar":
      return `\`${ScalarType[field.scalar].toLowerCase()}\``;
    case "message":
      return named(field.message);
    case "enum":
      return named(field.enum);
    case "list":
      return `list of ${typeOf({ ...field, fieldKind: field.listKind })}`;
    default:
      throw new Error(`${field.name}: a ${field.fieldKind} is not described yet`);
  }
}

function fields(message) {
  if (message.fields.length === 0) return ["Nothing."];
  const rows = message.fields.map((field) => {
    const notes = [said(field)];
    if (field.oneof) notes.unshift(`One of \`${field.oneof.name}\`: ${said(field.oneof)}`);
    const type = field.proto.proto3Optional ? `${typeOf(field)}, optional` : typeOf(field);
    return `| \`${field.name}\` | ${type} | ${notes.join(" ").replaceAll("|", "\\|")} |`;
  });
  return ["| field | type | |", "|---|---|---|", ...rows];
}

function call(method) {
  const notes = [];
  if (method.idempotency === 1) notes.push("It changes nothing, and may also be asked by GET.");
  if (method.idempotency === 2) notes.push("Repeating it does no harm.");
  return [
    `### ${method.name}`,
    "",
    [said(method), ...notes].join(" "),
    "",
    `\`/${method.parent.typeName}/${method.name}\` takes a \`${method.input.name}\`, ${which(method.input)}`,
    "",
    ...fields(method.input),
    "",
    `It answers ${method.methodKind === "server_streaming" ? "a stream of" : "a"} \`${method.output.name}\`, ${which(method.output)}`,
    "",
    ...fields(method.output),
    "",
  ];
}

function everything(files) {
  const services = files.flatMap((file) => file.services);
  const taken = new Set(
    services.flatMap((service) => service.methods.flatMap((m) => [m.input.typeName, m.output.typeName])),
  );
  const byName = (a, b) => (a.name < b.name ? -1 : 1);
  const messages = files.flatMap((file) => file.messages).filter((m) => !taken.has(m.typeName));
  const enums = files.flatMap((file) => file.enums);
  return [
    "# The API",
    "",
    "Every call and every event, as the contract in [`proto/campfire/v1`](../proto/campfire/v1) has them. This page is made",
    "from its comments by `make generate`. [How to call it, and what holds for all calls](bots.md#what-holds-for-every-call).",
    "",
    "In JSON a field `room_id` is `roomId`, an `int64` is a string, a time is text as `2026-01-31T12:00:00Z`.",
    "",
    ...services.map(
      (service) => `- ${anchor(service.name)}: ${service.methods.map((m) => anchor(m.name)).join(", ")}`,
    ),
    "",
    ...services.flatMap((service) => [
      `## ${service.name}`,
      "",
      said(service),
      "",
      ...service.methods.flatMap(call),
    ]),
    "## Messages",
    "",
    ...messages.sort(byName).flatMap((m) => [`### ${m.name}`, "", said(m), "", ...fields(m), ""]),
    "## Enums",
    "",
    ...enums
      .sort(byName)
      .flatMap((e) => [
        `### ${e.name}`,
        "",
        said(e),
        "",
        "| value | |",
        "|---|---|",
        ...e.values.map((v) => `| \`${v.name}\` | ${said(v)} |`),
        "",
      ]),
  ];
}

runNodeJs(
  createEcmaScriptPlugin({
    name: "protoc-gen-docs",
    version: "v1",
    generateTs(schema) {
      const page = schema.generateFile("api.md");
      for (const line of everything(schema.files).slice(0, -1)) page.print(line);
    },
  }),
);
