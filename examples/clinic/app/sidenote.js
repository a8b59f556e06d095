// sidenote.js — the note-taker, in its frame: a session for the launch token that the practice's page got, a welcome for who is new,
// then notes. The access token is in `openFrame`'s closure; only this product's own API gets it.
import { openFrame } from "/coatcheck/frame.js";

const at = (id) => document.getElementById(id);
const drafts = new Map(); // by record: what was written and not filed
document.body.hidden = false; // this runs when the looks are there
let frame, desk = { signature: null, notes: [] }, patient;

const ask = (path, body) => frame.ask({ url: `${location.origin}${path}`, ...(body && { method: "POST", body }) });
const notesOf = (id) => desk.notes.filter((note) => note.patient === id);

// What the reader can do about it.
function wordsFor(error)
{
    if (error.cause === "provider_failed" || error.cause === "provider_timeout") return "The practice’s page could not renew your session. Are you still signed in there?";
    switch (error.code) {
    case "network": case "timeout": case "restarting": case "try_again": case "http_failed": case "internal": return "No answer just now. What you wrote is still here; please try again.";
    case "rate_limited": return "Too many at once. Please wait a minute, then try again.";
    default: return `That did not work (${error.code}${error.errorId ? `, number ${error.errorId}` : ""}). What you wrote is still here.`;
    }
}

function showOnly(...ids)
{
    for (const id of ["waiting", "alone", "welcome", "note"]) at(id).hidden = !ids.includes(id);
}

function showDesk()
{
    if (!desk.signature) return showOnly("welcome");
    showOnly("note");
    at("patient").textContent = patient?.name ?? "No record is open";
    at("by").textContent = desk.signature;
    at("text").value = drafts.get(patient?.id) ?? "";
    at("note-wrong").textContent = "";
}

// The practice's page says whose record is open, and learns which notes are filed there.
function display({ id, name })
{
    patient = { id: String(id), name: String(name) };
    showDesk();
    return { notes: desk.signature ? notesOf(patient.id) : [] };
}

// One press is one request; the button keeps its place and the focus meanwhile.
function onSubmit(form, wrong, body)
{
    const button = form.querySelector("[type=submit]");
    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        if (button.getAttribute("aria-disabled") === "true") return;
        button.setAttribute("aria-disabled", "true");
        wrong.textContent = "";
        try {
            await body((text, field) => {
                wrong.textContent = text;
                field.setAttribute("aria-invalid", "true");
                field.addEventListener("input", () => { field.removeAttribute("aria-invalid"); wrong.textContent = ""; }, { once: true });
                field.focus();
            });
        } catch (error) {
            wrong.textContent = wordsFor(error);
        } finally {
            button.removeAttribute("aria-disabled");
        }
    });
}

onSubmit(at("welcome"), at("welcome-wrong"), async (refuse) => {
    const signature = at("signature").value.trim();
    if (!signature) return refuse("How shall your notes be signed?", at("signature"));
    if (!at("promise").checked) return refuse("Please tell your patients, and tick this.", at("promise"));
    desk = await ask("/api/welcome", { signature });
    showDesk();
    at("text").focus();
    at("said").textContent = "Your notes are open.";
});

onSubmit(at("note"), at("note-wrong"), async (refuse) => {
    const text = at("text").value.trim(), { id } = patient ?? {};
    if (!id) return refuse("No record is open.", at("text"));
    if (!text) return refuse("There is nothing to file yet.", at("text"));
    const note = await ask("/api/notes", { patient: id, text });
    desk.notes.push(note);
    if (drafts.get(id)?.trim() === text) drafts.delete(id); // not what was typed meanwhile
    frame.tell("filed", note);
    showDesk();
    at("text").focus();
    at("said").textContent = "Filed.";
});
at("text").addEventListener("input", () => drafts.set(patient?.id, at("text").value));

try {
    const answer = await fetch("/api/setup");
    if (!answer.ok) throw new Error(`no setup: ${answer.status}`);
    const { serverUrl, hosts } = await answer.json();
    await openFrame({
        serverUrl, hosts, apis: [location.origin], offers: { display },
        start: async (opened) => {
            frame = opened;
            desk = await ask("/api/desk");
            showDesk();
        },
    });
} catch (error) {
    if (error.code !== "not_connected") at("why").textContent = "It could not be opened. Please open it again from the record.";
    showOnly("alone");
}
