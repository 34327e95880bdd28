"use strict";
// What is asked for and answered: plugins/protocol.md.
Object.defineProperty(exports, "__esModule", { value: true });
exports.VERBS = void 0;
exports.parsed = parsed;
exports.answerOf = answerOf;
// The recipes with the options that an editor reaches for; all others stand in mapedit.toml.
exports.VERBS = [
    {
        verb: "roughcut",
        label: "Rough cut: dead air and unusable passages go",
        title: "Rough Cut",
        options: [
            { name: "pace", label: "Pace", choices: ["relaxed", "natural", "tight", "jump"], value: "natural" },
            { name: "keep_markers", label: "Dropped parts", choices: ["off", "disabled", "markers"], value: "off" },
            { name: "min_shot", label: "Shortest clip", value: "0.5s" },
        ],
    },
    {
        verb: "shots",
        label: "Find shots: one clip per shot",
        title: "Shots",
        options: [
            { name: "sensitivity", label: "Sensitivity, 0 to 1", value: "0.5" },
            { name: "transitions", label: "Dissolves, wipes and fades", choices: ["keep", "cut"], value: "keep" },
        ],
    },
    {
        verb: "highlights",
        label: "Highlights: the moments that stand for the whole",
        title: "Highlights",
        options: [
            { name: "duration", label: "At most", value: "60s" },
            { name: "themes", label: "What counts", choices: ["general", "news", "sports", "talk", "travel"], value: "general" },
            { name: "order", label: "Order", choices: ["time", "score"], value: "time" },
        ],
    },
    { verb: "learn", label: "Learn from this sequence", title: "Learn", options: [] },
];
// A JSON text of the watcher as a table, null where it is none.
function parsed(text) {
    if (text === null)
        return null;
    try {
        const found = JSON.parse(text);
        return typeof found === "object" && found !== null && !Array.isArray(found)
            ? found
            : null;
    }
    catch {
        return null;
    }
}
// An answer of ours, for this job, naming no file but the job's own result; null otherwise.
function answerOf(text, job) {
    const found = parsed(text);
    if (found === null || found["MAPEDIT_JOB"] !== "Answer.1" || found["id"] !== job)
        return null;
    const result = textOf(found["result"]);
    if (result !== "" && result !== `${job}.result.otio`)
        return null;
    const state = textOf(found["state"]);
    if (state !== "done" && state !== "refused" && state !== "failed" && state !== "cancelled") {
        return null;
    }
    return {
        id: job,
        state,
        message: textOf(found["message"]),
        remedy: textOf(found["remedy"]),
        result,
        warnings: listOf(found["warnings"]).map(textOf),
        lost: listOf(found["lost"]).map(textOf),
        clips: listOf(found["clips"]).map((clip) => ({
            track: numberOf(clip, "track"),
            start: numberOf(clip, "start"),
            duration: numberOf(clip, "duration"),
            path: textOf(memberOf(clip, "path")),
        })),
        markers: listOf(found["markers"]).map((marker) => ({
            at: numberOf(marker, "at"),
            duration: numberOf(marker, "duration"),
            name: textOf(memberOf(marker, "name")),
            note: textOf(memberOf(marker, "note")),
        })),
    };
}
function listOf(value) {
    return Array.isArray(value) ? value : [];
}
function textOf(value) {
    return typeof value === "string" ? value : "";
}
function memberOf(value, name) {
    return typeof value === "object" && value !== null ? value[name] : undefined;
}
function numberOf(value, name) {
    const found = memberOf(value, name);
    return typeof found === "number" && Number.isSafeInteger(found) ? found : 0;
}
