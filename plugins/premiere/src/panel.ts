// The panel: a choice, a button, and what happened.

import type { premierepro } from "@adobe/premierepro";
import { propose, Trouble } from "./core.js";
import type { Desk, Files } from "./core.js";
import { VERBS } from "./protocol.js";
import type { Given, Option, Verb } from "./protocol.js";

const ppro = require("premierepro") as premierepro;
const fs = require("fs");
const os = require("os");
const settings = require("./settings.js") as { jobs: string };

const windows = os.platform() === "win32";

/** The folder of jobs, as `mapedit watch` has it. */
function jobsFolder(): string {
  if (settings.jobs !== "") return settings.jobs;
  const home: string = os.homedir();
  if (windows) return `${home}\\AppData\\Local\\otio-mapedit\\jobs`;
  if (os.platform() === "darwin") return `${home}/Library/Application Support/otio-mapedit/jobs`;
  return `${home}/.local/share/otio-mapedit/jobs`;
}

const files: Files = {
  async read(path) {
    try {
      return (await fs.readFile(path, { encoding: "utf-8" })) as string;
    } catch {
      return null;
    }
  },
  write: (path, text) => fs.writeFile(path, text, { encoding: "utf-8" }),
  rename: (from, to) => fs.rename(from, to),
  join: (folder, name) => `${folder}${windows ? "\\" : "/"}${name}`,
};

function element<Kind extends HTMLElement>(id: string): Kind {
  return document.getElementById(id) as Kind;
}

function say(text: string, bad = false): void {
  const said = element("said");
  said.textContent = text;
  said.className = bad ? "bad" : "";
}

function field(option: Option): HTMLElement[] {
  const label = document.createElement("label");
  label.textContent = option.label;
  label.htmlFor = `option-${option.name}`;
  const input = document.createElement(option.choices ? "select" : "input");
  input.id = label.htmlFor;
  for (const choice of option.choices ?? []) {
    const item = document.createElement("option");
    item.value = item.textContent = choice;
    input.appendChild(item);
  }
  input.value = String(option.value);
  return [label, input];
}

function chosen(): Verb {
  const name = element<HTMLSelectElement>("verb").value;
  return VERBS.find((each) => each.verb === name) ?? VERBS[0]!;
}

function given(verb: Verb): Record<string, Given> {
  return Object.fromEntries(
    verb.options.map((option) => [
      option.name,
      element<HTMLInputElement | HTMLSelectElement>(`option-${option.name}`).value,
    ]),
  );
}

let wanted = true;

async function run(): Promise<void> {
  const verb = chosen();
  const go = element<HTMLButtonElement>("run");
  const cancel = element<HTMLButtonElement>("cancel");
  const desk: Desk = {
    files,
    jobs: jobsFolder(),
    now: () => Date.now() / 1000,
    wait: (seconds) => new Promise((done) => setTimeout(done, seconds * 1000)),
    show: (line) => say(line),
    cancelled: () => !wanted,
  };
  [go.disabled, cancel.disabled, wanted] = [true, false, true];
  try {
    say("Exporting the sequence");
    const lines = await propose(ppro, desk, { ...verb, options: given(verb) });
    say(lines.join("\n"), lines.some((line) => line.startsWith("CHECK")));
  } catch (error) {
    const known = error instanceof Trouble;
    say(known ? error.message : `Something unexpected happened: ${String(error)}. Please report it.`, true);
  } finally {
    [go.disabled, cancel.disabled] = [false, true];
  }
}

function showOptions(): void {
  const place = element("options");
  place.innerHTML = ""; // UXP knows only the oldest ways of changing a page
  for (const part of chosen().options.flatMap(field)) place.appendChild(part);
}

for (const verb of VERBS) {
  const item = document.createElement("option");
  item.value = verb.verb;
  item.textContent = verb.label;
  element("verb").appendChild(item);
}
element<HTMLSelectElement>("verb").value = VERBS[0]!.verb;
element("verb").addEventListener("change", showOptions);
element("run").addEventListener("click", () => void run());
element("cancel").addEventListener("click", () => {
  wanted = false;
  say("Cancelling");
});
showOptions();
