// guest.js — who was invited calls the inviter. The link holds a code, for which our backend gives a token that reaches one
// address. It stands behind the #, so no server on the way sees it, and is not renewed: an invitation has an end.
import { post } from "./ask.js";
import { callCard } from "./call_card.js";

const heading = document.getElementById("who"), said = document.getElementById("said"), button = document.getElementById("start");
let invitation;

const card = callCard(document.getElementById("call"), {
    idle: ["No call yet", "The microphone is asked for when you call."],
    closed() { button.focus(); },
});
const untilText = (ms) => new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

// There is nobody to call, so nothing to call with.
function showNone(title, text)
{
    heading.textContent = title;
    said.textContent = text;
    button.hidden = document.getElementById("telephone").hidden = true;
}

async function begin()
{
    const code = location.hash.slice(1);
    if (!code) return showNone("This link has no invitation", "Its end may have been lost on the way. Open it again as it was sent to you, or ask for a new one.");
    try {
        invitation = await post("/join", { code });
    } catch (error) {
        return error.status === 404 ? showNone("This invitation is over", "Ask whoever sent it to you for a new one.")
            : showNone("Your invitation could not be read", "We cannot be reached right now. Load this page again in a minute.");
    }
    heading.textContent = `${invitation.name} invites you to a call`;
    said.textContent = `You need no account. This invitation is good until ${untilText(invitation.until)}, and for calling ${invitation.name} alone.`;
    button.textContent = `Call ${invitation.name}`;
    button.removeAttribute("aria-disabled");
}

async function callInviter(signal)
{
    const { CoatcheckClient, StaticCredentialProvider } = await import("/coatcheck/index.js");
    const { server, token, to } = invitation;
    const client = new CoatcheckClient(new StaticCredentialProvider({ token }), { url: server, skipRegister: true });
    try {
        const call = await client.dial(to, { signal });
        call.status$.subscribe({ complete: () => void client.destroy() });
        return call;
    } catch (error) {
        void client.destroy();
        throw error;
    }
}

button.addEventListener("click", () => {
    if (invitation && card.isFree) void card.dials(invitation.name, callInviter);
});
addEventListener("hashchange", () => location.reload());
addEventListener("pagehide", () => void card.call?.hangup().catch(() => {}));
void begin();
