"use strict";
// `mapedit plugin install premiere` writes the folder of jobs here; empty: the usual one.
module.exports = { jobs: "" };
