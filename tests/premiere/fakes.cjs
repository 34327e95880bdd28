"use strict";
// A Premiere Pro, a folder and a clock for the panel's tests. Nothing here sleeps: waiting moves the
// clock and lets a test do something meanwhile.

const TICKS = 254016000000n; // per second

class Folder {
  constructor() {
    this.texts = new Map();
  }
  async read(path) {
    return this.texts.has(path) ? this.texts.get(path) : null;
  }
  async write(path, text) {
    this.texts.set(path, text);
  }
  async rename(from, to) {
    this.texts.set(to, this.texts.get(from));
    this.texts.delete(from);
  }
  join(folder, name) {
    return `${folder}/${name}`;
  }
}

class Host {
  constructor(folder, rate = 25n) {
    this.folder = folder;
    this.frame = TICKS / rate;
    this.sequences = [];
    this.exports = true;
    this.exportsNothing = false;
    this.imports = true;
    this.appearsAfter = 0; // looks until an imported sequence is there
    this.shift = 0n; // frames by which an import is wrong
    this.offline = false;
    this.transactions = [];
    this.locked = false;
    this.bringsMarkers = false;
    this.clips = [];
    this.opened = null;
    this.active = this.sequence("Interview");
    this.project = this.makeProject();
    this.Project = { getActiveProject: async () => this.project };
    this.ProjectConverter = { exportAsOpenTimelineIO: this.export.bind(this) };
    this.Markers = { getMarkers: async (sequence) => this.markersOf(sequence) };
    this.TickTime = { createWithTicks: (ticks) => ({ ticks }) };
    this.Constants = { TrackItemType: { CLIP: 1 } };
    this.ClipProjectItem = { cast: (item) => item };
  }

  sequence(name) {
    const made = {
      name,
      guid: { toString: () => `guid-${this.sequences.length}-${name}` },
      markers: [],
      items: [],
      getTimebase: async () => this.frame.toString(),
      getVideoTrack: async () => ({ getTrackItems: () => made.items }),
    };
    const key = made.guid.toString();
    made.guid = { toString: () => key };
    this.sequences.push(made);
    return made;
  }

  makeProject() {
    return {
      getActiveSequence: async () => this.active,
      getSequences: async () => {
        if (this.appearsAfter > 0) this.appearsAfter -= 1;
        return this.sequences.filter((each) => !each.hidden || this.appearsAfter === 0);
      },
      openSequence: async (sequence) => {
        this.opened = sequence;
        return true;
      },
      importFiles: this.import.bind(this),
      lockedAccess: (callback) => {
        this.locked = true;
        callback();
        this.locked = false;
      },
      executeTransaction: (callback, undo) => {
        if (!this.locked) throw new Error("executeTransaction outside lockedAccess");
        const actions = [];
        callback({ addAction: (action) => actions.push(action) });
        this.transactions.push({ undo, actions });
        for (const action of actions) action();
        return true;
      },
    };
  }

  markersOf(sequence) {
    return {
      getMarkers: () => sequence.markers,
      createAddMarkerAction: (name, type, start, duration, comments) => {
        if (!this.locked) throw new Error("an action is made outside lockedAccess");
        return () => sequence.markers.push({ name, type, start, duration, comments });
      },
    };
  }

  async export(sequence, path) {
    if (this.exports && !this.exportsNothing) await this.folder.write(path, "{}");
    return this.exports;
  }

  async import(paths) {
    this.imported = paths;
    if (!this.imports) return false;
    if (this.importsNothing) return true;
    const made = this.sequence("from OTIO");
    made.hidden = this.appearsAfter > 0;
    if (this.bringsMarkers) made.markers.push({ name: "brought along" });
    made.items = this.clips.map((clip) => ({
      getStartTime: async () => ({ ticks: ((BigInt(clip.start) + this.shift) * this.frame).toString() }),
      getDuration: async () => ({ ticks: (BigInt(clip.duration) * this.frame).toString() }),
      getProjectItem: async () => ({ isOffline: async () => this.offline }),
    }));
    return true;
  }
}

class Desk {
  constructor() {
    this.files = new Folder();
    this.jobs = "/jobs";
    this.time = 1764113000;
    this.shown = [];
    this.wanted = true;
    this.waits = 0;
    this.meanwhile = () => {};
    this.beat();
  }
  now() {
    return this.time;
  }
  async wait(seconds) {
    this.waits += 1;
    if (this.waits > 20000) throw new Error("there is no end to it");
    this.time += seconds;
    this.meanwhile(this.waits);
  }
  show(line) {
    this.shown.push(line);
  }
  cancelled() {
    return !this.wanted;
  }
  put(name, value) {
    this.files.texts.set(`/jobs/${name}`, typeof value === "string" ? value : JSON.stringify(value));
  }
  get(name) {
    return this.files.texts.get(`/jobs/${name}`);
  }
  beat(job = "") {
    const verbs = ["roughcut", "shots", "learn"];
    this.put("watcher.json", { beat: this.time, verbs, job });
  }
  /** The id of the one job that was asked for. */
  get job() {
    const [name] = [...this.files.texts.keys()].filter((each) => each.endsWith(".request.json"));
    return name ? name.slice("/jobs/".length, -".request.json".length) : "";
  }
}

module.exports = { Desk, Host };
