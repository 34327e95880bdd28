"use strict";
// A page's own script is no module in UXP; this one loads the first that is.
require("./panel.js");
