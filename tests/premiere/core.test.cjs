"use strict";
// The panel's whole way against a Premiere Pro that misbehaves. Run by: node --test tests/premiere

const assert = require("node:assert/strict");
const { test } = require("node:test");
const path = require("node:path");

const panel = path.resolve(__dirname, "../../plugins/premiere/panel");
const { propose, Trouble } = require(path.join(panel, "core.js"));
const { VERBS, answerOf } = require(path.join(panel, "protocol.js"));
const { Desk, Host } = require("./fakes.cjs");

const WISH = { verb: "roughcut", title: "Rough Cut", options: { pace: "tight" } };
const CLIPS = [
  { track: 0, start: 0, duration: 40, path: "/a.mov" },
  { track: 0, start: 40, duration: 25, path: "/a.mov" },
  { track: 1, start: 0, duration: 40, path: "/a.mov" },
];
const MARKERS = [{ at: 12, duration: 5, name: "Review: kept", note: "not certain" }];

function set(answer = {}) {
  const desk = new Desk();
  const host = new Host(desk.files);
  host.clips = CLIPS.filter((clip) => clip.track === 0);
  desk.meanwhile = (count) => {
    desk.beat(desk.job);
    if (count === 2) desk.put(`${desk.job}.progress.json`, { task: "Listening", done: 0.5 });
    if (count === 4) {
      desk.put(`${desk.job}.answer.json`, {
        MAPEDIT_JOB: "Answer.1", id: desk.job, state: "done", message: "kept 2 clips", remedy: "",
        result: `${desk.job}.result.otio`, warnings: [], lost: ["lost: grade: not carried"],
        clips: CLIPS, markers: MARKERS, ...answer,
      });
    }
  };
  return { desk, host };
}

async function trouble(desk, host, wish = WISH) {
  const error = await propose(host, desk, wish).then(
    () => assert.fail("nothing went wrong"),
    (found) => found,
  );
  assert.ok(error instanceof Trouble, String(error.stack));
  return error.message;
}

test("a proposal from the open sequence to a new one", async () => {
  const { desk, host } = set();
  const lines = await propose(host, desk, WISH);
  assert.deepEqual(lines, ["kept 2 clips", "lost: grade: not carried"]);
  const request = JSON.parse(desk.get(`${desk.job}.request.json`));
  assert.deepEqual(request, {
    MAPEDIT_JOB: "Request.1", verb: "roughcut", host: "premiere", name: "Interview - Rough Cut",
    options: { pace: "tight" },
  });
  assert.equal(host.imported[0], `/jobs/${desk.job}.result.otio`);
  assert.equal(host.opened, host.sequences[1]);
  assert.deepEqual(desk.shown, ["Listening 50 %"]);
});

test("markers come in one undoable step, under the lock", async () => {
  const { desk, host } = set();
  await propose(host, desk, WISH);
  assert.equal(host.transactions.length, 1);
  const [marker] = host.opened.markers;
  assert.equal(marker.name, "Review: kept");
  assert.equal(BigInt(marker.start.ticks), 12n * host.frame);
  assert.equal(BigInt(marker.duration.ticks), 5n * host.frame);
});

test("markers that the import brought are not doubled", async () => {
  const { desk, host } = set();
  host.bringsMarkers = true;
  await propose(host, desk, WISH);
  assert.equal(host.opened.markers.length, 1);
});

test("a name that is taken is not used again", async () => {
  const { desk, host } = set();
  host.sequence("Interview - Rough Cut");
  await propose(host, desk, WISH);
  assert.equal(JSON.parse(desk.get(`${desk.job}.request.json`)).name, "Interview - Rough Cut 2");
});

test("an import that takes a while is waited for", async () => {
  const { desk, host } = set();
  host.appearsAfter = 8;
  await propose(host, desk, WISH);
  assert.equal(host.opened.name, "from OTIO");
});

test("an import one frame off, or offline, is noticed", async () => {
  const first = set();
  first.host.shift = 1n;
  const lines = await propose(first.host, first.desk, WISH);
  assert.match(lines[1], /^CHECK: V1 clip 1 is not at frame 0/);
  const second = set();
  second.host.offline = true;
  assert.match((await propose(second.host, second.desk, WISH))[1], /V1 clip 1 is offline/);
  const third = set();
  third.host.clips.pop();
  assert.match((await propose(third.host, third.desk, WISH))[1], /V1 holds 1 clips instead of 2/);
});

test("learning imports nothing", async () => {
  const { desk, host } = set({ result: "", message: "Learned from 3 cuts." });
  const lines = await propose(host, desk, { verb: "learn", title: "Learn", options: {} });
  assert.equal(lines[0], "Learned from 3 cuts.");
  assert.equal(host.imported, undefined);
});

test("what is missing is said with what to do", async () => {
  const { desk, host } = set();
  desk.files.texts.delete("/jobs/watcher.json");
  assert.match(await trouble(desk, host), /mapedit watch --install/);
  desk.beat();
  desk.time += 60;
  assert.match(await trouble(desk, host), /mapedit watch is not running/);
  desk.beat();
  assert.match(await trouble(desk, host, { ...WISH, verb: "highlights" }), /has no highlights/);
  host.active = null;
  assert.match(await trouble(desk, host), /No sequence is open/);
  host.project = null;
  assert.match(await trouble(desk, host), /No project is open/);
});

test("an export that fails, or says it did not, is said and cancelled", async () => {
  for (const silently of [true, false]) {
    const { desk, host } = set();
    host.exports = silently;
    host.exportsNothing = silently;
    assert.match(await trouble(desk, host), /did not export/);
    assert.equal(desk.get(`${desk.job}.cancel`), "");
  }
});

test("an import that fails, or brings nothing, says what to do by hand", async () => {
  for (const says of [false, true]) {
    const { desk, host } = set();
    host.imports = says;
    host.importsNothing = says;
    assert.match(await trouble(desk, host), /File > Import, \/jobs\/roughcut-.*result\.otio/);
  }
});

test("a refusal is shown with its remedy", async () => {
  const { desk, host } = set({ state: "refused", message: "a.mov is not there.", remedy: "Relink." });
  assert.equal(await trouble(desk, host), "a.mov is not there. Relink.");
});

test("a watcher that dies half-way: the script waits a minute, then says so", async () => {
  const { desk, host } = set();
  desk.meanwhile = () => {};
  assert.match(await trouble(desk, host), /stopped while it worked.*File > Import/);
  assert.ok(desk.time < 1764113000 + 120);
});

test("a watcher that comes back goes on", async () => {
  const { desk, host } = set();
  const usual = desk.meanwhile;
  desk.meanwhile = (count) => {
    if (count > 60) usual(count - 60);
  };
  assert.equal((await propose(host, desk, WISH))[0], "kept 2 clips");
});

test("work that gets nowhere is cancelled", async () => {
  const { desk, host } = set();
  desk.meanwhile = () => desk.beat(desk.job);
  assert.match(await trouble(desk, host), /mapedit doctor/);
  assert.equal(desk.get(`${desk.job}.cancel`), "");
});

test("other jobs before this one are no standstill", async () => {
  const { desk, host } = set();
  const usual = desk.meanwhile;
  desk.meanwhile = (count) => {
    if (count < 5000) desk.beat("another");
    else usual(count - 5000);
  };
  assert.equal((await propose(host, desk, WISH))[0], "kept 2 clips");
});

test("the editor can cancel", async () => {
  const { desk, host } = set();
  desk.meanwhile = () => {
    desk.wanted = false;
  };
  assert.equal(await trouble(desk, host), "Cancelled.");
  assert.equal(desk.get(`${desk.job}.cancel`), "");
});

test("an answer that is not ours is not followed", async () => {
  const wrong = [
    { result: "../../evil.otio" },
    { result: "/etc/passwd" },
    { result: "other.result.otio" },
    { id: "other" },
    { MAPEDIT_JOB: "Answer.9" },
    { state: "exploded" },
  ];
  for (const values of wrong) {
    const { desk, host } = set(values);
    assert.match(await trouble(desk, host), /not one of mapedit watch/);
    assert.equal(host.imported, undefined);
  }
});

test("an answer of wrong kinds ends nothing", () => {
  const strange = { clips: 3, markers: [7, null], warnings: "x", lost: [1], message: 5 };
  const text = JSON.stringify({ MAPEDIT_JOB: "Answer.1", id: "a", state: "done", ...strange });
  const answer = answerOf(text, "a");
  assert.deepEqual(answer.clips, []);
  assert.deepEqual(answer.markers[0], { at: 0, duration: 0, name: "", note: "" });
  assert.equal(answerOf("[1]", "a"), null);
  assert.equal(answerOf("{", "a"), null);
  assert.equal(answerOf(null, "a"), null);
});

test("the panel's page starts, shows every verb and its options", async () => {
  const page = require("./page.cjs");
  const { document, start } = page(panel);
  start();
  const verbs = document.byId.verb.children.map((each) => each.value);
  assert.deepEqual(verbs, VERBS.map((each) => each.verb));
  assert.equal(document.byId.options.children.length, 2 * VERBS[0].options.length);
  document.byId.verb.value = "learn";
  document.byId.verb.listeners.change();
  assert.equal(document.byId.options.children.length, 0);
  await document.byId.run.listeners.click();
  await new Promise(setImmediate);
  assert.match(document.byId.said.textContent, /No project is open/);
  assert.equal(document.byId.said.className, "bad");
  assert.equal(document.byId.run.disabled, false);
});
