// clinic.js — the practice's records: who is signed in, whose record is open, and the note-taker beside it.
//
// The note-taker learns the open record's number and name, in a message, and nothing else of it. What it files comes back as text.
import { loadEmbed } from "/coatcheck/embed.js";

const at = (id) => document.getElementById(id);
const READY = "What you file appears below.";
let patients = [], filed = [], open, client;

async function ask(path, body)
{
    const answer = await fetch(path, body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    if (!answer.ok) throw Object.assign(new Error(`${path} answered ${answer.status}`), { status: answer.status });
    return answer.json();
}

function tellProblem(text)
{
    at("problem").textContent = text;
    at("problem").hidden = !text;
}

function item(text, more)
{
    const element = document.createElement("li");
    if (more) {
        const when = document.createElement("span");
        when.className = "when";
        when.textContent = more;
        element.append(when);
    }
    element.append(text);
    return element;
}

const listOf = (texts) => (texts.length ? texts : ["None known"]).map((text) => item(text));

function showPatients()
{
    at("patients").replaceChildren(...patients.map((patient) => {
        const entry = document.createElement("li"), button = document.createElement("button"), today = document.createElement("span");
        button.type = "button";
        today.textContent = patient.today;
        button.append(patient.name, today);
        if (patient === open) button.setAttribute("aria-current", "true");
        button.addEventListener("click", () => choose(patient));
        entry.append(button);
        return entry;
    }));
}

function choose(patient)
{
    open = patient;
    for (const [i, button] of [...at("patients").querySelectorAll("button")].entries())
        if (patients[i] === open) button.setAttribute("aria-current", "true");
        else button.removeAttribute("aria-current");
    if (client) at("notes-state").textContent = READY;
    showRecord();
    at("name").focus();
}

function showRecord()
{
    const { id, name, born, today, allergies, medication, history } = open;
    for (const [place, text] of Object.entries({ name, number: id, born, today })) at(place).textContent = text;
    at("allergies").replaceChildren(...listOf(allergies));
    at("medication").replaceChildren(...listOf(medication));
    at("history").replaceChildren(...history.map(({ when, what }) => item(what, when)));
    showFiled([]);
    showNotes();
}

function showFiled(notes)
{
    const time = (at_s) => new Date(at_s * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    at("filed").replaceChildren(...notes.length ? notes.map(({ text, signature, at_s }) => item(text, `${time(at_s)}, ${signature}`)).reverse() : [item("Nothing yet.")]);
    filed = notes;
}

// Tells the note-taker whose record is open; it answers with what it has filed there.
async function showNotes()
{
    const { id, name } = open;
    if (!client) return;
    try {
        const { notes } = await client.ask("display", { id, name });
        if (open.id === id) showFiled(notes);
    } catch (error) {
        at("notes-state").textContent = `The note-taker did not follow to ${name}: ${error.message}`;
    }
}

// In the note-taker's place, instead of the words for developers that are there.
function showClosed(setup, isSignedOut)
{
    const screen = at("closed").content.cloneNode(true);
    screen.querySelector("p").textContent = isSignedOut ? "Reload the page to sign in." : "The record is complete without it.";
    screen.querySelector("button").addEventListener("click", () => openNotes(setup));
    at("notes").replaceChildren(screen);
    at("notes-state").textContent = isSignedOut ? "You are signed out." : "The note-taker could not be opened.";
}

async function openNotes(setup)
{
    const { publishableKey, frameUrl } = setup;
    at("notes").replaceChildren();
    at("notes-state").textContent = "Opening the note-taker…";
    try {
        client = await loadEmbed({
            publishableKey, frameUrl, container: "#notes", environment: "production", title: "Sidenote, your notes", allow: "",
            fetchClientSecrets: () => ask("/api/launch", {}), // a new launch token at each call
        });
    } catch (error) {
        return showClosed(setup, error.cause?.status === 401);
    }
    at("notes-state").textContent = READY;
    client.on("filed", (note) => {
        if (note.patient === open.id) showFiled([...filed, note]);
        at("notes-state").textContent = `Filed in the record of ${patients.find(({ id }) => id === note.patient)?.name ?? note.patient}.`;
    });
    client.on("error", ({ cause }) => {
        at("notes-state").textContent = cause?.status === 401 ? "You are signed out. Reload the page to sign in." : "The note-taker has lost its session, and could not get another one yet.";
    });
    await showNotes();
}

function onSubmit(form, send)
{
    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        try {
            await send(new FormData(form));
            location.reload();
        } catch {
            tellProblem("That did not work: the practice’s server does not answer. Please try again.");
        }
    });
}

async function show()
{
    const { clinicians, clinician, ...setup } = await ask("/api/setup");
    if (!clinician) {
        at("who").append(...Object.entries(clinicians).map(([id, name]) => new Option(name, id)));
        at("sign-in").hidden = false;
        return;
    }
    ({ patients } = await ask("/api/patients"));
    [open] = patients;
    at("clinician").textContent = clinician;
    at("sign-out").hidden = at("desk").hidden = false;
    showPatients();
    showRecord();
    await openNotes(setup);
}

onSubmit(at("sign-in"), (data) => ask("/api/sign-in", { clinician: data.get("clinician") }));
onSubmit(at("sign-out"), () => { client?.destroy(); return ask("/api/sign-out", {}); });
show().catch(() => tellProblem("The practice’s server does not answer just now. Please reload the page in a moment."));
