"use strict";
// The panel: a choice, a button, and what happened.
Object.defineProperty(exports, "__esModule", { value: true });
const core_js_1 = require("./core.js");
const protocol_js_1 = require("./protocol.js");
const ppro = require("premierepro");
const fs = require("fs");
const os = require("os");
const settings = require("./settings.js");
const windows = os.platform() === "win32";
/** The folder of jobs, as `mapedit watch` has it. */
function jobsFolder() {
    if (settings.jobs !== "")
        return settings.jobs;
    const home = os.homedir();
    if (windows)
        return `${home}\\AppData\\Local\\otio-mapedit\\jobs`;
    if (os.platform() === "darwin")
        return `${home}/Library/Application Support/otio-mapedit/jobs`;
    return `${home}/.local/share/otio-mapedit/jobs`;
}
const files = {
    async read(path) {
        try {
            return (await fs.readFile(path, { encoding: "utf-8" }));
        }
        catch {
            return null;
        }
    },
    write: (path, text) => fs.writeFile(path, text, { encoding: "utf-8" }),
    rename: (from, to) => fs.rename(from, to),
    join: (folder, name) => `${folder}${windows ? "\\" : "/"}${name}`,
};
function element(id) {
    return document.getElementById(id);
}
function say(text, bad = false) {
    const said = element("said");
    said.textContent = text;
    said.className = bad ? "bad" : "";
}
function field(option) {
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
function chosen() {
    const name = element("verb").value;
    return protocol_js_1.VERBS.find((each) => each.verb === name) ?? protocol_js_1.VERBS[0];
}
function given(verb) {
    return Object.fromEntries(verb.options.map((option) => [
        option.name,
        element(`option-${option.name}`).value,
    ]));
}
let wanted = true;
async function run() {
    const verb = chosen();
    const go = element("run");
    const cancel = element("cancel");
    const desk = {
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
        const lines = await (0, core_js_1.propose)(ppro, desk, { ...verb, options: given(verb) });
        say(lines.join("\n"), lines.some((line) => line.startsWith("CHECK")));
    }
    catch (error) {
        const known = error instanceof core_js_1.Trouble;
        say(known ? error.message : `Something unexpected happened: ${String(error)}. Please report it.`, true);
    }
    finally {
        [go.disabled, cancel.disabled] = [false, true];
    }
}
function showOptions() {
    const place = element("options");
    place.innerHTML = ""; // UXP knows only the oldest ways of changing a page
    for (const part of chosen().options.flatMap(field))
        place.appendChild(part);
}
for (const verb of protocol_js_1.VERBS) {
    const item = document.createElement("option");
    item.value = verb.verb;
    item.textContent = verb.label;
    element("verb").appendChild(item);
}
element("verb").value = protocol_js_1.VERBS[0].verb;
element("verb").addEventListener("change", showOptions);
element("run").addEventListener("click", () => void run());
element("cancel").addEventListener("click", () => {
    wanted = false;
    say("Cancelling");
});
showOptions();
