// page.js — the museum's page: who is signed in, and the interview for them.
import { openAskwell } from "/askwell.js";

const at = (id) => document.getElementById(id);

async function ask(path, body)
{
    const answer = await fetch(path, body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    if (!answer.ok) throw Object.assign(new Error(`${path} answered ${answer.status}`), { status: answer.status });
    return answer.json();
}

// A form that says where it goes; the page is loaded anew for whoever is signed in then.
function onSubmit(form, send)
{
    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        try {
            await send(new FormData(form));
            location.reload();
        } catch {
            at("member-error").textContent = "That did not work: the museum’s site does not answer. Please try again.";
            at("member-error").hidden = false;
        }
    });
}

async function show()
{
    const { members, member, ...setup } = await ask("/api/setup");
    at("who").append(...Object.entries(members).map(([id, name]) => new Option(name, id)));
    at("member-name").textContent = member?.name ?? "";
    at(member ? "sign-out" : "sign-in").hidden = false;
    openAskwell(at("askwell"), {
        ...setup,
        participantName: member?.name,
        // A member is named by our backend, each time a session is needed; everybody else takes part without a name.
        bootstrapTokenProvider: member ? () => ask("/api/bootstrap", {}) : undefined,
        recall: member ? async () => (await ask("/api/interview")).interviewId : async () => null,
        remember: member ? (interviewId) => ask("/api/interview", { interviewId }) : async () => {},
    });
}

onSubmit(at("sign-in"), (data) => ask("/api/sign-in", { member: data.get("member") }));
onSubmit(at("sign-out"), () => ask("/api/sign-out", {}));
show().catch(() => {
    at("member-error").textContent = "The museum’s site does not answer just now. Please reload the page in a moment.";
    at("member-error").hidden = false;
});
