"use strict";
// The least of a page and of UXP that the panel needs to start.

const Module = require("node:module");
const path = require("node:path");

class Element {
  constructor() {
    this.children = [];
    this.listeners = {};
    this.value = "";
    this.textContent = "";
    this.className = "";
    this.disabled = false;
  }
  appendChild(child) {
    this.children.push(child);
    return child;
  }
  addEventListener(name, act) {
    this.listeners[name] = act;
  }
  set innerHTML(text) {
    this.children = [];
  }
}

module.exports = function page(panel) {
  const byId = {};
  for (const id of ["verb", "options", "run", "cancel", "said"]) byId[id] = new Element();
  const document = {
    byId,
    createElement: () => new Element(),
    getElementById: (id) => byId[id] ?? null,
  };
  const host = { Project: { getActiveProject: async () => null } };
  const start = () => {
    const usual = Module._load;
    Module._load = (name, ...rest) =>
      name === "premierepro" ? host : name === "fs" ? {} : usual(name, ...rest);
    globalThis.document = document;
    try {
      require(path.join(panel, "main.js"));
    } finally {
      Module._load = usual;
    }
  };
  return { document, start };
};
