"use strict";
// From the open sequence to a proposed one beside it. Knows nothing of the panel's looks or of
// UXP's file system: both are handed in, so that it runs in a test.
Object.defineProperty(exports, "__esModule", { value: true });
exports.Trouble = void 0;
exports.propose = propose;
const protocol_js_1 = require("./protocol.js");
/** What an editor is told: what went wrong, and what to do about it. */
class Trouble extends Error {
}
exports.Trouble = Trouble;
const PAUSE = 0.5;
const GONE_AFTER = 15;
const BACK_WITHIN = 60;
const STUCK_AFTER = 30 * 60;
/** Seconds for an imported sequence to appear. */
const APPEARS_WITHIN = 30;
/** Carry out a wish; gives lines for the editor, the first of them what was done. */
async function propose(ppro, desk, wish) {
    const project = await ppro.Project.getActiveProject();
    if (!project)
        throw new Trouble("No project is open. Open one, then try again.");
    const sequence = await project.getActiveSequence();
    if (!sequence)
        throw new Trouble("No sequence is open. Open one, then try again.");
    await mustBeWatched(desk, wish.verb);
    const name = await unique(project, `${sequence.name} - ${wish.title}`);
    const job = `${wish.verb}-${Math.floor(desk.now())}-${Math.floor(Math.random() * 900000) + 100000}`;
    await request(ppro, desk, sequence, job, wish, name);
    const answer = await answered(desk, job);
    if (answer.state !== "done")
        throw new Trouble(`${answer.message} ${answer.remedy}`.trim());
    const notes = [...answer.warnings, ...answer.lost];
    if (answer.result === "")
        return [answer.message, ...notes];
    const made = await imported(project, desk, desk.files.join(desk.jobs, answer.result));
    const faults = await compared(ppro, made, answer);
    faults.push(...(await marked(ppro, project, made, answer)));
    await project.openSequence(made);
    return [answer.message, ...faults.map((fault) => `CHECK: ${fault}`), ...notes];
}
async function watcher(desk) {
    const told = (0, protocol_js_1.parsed)(await desk.files.read(desk.files.join(desk.jobs, "watcher.json")));
    const beat = told?.["beat"];
    return typeof beat === "number" && desk.now() - beat < GONE_AFTER ? told : null;
}
async function mustBeWatched(desk, verb) {
    const told = await watcher(desk);
    if (told === null) {
        throw new Trouble("mapedit watch is not running. Type mapedit watch --install in a terminal, then try again.");
    }
    const verbs = told["verbs"];
    if (!Array.isArray(verbs) || !verbs.includes(verb)) {
        throw new Trouble(`This version of otio-mapedit has no ${verb}. Update it, then try again.`);
    }
}
async function unique(project, wanted) {
    const taken = new Set((await project.getSequences()).map((each) => each.name));
    let name = wanted;
    for (let count = 2; taken.has(name); count += 1)
        name = `${wanted} ${count}`;
    return name;
}
/** What is wanted first, the sequence last: then all of it is there. */
async function request(ppro, desk, sequence, job, wish, name) {
    const { files, jobs } = desk;
    const text = JSON.stringify({
        MAPEDIT_JOB: "Request.1",
        verb: wish.verb,
        host: "premiere",
        name,
        options: wish.options,
    });
    const temporary = files.join(jobs, `.tmp-${job}`);
    await files.write(temporary, text);
    await files.rename(temporary, files.join(jobs, `${job}.request.json`));
    const path = files.join(jobs, `${job}.request.otio`);
    const done = await ppro.ProjectConverter.exportAsOpenTimelineIO(sequence, path, true);
    if (!done || (await files.read(path)) === null) {
        await files.write(files.join(jobs, `${job}.cancel`), "");
        throw new Trouble(`Premiere Pro did not export the sequence to ${jobs}. Try File > Export > OpenTimelineIO ` +
            "to see what it says.");
    }
}
async function answered(desk, job) {
    const { files, jobs } = desk;
    let moved = desk.now();
    let before = "";
    let lost = null;
    for (;;) {
        const text = await files.read(files.join(jobs, `${job}.answer.json`));
        if (text !== null) {
            const answer = (0, protocol_js_1.answerOf)(text, job);
            if (answer !== null)
                return answer;
            throw new Trouble("The answer is not one of mapedit watch. Update otio-mapedit and this panel.");
        }
        if (desk.cancelled()) {
            await files.write(files.join(jobs, `${job}.cancel`), "");
            throw new Trouble("Cancelled.");
        }
        const progress = (0, protocol_js_1.parsed)(await files.read(files.join(jobs, `${job}.progress.json`)));
        const now = progress === null ? "" : shown(progress);
        if (now !== before) {
            [before, moved] = [now, desk.now()];
            desk.show(now);
        }
        const told = await watcher(desk);
        lost = told === null ? (lost ?? desk.now()) : null;
        if (lost !== null && desk.now() - lost > BACK_WITHIN) {
            throw new Trouble("mapedit watch stopped while it worked. Start it again: it takes the work up, and the " +
                `result will be ${files.join(jobs, `${job}.result.otio`)}; import it with File > Import.`);
        }
        if (told !== null && told["job"] !== job)
            moved = desk.now(); // others are before it
        if (desk.now() - moved > STUCK_AFTER) {
            await files.write(files.join(jobs, `${job}.cancel`), "");
            throw new Trouble("Nothing moved for half an hour; it was cancelled. Type: mapedit doctor");
        }
        await desk.wait(PAUSE);
    }
}
function shown(progress) {
    const { task, done } = progress;
    const share = typeof done === "number" ? Math.floor(done * 100) : 0;
    return `${typeof task === "string" ? task : "Working"} ${share} %`;
}
/** The sequence that an import made: the call itself does not say which. */
async function imported(project, desk, path) {
    const before = new Set((await project.getSequences()).map((each) => each.guid.toString()));
    const done = await project.importFiles([path], true);
    const began = desk.now();
    while (done) {
        const made = (await project.getSequences()).filter((each) => !before.has(each.guid.toString()));
        if (made[0])
            return made[0];
        if (desk.now() - began > APPEARS_WITHIN)
            break;
        await desk.wait(PAUSE);
    }
    throw new Trouble(`Premiere Pro did not import the result. Import it yourself: File > Import, ${path} (it says ` +
        "there what it misses).");
}
/** What the sequence holds against what it should; gives sentences, none where all is well. */
async function compared(ppro, made, answer) {
    const wanted = answer.clips.filter((clip) => clip.track === 0);
    if (wanted.length === 0)
        return [];
    const frame = BigInt(await made.getTimebase());
    const track = await made.getVideoTrack(0);
    const items = track.getTrackItems(ppro.Constants.TrackItemType.CLIP, false);
    const faults = [];
    if (items.length !== wanted.length) {
        faults.push(`V1 holds ${items.length} clips instead of ${wanted.length}.`);
    }
    for (const [index, clip] of wanted.entries()) {
        const item = items[index];
        if (!item || faults.length >= 5)
            break;
        const start = BigInt((await item.getStartTime()).ticks);
        const length = BigInt((await item.getDuration()).ticks);
        const off = start !== BigInt(clip.start) * frame || length !== BigInt(clip.duration) * frame;
        if (off) {
            faults.push(`V1 clip ${index + 1} is not at frame ${clip.start}, or has another length.`);
            continue;
        }
        const media = ppro.ClipProjectItem.cast(await item.getProjectItem());
        if (!media || (await media.isOffline()))
            faults.push(`V1 clip ${index + 1} is offline.`);
    }
    return faults;
}
/** Markers of the result, where the import brought none; gives what did not work. */
async function marked(ppro, project, made, answer) {
    const markers = await ppro.Markers.getMarkers(made);
    if (answer.markers.length === 0 || markers.getMarkers().length > 0)
        return [];
    const frame = BigInt(await made.getTimebase());
    const at = (count) => ppro.TickTime.createWithTicks((BigInt(count) * frame).toString());
    let done = false;
    project.lockedAccess(() => {
        done = project.executeTransaction((all) => {
            for (const { name, at: start, duration, note } of answer.markers) {
                all.addAction(markers.createAddMarkerAction(name, "Comment", at(start), at(duration), note));
            }
        }, "MapEdit markers");
    });
    return done ? [] : [`${answer.markers.length} markers could not be added.`];
}
